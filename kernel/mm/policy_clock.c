/*
 * policy_clock.c: Corbato's CLOCK (1968): pages stand on a circle, a hand goes
 * round. A page whose accessed bit is set gets another round, the first one
 * without leaves, and the newcomer stands just behind the hand, so the hand
 * meets it last.
 *
 * The list is the circle, cut open at the hand: its oldest page is the one that
 * the hand points at, and to let the hand pass it is to move it to the young end.
 */
#include "kernel/mm/policy_internal.h"

struct policy policy_clock = {
	.name = "clock",
	.summary = "second chance on a circle, by accessed bits",
	.accessed = true,
	.rest_max = TAIL_PERCENT,
	.victim = policy_take_unused,
};
