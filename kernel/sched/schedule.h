/*
 * schedule.h: interleavings of the CPUs that a seed chooses (debug builds).
 *
 * Two strategies, chosen by the seed as all else is:
 *
 *   random  at each schedule_point() the CPU pauses with one and the same
 *           probability, so the next one goes on
 *   PCT     each CPU has a priority, and pauses while one of higher priority
 *           can go on; at d - 1 of the points, the CPU that reaches it gets the
 *           lowest one. Finds a bug of depth d with a probability of at least
 *           1 / (n k^(d-1)) for n CPUs and k points (Burckhardt et al., "A
 *           Randomized Scheduler with Probabilistic Guarantees of Finding Bugs",
 *           ASPLOS 2010).
 *
 * Under both, a thread's time may be over at a point where another is ready.
 * With -icount and one seed, everything happens again exactly so.
 */
#pragma once

#include "kernel/schedule_point.h"

/* What it chose, for whoever wants to know how much there was to choose. */
struct schedule_counts {
	uint64_t points; /* reached since schedule_begin() */
	uint64_t pauses; /* of these: the CPU let others go */
};

#ifdef DEBUG

#define SCHEDULE_AVAILABLE true

/* From here until schedule_end() the seed decides. Called by one CPU, once. */
void schedule_begin(uint64_t seed);
struct schedule_counts schedule_end(void);

/* Panics if what schedule_begin() began takes too long; for interrupts of the timer. */
void schedule_watch(void);

#else

#define SCHEDULE_AVAILABLE false

ALWAYS_INLINE void schedule_begin(uint64_t seed)
{
	(void)seed;
}

ALWAYS_INLINE struct schedule_counts schedule_end(void)
{
	return (struct schedule_counts){0, 0};
}

ALWAYS_INLINE void schedule_watch(void)
{
}

#endif
