/*
 * last_ones.c: two want the last one there is: of the pages that may be
 * promised, of the frames, of the slots.
 */
#include "kernel/mm/reclaim.h"
#include "kernel/proc/program.h"
#include "kernel/sched/semaphore.h"
#include "tests/schedule/scenario.h"

#define PAGES 3u
#define TAKERS_MAX 4u

static unsigned takers;

/* ---- 09 -------------------------------------------------------------------------- */

static void *given[TAKERS_MAX];
static int given_errno[TAKERS_MAX];
static unsigned tried; /* who ends gives back what was promised to him: not before all have tried */

static int wants_the_last_page(int argc, char **argv)
{
	unsigned me = work_number(argc, argv);
	vaddr_t own = (vaddr_t)work_malloc(PAGES * PAGE_SIZE);

	work_free(work_malloc(PAGE_SIZE)); /* so that tables and records are there */
	scenario_meet();
	given[me] = vmap_malloc(self_vmap(), PAGE_SIZE);
	given_errno[me] = given[me] ? 0 : *vmap_errno();
	scenario_count_to(&tried, takers + 1);
	/* All have three pages, and together four frames: nobody loses a byte, all get on. */
	test_pages_fill(own, PAGES, me);
	if (given[me])
		test_store((vaddr_t)given[me], me + 1);
	CHECK_EQUAL(0, test_pages_verify(own, PAGES, me));
	if (given[me])
		CHECK_EQUAL(me + 1, test_load((vaddr_t)given[me]));
	return 0;
}

/* All but one page that may be promised is, as soon as everybody else has met. */
static void promises_the_rest(void *number)
{
	uint64_t *promised = number;

	scenario_await_parts(takers);
	*promised = (uint64_t)commit_read().available - 1;
	CHECK_ERROR(0, commit_charge(*promised));
	scenario_meet();
	scenario_count_to(&tried, takers + 1);
}

SCENARIO(09, last_frame)
{
	uint64_t promised = 0;
	unsigned winners = 0;

	NEED_SLOTS(8 * PAGES);
	takers = scenario_parts(TAKERS_MAX);
	tried = 0;
	test_limit_set(RESIDENT_MIN);
	process_quiesce();
	scenario_expect(takers + 1);
	scenario_start(promises_the_rest, &promised);
	WORK_PROCESSES(takers, wants_the_last_page);
	scenario_finish();
	commit_uncharge(promised);
	for (unsigned i = 0; i < takers; i++) {
		winners += given[i] != NULL;
		CHECK_ERROR(given[i] ? 0 : ENOMEM, -given_errno[i]);
	}
	CHECK_EQUAL(1, winners);
}

/* ---- 10 -------------------------------------------------------------------------- */

#define SLOTS_MAX 32768u

static uint8_t slots_taken[SLOTS_MAX / 8]; /* a bit each */
static struct semaphore evicted;

/* Takes every slot but one. */
static void slots_take(void)
{
	struct swap_counts counts = swap_read_counts();

	for (uint64_t left = counts.slots - counts.bad - counts.used; left > 1; left--) {
		uint64_t flags = irq_save();
		uint32_t slot = swap_slot_alloc();

		irq_restore(flags);
		slots_taken[slot / 8] |= (uint8_t)(1u << slot % 8);
	}
}

static void slots_give_back(void)
{
	for (uint32_t slot = 0; slot < SLOTS_MAX; slot++) {
		uint64_t flags;

		if (!(slots_taken[slot / 8] & 1u << slot % 8))
			continue;
		slots_taken[slot / 8] &= (uint8_t) ~(1u << slot % 8);
		flags = irq_save();
		swap_slot_free(slot);
		irq_restore(flags);
	}
}

/* One slot, so one page of these leaves: the others stay as they are. */
static int has_pages(int argc, char **argv)
{
	vaddr_t own = (vaddr_t)work_malloc(PAGES * PAGE_SIZE);
	struct vmap_usage usage;

	(void)argc, (void)argv;
	test_pages_fill(own, PAGES, 1);
	scenario_meet();
	for (unsigned i = 0; i < takers; i++)
		CHECK_ERROR(0, semaphore_wait(&evicted));
	vmap_usage(self_vmap(), &usage);
	CHECK_EQUAL(1, usage.swapped);
	CHECK_EQUAL(PAGES - 1, usage.resident);
	CHECK_EQUAL(0, test_pages_verify(own, PAGES, 1));
	return 0;
}

static void evicts_one(void *number)
{
	(void)number;
	scenario_meet();
	scenario_evict(1);
	CHECK_ERROR(0, semaphore_post(&evicted));
}

SCENARIO(10, last_slot)
{
	NEED_SLOTS(8 * PAGES);
	if (swap_read_counts().slots > SLOTS_MAX)
		SKIP("%lu slots of swap are too many", swap_read_counts().slots);
	takers = scenario_parts(PAGES);
	CHECK_ERROR(0, semaphore_init(&evicted, 0));
	scenario_expect(1 + takers);
	slots_take();
	for (unsigned i = 0; i < takers; i++)
		scenario_start(evicts_one, NULL);
	CHECK_EXITS(0, has_pages);
	scenario_finish();
	slots_give_back();
}

/* ---- 28 -------------------------------------------------------------------------- */

#define TOUCHES 4u

static unsigned slots_gone; /* parts that know it; atomic */
static bool touched;        /* atomic */

static void slot_take(void)
{
	uint64_t flags = irq_save();
	uint32_t slot = swap_slot_alloc();

	irq_restore(flags);
	if (CHECK(slot != SLOT_NONE))
		slots_taken[slot / 8] |= (uint8_t)(1u << slot % 8);
}

/* Its pages have no slot and there is none: who evicts them looks for one that a page keeps. */
static void evicts_without_slots(void *number)
{
	(void)number;
	scenario_meet();
	scenario_count_to(&slots_gone, takers + 1);
	while (!__atomic_load_n(&touched, __ATOMIC_ACQUIRE))
		scenario_evict(1);
}

/* Frames whose last page had a slot, which is another's by now, get a first touch each. */
static int touches_in_used_frames(int argc, char **argv)
{
	vaddr_t pages[TOUCHES], others;

	(void)argc, (void)argv;
	self_vmap()->neighbours = 1;
	for (unsigned i = 0; i < TOUCHES; i++) {
		pages[i] = (vaddr_t)work_malloc(PAGE_SIZE);
		test_store(pages[i], 1);
	}
	for (unsigned i = 0; i < TOUCHES; i++)
		(void)test_swap_out(pages[i]);
	for (unsigned i = 0; i < TOUCHES; i++)
		CHECK_EQUAL(1, test_load(pages[i]));
	others = (vaddr_t)work_malloc(2 * TOUCHES * PAGE_SIZE);
	test_pages_fill(others, 2 * TOUCHES, 1);
	slots_take();
	scenario_meet();
	for (unsigned i = 0; i < TOUCHES; i++)
		work_free((void *)pages[i]);
	for (unsigned i = 0; i < TOUCHES; i++)
		slot_take();
	for (unsigned i = 0; i < TOUCHES; i++)
		pages[i] = (vaddr_t)work_malloc(PAGE_SIZE);
	scenario_count_to(&slots_gone, takers + 1);
	for (unsigned i = 0; i < TOUCHES; i++)
		CHECK_EQUAL(0, test_load(pages[i]));
	__atomic_store_n(&touched, true, __ATOMIC_RELEASE);
	CHECK_EQUAL(0, test_pages_verify(others, 2 * TOUCHES, 1));
	return 0;
}

SCENARIO(28, first_touch_without_slots)
{
	NEED_SLOTS(8 * PAGES);
	if (swap_read_counts().slots > SLOTS_MAX)
		SKIP("%lu slots of swap are too many", swap_read_counts().slots);
	takers = scenario_parts(4) - 1;
	slots_gone = 0;
	touched = false;
	scenario_expect(1 + takers);
	for (unsigned i = 0; i < takers; i++)
		scenario_start(evicts_without_slots, NULL);
	CHECK_EXITS(0, touches_in_used_frames);
	scenario_finish();
	slots_give_back();
}
