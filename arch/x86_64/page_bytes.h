/*
 * page_bytes.h: moving the bytes of whole pages: the leaf routines that may
 * use vector registers, because they run with interrupts off and nobody else
 * in the kernel uses any. Those that are called where interrupts are on turn them off.
 *
 * With AVX a page goes in 128 steps of 32 bytes, without in 256 of 16.
 */
#pragma once

#include "arch/x86_64/cpu.h"
#include "lib/assert.h"
#include "lib/types.h"

/* What came of copying a page; returned in two registers. */
struct page_copied {
	uint64_t sum;  /* page_sum() of the bytes that passed */
	int64_t error; /* 0, or -EIO */
};

extern void (*page_zero_routine)(void *page);
extern struct page_copied (*page_copy_sum_routine)(void *to, const void *from);

/*
 * Addresses are page-aligned, in the direct map. Interrupts are off. The routine for
 * zeroing changes no general register, so who calls it here need save none.
 */
ALWAYS_INLINE void page_zero(void *page)
{
	DEBUG_ASSERT(!irq_enabled());
	__asm__ volatile("call *page_zero_routine(%%rip)" : : "D"(page) : "memory");
}

/* The same of several frames, count >= 1. Interrupts are off. */
void pages_zero(const pfn_t *pfns, uint64_t count);

void page_copy(void *to, const void *from);

/*
 * Interrupts are off. Copies without an error, as a device that never fails, and sums the
 * bytes; page_bytes.S has the formula. The sum changes with every flipped bit, and, but for
 * one case in 2^64, with a part of the page replaced by other bytes and with parts of 64
 * bytes exchanged (unless they differ only in the upper four bits of words of 64). The
 * same with and without AVX.
 */
ALWAYS_INLINE struct page_copied page_copy_sum(void *to, const void *from)
{
	DEBUG_ASSERT(!irq_enabled());
	return page_copy_sum_routine(to, from);
}

uint64_t page_sum(const void *page);

bool page_is_zero_throughout(const void *page);

/* Is every byte zero? Quick where the first bytes are not, or those in the middle. */
ALWAYS_INLINE bool page_is_zero(const void *page)
{
	const uint64_t *words = page;

	return UNLIKELY((words[0] | words[PAGE_SIZE / 16]) == 0) && page_is_zero_throughout(page);
}

/* Chooses the routines by cpu_features. */
void page_bytes_init(void);
