/*
 * detour.h: does every fault take the long way?
 *
 * Mostly a fault is served in one straight line (mm/fault_quick.h, mm/fault.c). Those who want
 * more of it than that each have a bit of one word, so that the line looks only once. Whoever
 * is on the line already stays there.
 */
#pragma once

#include "lib/types.h"

enum detour {
	DETOUR_GATE = 1,   /* the gates are closed (sched/gate.c) */
	DETOUR_POLICY = 2, /* the policy looks at no accessed bits, or is exact (mm/policy.h) */
	DETOUR_TELL = 4    /* events are printed as they happen (mm/event.h) */
};

extern unsigned detours;

/* A full barrier. Calls for one reason are in some lock's order. */
ALWAYS_INLINE void detour_set(enum detour reason, bool on)
{
	if (on)
		__atomic_fetch_or(&detours, reason, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&detours, ~(unsigned)reason, __ATOMIC_SEQ_CST);
}

ALWAYS_INLINE bool detour_any(void)
{
	return READ_ONCE(detours);
}
