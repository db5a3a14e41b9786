/*
 * policy_probation.c: S3-FIFO's idea made to fit a kernel: the fewest faults
 * that accessed bits and ghosts were found to give (README has the figures).
 *
 *                     memory grows: the oldest
 *                 +-----------------------------+
 *                 |     used since it came      v
 *   insert() --> [small: a fortieth] -----> [main: leaves after as many looks unused] <-+
 *      |               |                        |           as it was found used |       |
 *      |               v unused                 v unused                         +-------+
 *      |            victim, and a ghost       victim
 *      +--- a ghost, of the last half memory: straight to main
 *
 * What differs from S3-FIFO:
 * 1. While memory grows, which is when pages come for which none left, the small
 *    list hands its oldest to main. So main fills with what came first and keeps
 *    it; with S3-FIFO all of memory would be the small list, a plain FIFO, until
 *    something is used twice. It is why a loop larger than memory hits as often
 *    as it can.
 * 2. The list on probation is shorter, and so is the memory for ghosts: what
 *    comes back later than that would not have stayed either.
 * 3. A page of main is remembered for having been used, up to USES_MAX looks:
 *    one bit cannot tell often from once.
 */
#include "kernel/mm/ghost.h"
#include "kernel/mm/policy_internal.h"

enum { SMALL, MAIN };

#define SMALL_SHARE 40u /* one in so many pages is on probation */
#define GHOST_SHARE 2u  /* ghosts reach back to as many as one in so many pages */
#define USES_MAX 3u
#define USES_RESCUED 2u /* main's page that was used while it rested */

STATIC_ASSERT(USES_MAX < POLICY_TICK);

/*
 * Victims named for which no page came yet. At most what may rest, as pages may
 * leave for good: the limit was lowered.
 */
static uint64_t owed;

static uint64_t memory_pages(const struct policy *policy)
{
	return policy_pages(policy) + owed;
}

static bool small_is_full(const struct policy *policy)
{
	return policy->lists[SMALL].count + owed > memory_pages(policy) / SMALL_SHARE;
}

static unsigned uses(const struct frame *frame)
{
	return frame->page.stamp % POLICY_TICK;
}

static void main_add(struct policy *policy, struct frame *frame, unsigned count)
{
	policy_add(policy, MAIN, frame);
	frame->page.stamp += count;
}

static void insert(struct policy *policy, struct frame *frame)
{
	struct frame *oldest;

	if (ghost_take(frame, memory_pages(policy) / GHOST_SHARE))
		policy_add(policy, MAIN, frame);
	else
		policy_add(policy, SMALL, frame);
	if (owed) {
		owed--;
	} else if (small_is_full(policy)) {
		oldest = page_list_oldest(&policy->lists[SMALL]);
		policy_remove(policy, oldest);
		policy_add(policy, MAIN, oldest);
	}
}

static void keep(struct policy *policy, struct frame *frame)
{
	(void)ghost_take(frame, 0);
	if (owed)
		owed--;
	main_add(policy, frame, frame_list(frame) == MAIN ? USES_RESCUED : 0);
}

/* It was looked at, as the next to leave. May it stay? Then it is on main again. */
static bool stays(struct policy *policy, struct frame *frame, struct flush_batch *batch)
{
	bool main = frame_list(frame) == MAIN;
	unsigned before = main ? uses(frame) : 0;

	if (policy_test_accessed(frame, batch))
		main_add(policy, frame, main ? MIN(before + 1, USES_MAX) : 0);
	else if (before)
		main_add(policy, frame, before - 1);
	else
		return false;
	return true;
}

static struct frame *next(const struct policy *policy)
{
	unsigned list = small_is_full(policy) ? SMALL : MAIN;
	struct frame *frame = page_list_oldest_free(&policy->lists[list]);

	return frame ? frame : page_list_oldest_free(&policy->lists[!list]);
}

static struct frame *victim(struct policy *policy, struct flush_batch *batch)
{
	uint64_t patience = (USES_MAX + 1) * policy_pages(policy);
	struct frame *frame;

	while ((frame = next(policy))) {
		COUNT(PGSCAN);
		policy_remove(policy, frame);
		if (patience-- > 0 && stays(policy, frame, batch))
			continue;
		if (frame_list(frame) == SMALL)
			ghost_add(frame);
		owed = MIN(owed + 1, (uint64_t)TAIL_PAGES);
		return frame;
	}
	return NULL;
}

struct policy policy_probation = {
	.name = "probation",
	.summary = "newcomers on probation, ghosts, and uses counted: the fewest faults",
	.accessed = true,
	.rest_max = TAIL_PERCENT,
	.lists = POLICY_LISTS_EMPTY,
	.insert = insert,
	.keep = keep,
	.victim = victim,
};
