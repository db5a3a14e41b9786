/*
 * quarantine.c: pages that are freed while another CPU has the address space loaded
 * (mm/quarantine.c): frames and blocks come back when they are wanted. With one CPU nothing
 * rests, and all of it holds as well.
 */
#include "kernel/counters.h"
#include "kernel/mm/policy.h"
#include "kernel/mm/reclaim.h"
#include "kernel/proc/program.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"
#include "tests/unit/work.h"

#define BLOCKS 3u
#define BLOCK_PAGES 4u
#define BLOCK_BYTES (BLOCK_PAGES * PAGE_SIZE)
#define PAGES (BLOCKS * BLOCK_PAGES)
#define SPARE 6u
#define ROUNDS 300u

static bool running, stop; /* atomic */
static tid_t other;

/* Keeps another CPU in the address space. */
static void stays(void *argument)
{
	(void)argument;
	__atomic_store_n(&running, true, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		cpu_relax();
}

static bool other_start(void)
{
	running = stop = false;
	self_vmap()->neighbours = 1;
	if (!CHECK_ERROR(0, thread_start(stays, NULL, &other)))
		return false;
	while (!__atomic_load_n(&running, __ATOMIC_SEQ_CST))
		thread_yield();
	return true;
}

static void other_join(void)
{
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	CHECK_ERROR(0, thread_join(other));
}

static void blocks_come_and_go(void)
{
	void *blocks[BLOCKS];

	for (unsigned i = 0; i < BLOCKS; i++) {
		blocks[i] = work_malloc(BLOCK_BYTES);
		test_pages_fill((vaddr_t)blocks[i], BLOCK_PAGES, i);
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		work_free(blocks[i]);
}

static int frames_come_back(int argc, char **argv)
{
	vaddr_t more = (vaddr_t)work_malloc((PAGES + 1) * PAGE_SIZE);
	uint64_t before;

	(void)argc, (void)argv;
	if (!other_start())
		return 1;
	test_limit_set(reclaim_resident() + PAGES + SPARE);
	before = counter_read(COUNTER_PGSTEAL);
	blocks_come_and_go();
	test_pages_fill(more, PAGES + 1, 1);
	CHECK_EQUAL(before, counter_read(COUNTER_PGSTEAL));
	CHECK_EQUAL(0, test_pages_verify(more, PAGES + 1, 1));
	test_limit_restore();
	other_join();
	return 0;
}

TEST(quarantine, frames_come_back_before_a_page_leaves)
{
	if (reclaim_limit() < 4 * PAGES)
		SKIP("%lu frames are too few", reclaim_limit());
	CHECK_EXITS(0, frames_come_back);
}

/* Is the block's last page in memory, by an entry that counts as written to? */
static bool is_mapped_again(const void *block)
{
	pte_t entry = pte_read(vmap_entry(self_vmap(), (vaddr_t)block + BLOCK_BYTES - PAGE_SIZE));

	return pte_is_present(entry) && entry.bits & PTE_DIRTY;
}

static int block_comes_with_frames(int argc, char **argv)
{
	unsigned again = 0;

	(void)argc, (void)argv;
	if (!other_start())
		return 1;
	self_vmap()->neighbours = BLOCK_PAGES;
	for (unsigned i = 0; i < ROUNDS; i++) {
		void *block = work_malloc(BLOCK_BYTES);

		again += is_mapped_again(block);
		CHECK_EQUAL(0, work_bytes_other_than(0, block, BLOCK_BYTES));
		test_pages_fill((vaddr_t)block, BLOCK_PAGES, i);
		work_free(block);
	}
	CHECK(again > 0);
	other_join();
	return 0;
}

TEST(quarantine, a_block_comes_back_with_its_frames)
{
	if (cpu_count == 1 || !policy_accessed())
		SKIP("nothing rests here, or no page is mapped before it is touched");
	if (reclaim_limit() < 4 * BLOCK_PAGES)
		SKIP("%lu frames are too few to be plenty", reclaim_limit());
	CHECK_EXITS(0, block_comes_with_frames);
}

static int blocks_come_back(int argc, char **argv)
{
	const struct arena *arena = &self_vmap()->arenas[PAGE_ARENA + 2];

	(void)argc, (void)argv;
	if (!other_start())
		return 1;
	for (unsigned i = 0; i < ROUNDS; i++)
		blocks_come_and_go();
	CHECK(arena->used <= QUARANTINE_BLOCKS + BLOCKS);
	CHECK(self_vmap()->resting_count <= QUARANTINE_BLOCKS);
	other_join();
	return 0;
}

TEST(quarantine, blocks_come_back)
{
	CHECK_EXITS(0, blocks_come_back);
}
