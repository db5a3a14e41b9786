/*
 * reclaim_internal.h: what leaving has in common for private and shared pages.
 */
#pragma once

#include "arch/x86_64/pte.h"
#include "arch/x86_64/tlb.h"
#include "kernel/bugs.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/vmap.h"

enum eviction { EVICTION_DONE, EVICTION_DISOWNED, EVICTION_STAYS, EVICTION_FAILED };

/* The page stays, on the policy's lists, as it was touched or (SLOT_FAILED) could not be saved. */
enum eviction eviction_undo(struct frame *frame, uint32_t slot);

/*
 * present -> resting, or resting once more, as `old` is what the entry has: what the
 * processor noted goes to the descriptor, the address into the batch. The page_table
 * lock is held.
 */
ALWAYS_INLINE void entry_let_rest(pte_t *entry, pte_t old, struct frame *frame, vaddr_t address,
				  const struct VMap *vmap, struct flush_batch *batch)
{
	old = pte_exchange(entry, pte_let_rest(old));
	if (old.bits & PTE_DIRTY && pte_is_present(old) && !BUG_PLANTED(BUG_LOSE_DIRTY))
		frame_flag_set(frame, PAGE_DIRTY);
	/* A resting page too: whoever let it rest may not have flushed yet. */
	if (!BUG_PLANTED(BUG_NO_SHOOTDOWN))
		flush_batch_add(batch, address_space_active(&vmap->space), address);
}

/*
 * Evicts a page of an object that lru_take_victim() named; drops its reference
 * to the object. DONE: the frame is PRIVATE again and the caller's.
 * Interrupts are off, no spinlock held.
 */
enum eviction reclaim_evict_shared(struct frame *frame, struct flush_batch *batch);
