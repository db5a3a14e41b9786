/*
 * policy_lru_exact.c: exact least recently used.
 *
 * Every change of page traps (exact.c), and each trap moves its page to the
 * young end, so the list is in the order of last use. For teaching, tests and
 * comparison; slow by nature. But for touch() it is fifo.
 */
#include "kernel/mm/policy_internal.h"

static void touch(struct policy *policy, struct frame *frame)
{
	policy_remove(policy, frame);
	policy_add(policy, 0, frame);
}

struct policy policy_lru_exact = {
	.name = "lru-exact",
	.summary = "least recently used, exact: every change of page traps (slow)",
	.exact = true,
	.touch = touch,
	.victim = policy_take_oldest,
};
