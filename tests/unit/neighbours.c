/*
 * neighbours.c: pages that are mapped ahead of any touch (mm/fault_ahead.c), counted
 * entry by entry.
 */
#include "kernel/counters.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/proc/program.h"
#include "lib/errno.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"
#include "tests/unit/work.h"

#define PAGES 64u

/* Ends the test's function where so few frames are the limit that memory is not plenty. */
#define NEED_FRAMES(count)                                               \
	do {                                                             \
		if (reclaim_limit() < (count))                           \
			SKIP("%lu frames are too few", reclaim_limit()); \
	} while (0)

static vaddr_t block_make(unsigned pages)
{
	return (vaddr_t)vmap_malloc(self_vmap(), (int)(pages * PAGE_SIZE));
}

static void store(vaddr_t block, unsigned page)
{
	*(volatile uint64_t *)(block + page * PAGE_SIZE) = page + 1;
}

/* How many pages of the block, from the first on, are present, and how many in all. */
static unsigned present(vaddr_t block, unsigned pages, unsigned *first)
{
	unsigned count = 0;

	*first = 0;
	for (unsigned i = 0; i < pages; i++)
		if (pte_is_present(pte_read(test_entry(block + i * PAGE_SIZE)))) {
			*first += *first == i;
			count++;
		}
	return count;
}

/* ---- Which pages ----------------------------------------------------------------- */

static int walks_upward(int argc, char **argv)
{
	vaddr_t block = block_make(PAGES);
	unsigned first;

	(void)argc, (void)argv;
	if (block == 0)
		return ENOMEM;
	self_vmap()->neighbours = 8;
	store(block, 0);
	CHECK_EQUAL(8, present(block, PAGES, &first));
	CHECK_EQUAL(8, first);
	for (unsigned i = 1; i < 8; i++)
		store(block, i);
	store(block, 8);
	CHECK_EQUAL(16, present(block, PAGES, &first));
	CHECK_EQUAL(16, first);
	/* In the midst of untouched pages: alone. */
	store(block, 40);
	CHECK_EQUAL(17, present(block, PAGES, &first));
	/* After it, it is a walk again, up to the end of the block. */
	for (unsigned i = 41; i < PAGES; i++)
		store(block, i);
	CHECK_EQUAL(16 + PAGES - 40, present(block, PAGES, &first));
	return 0;
}

TEST(neighbours, a_walk_upward_has_them)
{
	NEED_PAGES(4 * PAGES);
	NEED_FRAMES(8 * PAGES);
	CHECK_EXITS(0, walks_upward);
}

/* Neighbours that nobody touched: the page after them has none. */
static int strides(int argc, char **argv)
{
	vaddr_t block = block_make(PAGES);
	unsigned first;

	(void)argc, (void)argv;
	if (block == 0)
		return ENOMEM;
	self_vmap()->neighbours = 8;
	store(block, 0);
	store(block, 8);
	CHECK_EQUAL(9, present(block, PAGES, &first));
	store(block, 16);
	store(block, 24);
	CHECK_EQUAL(11, present(block, PAGES, &first));
	return 0;
}

TEST(neighbours, strides_have_none)
{
	NEED_PAGES(4 * PAGES);
	NEED_FRAMES(8 * PAGES);
	CHECK_EXITS(0, strides);
}

static int touches_alone(int argc, char **argv)
{
	vaddr_t block = block_make(PAGES);
	unsigned first;

	(void)argc, (void)argv;
	if (block == 0)
		return ENOMEM;
	self_vmap()->neighbours = 1;
	for (unsigned i = 0; i < 8; i++) {
		store(block, i);
		CHECK_EQUAL(i + 1, present(block, PAGES, &first));
	}
	return 0;
}

TEST(neighbours, one_is_the_touched_page_alone)
{
	NEED_PAGES(4 * PAGES);
	NEED_FRAMES(8u);
	CHECK_EXITS(0, touches_alone);
}

/* ---- What is in them --------------------------------------------------------------- */

static int reads_what_another_left(int argc, char **argv)
{
	vaddr_t block = block_make(PAGES);
	uint64_t wrong = 0;

	(void)argc, (void)argv;
	if (block == 0)
		return ENOMEM;
	self_vmap()->neighbours = NEIGHBOURS_MAX;
	for (unsigned i = 0; i < PAGES; i += NEIGHBOURS_MAX)
		store(block, i);
	for (unsigned i = 0; i < PAGES; i++)
		for (unsigned word = 1; word < PAGE_SIZE / 8; word++)
			wrong += ((volatile uint64_t *)(block + i * PAGE_SIZE))[word] != 0;
	CHECK_EQUAL(0, wrong);
	return 0;
}

static int leaves_its_bytes(int argc, char **argv)
{
	vaddr_t block = block_make(2 * PAGES);

	(void)argc, (void)argv;
	if (block == 0)
		return ENOMEM;
	for (unsigned i = 0; i < 2 * PAGES * PAGE_SIZE / 8; i++)
		((volatile uint64_t *)block)[i] = ~0ull;
	return 0;
}

TEST(neighbours, hold_nothing_of_another_process)
{
	NEED_PAGES(8 * PAGES);
	CHECK_EXITS(0, leaves_its_bytes);
	CHECK_EXITS(0, reads_what_another_left);
}

/* ---- Who leaves -------------------------------------------------------------------- */

#define LIMIT 64u

/*
 * As many pages are touched as there are frames, so that none of them needs to
 * leave, however many neighbours were mapped before.
 */
static int touches_as_many_as_fit(int argc, char **argv)
{
	vaddr_t block = block_make(8 * LIMIT);
	uint64_t written, wrong = 0;
	unsigned touched = 0;

	(void)argc, (void)argv;
	if (block == 0)
		return ENOMEM;
	self_vmap()->neighbours = NEIGHBOURS_MAX;
	written = counter_read(COUNTER_PSWPOUT);
	/* Each second stretch of NEIGHBOURS_MAX pages is begun while memory is plenty. */
	for (; touched < LIMIT / 4; touched++)
		store(block, touched * 2 * NEIGHBOURS_MAX);
	for (unsigned i = 1; touched < LIMIT - 4; touched++, i += 2)
		store(block, i);
	for (unsigned i = 0; i < LIMIT / 4; i++)
		wrong += *(volatile uint64_t *)(block + i * 2 * NEIGHBOURS_MAX * PAGE_SIZE) !=
			 i * 2 * NEIGHBOURS_MAX + 1;
	CHECK_EQUAL(0, wrong);
	CHECK_EQUAL(written, counter_read(COUNTER_PSWPOUT));
	return 0;
}

TEST(neighbours, leave_before_any_page_that_was_touched)
{
	NEED_SLOTS(8 * LIMIT);
	NEED_PAGES(8 * LIMIT);
	test_limit_set(LIMIT);
	CHECK_EXITS(0, touches_as_many_as_fit);
	test_limit_restore();
}

static int touches_late(int argc, char **argv)
{
	vaddr_t block = block_make(2 * LIMIT);
	uint64_t ahead;

	(void)argc, (void)argv;
	if (block == 0)
		return ENOMEM;
	self_vmap()->neighbours = 1;
	for (unsigned i = 0; i < LIMIT * 3 / 4; i++)
		store(block, i);
	self_vmap()->neighbours = NEIGHBOURS_MAX;
	ahead = counter_read(COUNTER_PGAHEAD);
	for (unsigned i = LIMIT * 3 / 4; i < LIMIT; i++)
		store(block, i);
	CHECK_EQUAL(ahead, counter_read(COUNTER_PGAHEAD));
	return 0;
}

TEST(neighbours, none_while_memory_is_scarce)
{
	NEED_SLOTS(4 * LIMIT);
	test_limit_set(LIMIT);
	CHECK_EXITS(0, touches_late);
	test_limit_restore();
}

/* Untouched neighbours are given back with their block. */
static int frees_untouched(int argc, char **argv)
{
	(void)argc, (void)argv;
	self_vmap()->neighbours = NEIGHBOURS_MAX;
	for (unsigned i = 0; i < 100; i++) {
		vaddr_t block = block_make(2 * NEIGHBOURS_MAX);

		if (block == 0)
			return ENOMEM;
		store(block, 0);
		if (i % 3 == 0)
			store(block, i % NEIGHBOURS_MAX);
		if (i % 4 == 0)
			test_evict(3);
		vmap_free(self_vmap(), (void *)block);
		CHECK_EQUAL(0, *vmap_errno());
	}
	return 0;
}

TEST(neighbours, go_with_their_block)
{
	NEED_PAGES(4 * NEIGHBOURS_MAX);
	CHECK_EXITS(0, frees_untouched);
}

/* ---- Accessed bits ------------------------------------------------------------------- */

static void looks(struct frame *frame, void *context)
{
	(void)frame, (void)context;
}

/* Loads from the pages, which no fault tells; returns how many then lack their accessed bit. */
static unsigned load_all(vaddr_t block, unsigned first, unsigned end)
{
	unsigned lacking = 0;

	for (unsigned i = first; i < end; i++)
		(void)test_load(block + i * PAGE_SIZE);
	for (unsigned i = first; i < end; i++)
		lacking += !(pte_read(test_entry(block + i * PAGE_SIZE)).bits & PTE_ACCESSED);
	return lacking;
}

/*
 * Neighbours that were touched lose their accessed bits when a victim is sought. The
 * victim rests already and needs no shootdown; but the bits must come back.
 */
static int uses_them_after_an_eviction(int argc, char **argv)
{
	vaddr_t resting = block_make(LIMIT / 3), block = block_make(NEIGHBOURS_MAX);

	(void)argc, (void)argv;
	self_vmap()->neighbours = 1;
	for (unsigned i = 0; i < LIMIT / 3; i++)
		store(resting, i);
	test_evict(1);
	self_vmap()->neighbours = NEIGHBOURS_MAX;
	store(block, 0);
	lru_visit(looks, NULL); /* who has the lock finds them untouched */
	CHECK_EQUAL(0, load_all(block, 1, NEIGHBOURS_MAX));
	test_evict(1);
	CHECK_EQUAL(0, load_all(block, 1, NEIGHBOURS_MAX));
	return 0;
}

TEST(neighbours, used_again_are_seen_used)
{
	NEED_SLOTS(4 * LIMIT);
	NEED_PAGES(4 * LIMIT);
	test_limit_set(LIMIT);
	CHECK_EXITS(0, uses_them_after_an_eviction);
	test_limit_restore();
}

/* 1: one thread has walked, 2: the other has looked. Atomic. */
static unsigned step;
static vaddr_t walked;

static void step_await(unsigned wanted)
{
	while (__atomic_load_n(&step, __ATOMIC_ACQUIRE) < wanted)
		schedule_wait();
}

/* Two CPUs have the address space loaded: one uses the pages, the other looks at them. */
static void walks_or_looks(void *number)
{
	if ((uint64_t)number == 0) {
		for (unsigned i = 0; i < NEIGHBOURS_MAX; i++)
			store(walked, i);
		__atomic_store_n(&step, 1, __ATOMIC_RELEASE);
		step_await(2);
		CHECK_EQUAL(0, load_all(walked, 1, NEIGHBOURS_MAX));
	} else {
		step_await(1);
		lru_visit(looks, NULL);
		__atomic_store_n(&step, 2, __ATOMIC_RELEASE);
	}
}

static int looked_at_by_another_cpu(int argc, char **argv)
{
	(void)argc, (void)argv;
	self_vmap()->neighbours = NEIGHBOURS_MAX;
	walked = block_make(NEIGHBOURS_MAX);
	step = 0;
	work_threads(2, walks_or_looks);
	return 0;
}

TEST(neighbours, used_elsewhere_are_seen_used)
{
	NEED_PAGES(4 * NEIGHBOURS_MAX);
	NEED_FRAMES(8 * NEIGHBOURS_MAX);
	CHECK_EXITS(0, looked_at_by_another_cpu);
}
