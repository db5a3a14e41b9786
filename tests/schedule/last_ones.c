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
