/*
 * release_quick.h: the quick half of pages_release(), for one page that was touched
 * only just now, by this CPU: the last use of most small blocks.
 *
 * Locks: page_table outside the inbox's. Invariants: those of release.c.
 */
#pragma once

#include "kernel/bugs.h"
#include "kernel/mm/event.h"
#include "kernel/mm/lru_inbox.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/vmap.h"

/*
 * Releases the page of an entry, if it is in memory, private, without a slot, and the
 * newest of this CPU. False: it is not so, and nothing was changed. The VMap's mutex is
 * held, interrupts are off. Does not sleep.
 */
ALWAYS_INLINE bool page_release_quick(const struct VMap *vmap, pte_t *entry, vaddr_t page)
{
	struct frame *table = vmap_table_of(entry);
	pte_t old;
	pfn_t pfn;

	spin_lock(&table->table.lock);
	old = pte_read(entry);
	pfn = pte_pfn(old);
	if (UNLIKELY((old.bits & (PTE_PRESENT | PTE_SHARED)) != PTE_PRESENT) ||
	    UNLIKELY(frames[pfn].slot != SLOT_NONE) || UNLIKELY(!lru_remove_quick(pfn))) {
		spin_unlock(&table->table.lock);
		return false;
	}
	(void)pte_exchange(entry, PTE_NONE);
	spin_unlock(&table->table.lock);
	event_record(EVENT_FREE, vmap->pid, page, pfn, SLOT_NONE, PTE_PRESENT);
	if (!BUG_PLANTED(BUG_NO_FREE_SHOOTDOWN))
		tlb_flush_page(address_space_active(&vmap->space), page);
	reclaim_page_free(pfn);
	return true;
}
