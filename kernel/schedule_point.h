/*
 * schedule_point.h: where another CPU may be let go first.
 *
 * Under QEMU's icount all CPUs share one thread of the host, and the one that
 * executes PAUSE hands over to the next. So a debug build can choose an
 * interleaving: at each of these points a seeded generator decides who goes on
 * (kernel/sched/schedule.h). The points stand before and after what several
 * CPUs can see: locks, page-table entries, shootdowns, page faults.
 *
 * A release build has none of this.
 */
#pragma once

#include "lib/types.h"

#ifdef DEBUG

extern bool schedule_exploring;

/* Out of line: see kernel/sched/schedule.c. */
void schedule_decide(void);
void schedule_decide_waiting(void);

/* Any context, interrupts on or off, locks held or not. */
ALWAYS_INLINE void schedule_point(void)
{
	if (UNLIKELY(READ_ONCE(schedule_exploring)))
		schedule_decide();
}

/*
 * PAUSE of a CPU that cannot go on until another one has done something, in a
 * loop that asks whether it has.
 */
ALWAYS_INLINE void schedule_wait(void)
{
	if (UNLIKELY(READ_ONCE(schedule_exploring)))
		schedule_decide_waiting();
	else
		__asm__ volatile("pause" : : : "memory");
}

#else

ALWAYS_INLINE void schedule_point(void)
{
}

ALWAYS_INLINE void schedule_wait(void)
{
	__asm__ volatile("pause" : : : "memory");
}

#endif
