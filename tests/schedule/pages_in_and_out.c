/*
 * pages_in_and_out.c: faults against faults and against eviction.
 */
#include "kernel/mm/reclaim.h"
#include "kernel/proc/program.h"
#include "kernel/sched/semaphore.h"
#include "tests/schedule/scenario.h"

#define PAGES 6u
#define ROUNDS 3u

static vaddr_t block;
static unsigned users; /* threads that use it */

static vaddr_t page_at(unsigned index)
{
	return block + index * PAGE_SIZE;
}

/* What a thread stores into its own word of a page: nobody else does, nowhere else. */
static uint64_t mark(uint64_t thread, unsigned page, unsigned round)
{
	return 0x5eed000000000000ull + (thread << 32) + (page << 16) + round;
}

static uint64_t load_mark(uint64_t thread, unsigned page)
{
	return test_load(page_at(page) + thread * 8);
}

static void store_mark(uint64_t thread, unsigned page, unsigned round)
{
	test_store(page_at(page) + thread * 8, mark(thread, page, round));
}

static void check_marks(unsigned round)
{
	for (uint64_t thread = 0; thread < users; thread++)
		for (unsigned i = 0; i < PAGES; i++)
			CHECK_EQUAL(mark(thread, i, round), load_mark(thread, i));
}

static void block_make(void)
{
	block = (vaddr_t)work_malloc(PAGES * PAGE_SIZE);
}

/* ---- 01 -------------------------------------------------------------------------- */

static void marks_each_page(void *number)
{
	scenario_meet();
	for (unsigned i = 0; i < PAGES; i++)
		store_mark((uint64_t)number, i, 1);
}

static int faulting_process(int argc, char **argv)
{
	struct vmap_usage before, after;

	(void)argc, (void)argv;
	block_make();
	vmap_usage(self_vmap(), &before);
	work_threads(users, marks_each_page);
	vmap_usage(self_vmap(), &after);
	CHECK_EQUAL(PAGES, after.resident - before.resident);
	check_marks(1);
	return 0;
}

SCENARIO(01, two_faults_on_one_page)
{
	users = scenario_parts(4);
	scenario_expect(users);
	CHECK_EXITS(0, faulting_process);
}

/* ---- 02 and 14 ------------------------------------------------------------------- */

/* Each page has what the thread stored last time, and gets the next. */
static void uses_pages(uint64_t thread)
{
	for (unsigned round = 1; round <= ROUNDS; round++)
		for (unsigned i = 0; i < PAGES; i++) {
			CHECK_EQUAL(mark(thread, i, round - 1), load_mark(thread, i));
			store_mark(thread, i, round);
		}
}

static void user_or_evictor(void *number)
{
	scenario_meet();
	if ((uint64_t)number < users)
		uses_pages((uint64_t)number);
	else
		scenario_evict(2 * PAGES);
}

static void first_marks(void)
{
	block_make();
	for (uint64_t thread = 0; thread < users; thread++)
		for (unsigned i = 0; i < PAGES; i++)
			store_mark(thread, i, 0);
}

static int used_and_evicted(int argc, char **argv)
{
	(void)argc, (void)argv;
	first_marks();
	work_threads(users + 1, user_or_evictor);
	check_marks(ROUNDS);
	return 0;
}

SCENARIO(02, fault_against_eviction)
{
	NEED_SLOTS(4 * PAGES);
	users = scenario_parts(4) - 1;
	scenario_expect(users + 1);
	CHECK_EXITS(0, used_and_evicted);
}

/* More threads than CPUs, fewer frames than pages, and the disk lets others go on: who sleeps in a
 * fault wakes up elsewhere. */
static int used_on_few_frames(int argc, char **argv)
{
	(void)argc, (void)argv;
	first_marks();
	work_threads(users, user_or_evictor);
	check_marks(ROUNDS);
	return 0;
}

SCENARIO(14, migration_in_a_fault)
{
	NEED_SLOTS(4 * PAGES);
	users = scenario_parts(4) + 1;
	test_limit_set(RESIDENT_MIN);
	scenario_slow_disk();
	scenario_expect(users);
	CHECK_EXITS(0, used_on_few_frames);
}

/* ---- 15 -------------------------------------------------------------------------- */

#define STORES 12u

static void stores_or_evicts(void *number)
{
	scenario_meet();
	if ((uint64_t)number == 0) {
		for (uint64_t i = 1; i <= STORES; i++) {
			CHECK_EQUAL(i - 1, test_load(block));
			test_store(block, i);
			schedule_point();
		}
	} else {
		scenario_evict(STORES / 2);
	}
}

static int stored_while_written(int argc, char **argv)
{
	(void)argc, (void)argv;
	block_make();
	test_store(block + 8, 1); /* it is not all zero, so it is written */
	work_threads(2, stores_or_evicts);
	CHECK_EQUAL(STORES, test_load(block));
	CHECK_EQUAL(1, test_load(block + 8));
	/* And it is what comes back from swap. */
	(void)test_swap_out(block);
	CHECK_EQUAL(STORES, test_load(block));
	return 0;
}

SCENARIO(15, store_during_write_out)
{
	NEED_SLOTS(4 * PAGES);
	scenario_slow_disk();
	scenario_expect(2);
	CHECK_EXITS(0, stored_while_written);
}

/* ---- 16 -------------------------------------------------------------------------- */

#define SCANS 6u

static uint64_t scan;    /* odd while one goes on; atomic */
static bool scans_ended; /* atomic */

/* What a policy does to learn whether a page is used: see policy_test_accessed(). */
static void scans(void)
{
	const struct address_space *space = &self_vmap()->space;
	pte_t *entry = test_entry(block);

	for (unsigned i = 0; i < SCANS; i++) {
		__atomic_add_fetch(&scan, 1, __ATOMIC_SEQ_CST);
		if (pte_clear_accessed(entry))
			tlb_shootdown(address_space_active(space), &block, 1);
		__atomic_add_fetch(&scan, 1, __ATOMIC_SEQ_CST);
		thread_yield();
	}
	__atomic_store_n(&scans_ended, true, __ATOMIC_SEQ_CST);
}

static void accesses(void)
{
	while (!__atomic_load_n(&scans_ended, __ATOMIC_SEQ_CST)) {
		uint64_t before = __atomic_load_n(&scan, __ATOMIC_SEQ_CST);
		bool accessed;

		(void)test_load(block);
		accessed = pte_read(test_entry(block)).bits & PTE_ACCESSED;
		schedule_point();
		/* No scan began or went on meanwhile: the access must have left its trace. */
		if (before % 2 == 0 && __atomic_load_n(&scan, __ATOMIC_SEQ_CST) == before)
			CHECK(accessed);
		thread_yield();
	}
}

static void scans_or_accesses(void *number)
{
	scenario_meet();
	if ((uint64_t)number == 0)
		scans();
	else
		accesses();
}

/* A page that is used before each eviction is not the one that leaves. */
static void hot_page_stays(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		test_store(page_at(i), 1);
	for (unsigned i = 0; i < PAGES / 2; i++) {
		(void)test_load(block);
		scenario_evict(1);
		CHECK(!pte_is_swapped(pte_read(test_entry(block))));
	}
}

static int scanned_and_accessed(int argc, char **argv)
{
	(void)argc, (void)argv;
	block_make();
	test_store(block, 1);
	scan = 0;
	scans_ended = false;
	work_threads(users, scans_or_accesses);
	hot_page_stays();
	return 0;
}

SCENARIO(16, scan_against_access)
{
	NEED_SLOTS(4 * PAGES);
	users = scenario_parts(3);
	scenario_expect(users);
	CHECK_EXITS(0, scanned_and_accessed);
}
