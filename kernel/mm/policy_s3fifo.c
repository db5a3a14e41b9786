/*
 * policy_s3fifo.c: S3-FIFO (Yang and others, SOSP 2023), by accessed bits.
 *
 *                                        accessed
 *   insert() --> [small: a tenth] ------------------> [main: a second chance each] <--+
 *      |               |                                |            |                |
 *      |               v not accessed                   v not        +-- accessed ----+
 *      |            victim, and a ghost                 victim
 *      +--- a ghost: seen before, so straight to main
 *
 * A page that is used only once passes through the small queue and is gone.
 */
#include "kernel/mm/ghost.h"
#include "kernel/mm/policy_internal.h"

enum { SMALL, MAIN };

static uint32_t left; /* so many pages left the small queue: the ghosts' clock */

static void insert(struct policy *policy, struct frame *frame)
{
	/* The paper's: as many ghosts as main has pages. */
	uint64_t window = policy_pages(policy) / 10 * 9;
	uint32_t time;
	bool known = ghost_take(frame, &time) && left - time <= window;

	policy_add(policy, known ? MAIN : SMALL, frame);
}

static void keep(struct policy *policy, struct frame *frame)
{
	uint32_t time;

	(void)ghost_take(frame, &time);
	policy_add(policy, MAIN, frame);
}

static struct frame *next(const struct policy *policy)
{
	bool small_first = policy->lists[SMALL].count * 10 >= policy_pages(policy);
	struct frame *frame = page_list_oldest_free(&policy->lists[small_first ? SMALL : MAIN]);

	if (!frame)
		frame = page_list_oldest_free(&policy->lists[small_first ? MAIN : SMALL]);
	return frame;
}

static struct frame *victim(struct policy *policy, struct flush_batch *batch)
{
	uint64_t patience = 2 * policy_pages(policy);
	struct frame *frame;

	while ((frame = next(policy))) {
		COUNT(PGSCAN);
		policy_remove(policy, frame);
		if (patience-- == 0 || !policy_test_accessed(frame, batch)) {
			if (frame_list(frame) == SMALL)
				ghost_add(frame, left++);
			return frame;
		}
		policy_add(policy, MAIN, frame);
	}
	return NULL;
}

struct policy policy_s3fifo = {
	.name = "s3fifo",
	.summary = "S3-FIFO: newcomers on probation in a small queue, ghosts remembered",
	.accessed = true,
	.rest_max = TAIL_PERCENT,
	.insert = insert,
	.keep = keep,
	.victim = victim,
};
