/*
 * neighbours.c: pages mapped ahead of any touch, against the freeing of their block
 * and against eviction; and a page that is being made against who looks for slots.
 */
#include "kernel/proc/program.h"
#include "kernel/sched/semaphore.h"
#include "tests/schedule/scenario.h"

#define BLOCKS 3u
#define PAGES 14u                 /* of each block: several runs of neighbours */
#define NEIGHBOURS 6u             /* that a first touch maps */
#define KEPT (BLOCKS * PAGES / 2) /* pages of one block each, made of the frames that come back */

static vaddr_t blocks[BLOCKS], kept[KEPT];
static unsigned parts;

/* ---- 27 -------------------------------------------------------------------------- */

static uint64_t page_mark(unsigned block, unsigned page)
{
	return 0xa4ead00000000000ull + (block << 16) + page;
}

/* Upward through each block, for as long as it is there. */
static void walks(void)
{
	for (unsigned i = 0; i < BLOCKS; i++)
		for (unsigned page = 0; page < PAGES; page++) {
			vaddr_t address = blocks[i] + page * PAGE_SIZE;
			uint64_t value = 0;

			if (scenario_try_store(address, page_mark(i, page)) ||
			    scenario_try_load(address, &value))
				break;
			CHECK_EQUAL(page_mark(i, page), value);
		}
}

/* A walk through a block that goes at once: its neighbours were seen by nobody else yet. */
static void walks_and_frees(void)
{
	vaddr_t own = (vaddr_t)work_malloc(NEIGHBOURS * PAGE_SIZE);

	test_store(own, 1);
	CHECK_EQUAL(0, test_load(own + PAGE_SIZE));
	work_free((void *)own);
}

/* Gives the blocks back, while they are walked through, and uses the frames. */
static void frees_blocks(void)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		for (unsigned wait = 0; wait < i * PAGES; wait++)
			schedule_point();
		work_free((void *)blocks[i]);
		walks_and_frees();
		for (unsigned page = i * KEPT / BLOCKS; page < (i + 1) * KEPT / BLOCKS; page++) {
			CHECK_EQUAL(0, test_load(kept[page]));
			test_store(kept[page], page + 1);
		}
	}
}

static void walks_frees_evicts(void *number)
{
	scenario_meet();
	switch ((uint64_t)number) {
	case 0:
		walks();
		break;
	case 1:
		frees_blocks();
		break;
	default:
		scenario_evict(2 * PAGES);
	}
}

static int walked_freed_and_evicted(int argc, char **argv)
{
	struct vmap_usage before, after;

	(void)argc, (void)argv;
	self_vmap()->neighbours = NEIGHBOURS;
	for (unsigned i = 0; i < KEPT; i++)
		kept[i] = (vaddr_t)work_malloc(PAGE_SIZE);
	vmap_usage(self_vmap(), &before);
	for (unsigned i = 0; i < BLOCKS; i++)
		blocks[i] = (vaddr_t)work_malloc(PAGES * PAGE_SIZE);
	work_threads(parts, walks_frees_evicts);
	for (unsigned i = 0; i < KEPT; i++) {
		CHECK_EQUAL(i + 1, test_load(kept[i]));
		CHECK_EQUAL(0, test_load(kept[i] + 8));
	}
	vmap_usage(self_vmap(), &after);
	CHECK_EQUAL(before.committed, after.committed);
	return 0;
}

SCENARIO(27, neighbours_against_free)
{
	NEED_SLOTS(4 * BLOCKS * PAGES);
	parts = MAX(scenario_parts(4), 3u);
	scenario_expect(parts);
	CHECK_EXITS(0, walked_freed_and_evicted);
}
