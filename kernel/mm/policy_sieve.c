/*
 * policy_sieve.c: SIEVE (Zhang and others, NSDI 2024): clock, but that survivors
 * keep their places and newcomers stand at the head, not behind the hand. So a
 * newcomer is looked at soon, and what is used often gathers at the tail.
 *
 *       tail                     hand                            head
 *   [behind the hand: survivors]  v  [ahead of it: not yet looked at] <-- insert()
 *
 * The hand goes from tail to head, and from there back to the tail. What is ahead
 * of it is one list, `first`, and what is behind it the other: to let the hand pass
 * a page is to move it, to bring the hand back is to exchange the two.
 */
#include "kernel/mm/policy_internal.h"

static void insert(struct policy *policy, struct frame *frame)
{
	policy_add(policy, policy->first, frame);
}

/* The hand passes it after all. */
static void keep(struct policy *policy, struct frame *frame)
{
	policy_add(policy, !policy->first, frame);
}

static struct frame *victim(struct policy *policy, struct flush_batch *batch)
{
	uint64_t patience = 2 * policy_pages(policy);
	unsigned returns = 0; /* of the hand, since it last met a page that might leave */

	while (returns < 2) {
		struct frame *frame = page_list_oldest_free(&policy->lists[policy->first]);

		if (!frame) {
			policy->first = !policy->first;
			returns++;
			continue;
		}
		COUNT(PGSCAN);
		policy_remove(policy, frame);
		if (patience-- == 0 || !policy_test_accessed(frame, batch))
			return frame;
		keep(policy, frame);
		returns = 0;
	}
	return NULL;
}

struct policy policy_sieve = {
	.name = "sieve",
	.summary = "SIEVE: second chance, but survivors keep their places",
	.accessed = true,
	.rest_max = TAIL_PERCENT,
	.insert = insert,
	.keep = keep,
	.victim = victim,
};
