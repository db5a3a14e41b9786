/*
 * kernel_pages.h: frames for the kernel itself, charged against the commit
 * limit, so that a promise to a process never depends on them.
 */
#pragma once

#include "kernel/mm/frame.h"

/*
 * A zeroed page in the direct map, state KERNEL; NULL if no more may be
 * promised. May evict pages, so it may sleep: no spinlock held, interrupts on.
 */
void *kernel_page_alloc(void);
void kernel_page_free(void *page);

/* The same as a frame number in state KERNEL or PAGE_TABLE; PFN_NONE on failure. */
pfn_t kernel_frame_alloc(enum frame_state state);
void kernel_frame_free(pfn_t pfn);

/* Tests: the n-th allocation from now fails, then again after `every` more; 0, 0: none. */
void kernel_pages_fail(uint64_t nth, uint64_t every);
/* Is it this one, of a kind of memory that does not come from here? */
bool kernel_pages_refused(void);
