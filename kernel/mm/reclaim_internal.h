/*
 * reclaim_internal.h: what leaving has in common for private and shared pages.
 */
#pragma once

#include "arch/x86_64/tlb.h"
#include "kernel/mm/frame.h"

enum eviction { EVICTION_DONE, EVICTION_DISOWNED, EVICTION_STAYS, EVICTION_FAILED };

/*
 * Evicts a page of an object that lru_take_victim() named; drops its reference
 * to the object. DONE: the frame is PRIVATE again and the caller's.
 * Interrupts are off, no spinlock held.
 */
enum eviction reclaim_evict_shared(struct frame *frame, struct flush_batch *batch);
