/*
 * count_lock.h: a count that is the lock of what it counts: a short array of one
 * CPU's, which others look into now and then (a magazine of mm/frame.c, an inbox
 * of mm/lru.c). Whoever works on the array exchanges the count for COUNT_BUSY and
 * puts the new count back, with interrupts off; nothing is waited for meanwhile (but in
 * mm/quarantine.c, which does not take it by count_take()).
 */
#pragma once

#include "kernel/schedule_point.h"
#include "lib/types.h"

#define COUNT_BUSY 0xffffffffu

/* The count, or COUNT_BUSY: another CPU has it just now, and the caller does not. */
ALWAYS_INLINE uint32_t count_try_take(uint32_t *count)
{
	return __atomic_exchange_n(count, COUNT_BUSY, __ATOMIC_ACQUIRE);
}

/* The count, once nobody has it; it is the caller's to put back. */
static inline uint32_t count_take(uint32_t *count)
{
	uint32_t taken;

	while ((taken = count_try_take(count)) == COUNT_BUSY)
		schedule_wait();
	return taken;
}

ALWAYS_INLINE void count_put(uint32_t *count, uint32_t value)
{
	__atomic_store_n(count, value, __ATOMIC_RELEASE);
}
