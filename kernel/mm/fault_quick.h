/*
 * fault_quick.h: the first touch of a page while memory is plenty, which is
 * most faults of a young process.
 *
 * What fault_serve() does for such a fault, in one straight line: untouched ->
 * present with a zeroed frame. Whatever is not usual goes the long way, and
 * nothing has been changed by then:
 *
 *   a page that is present, away, none or read-only; an instruction fetch
 *   another 2 MiB than this CPU's last fault; another address space
 *   no frame below the resident limit; whatever sends all faults there (kernel/detour.h)
 *   a thread that has the turn, or little stack left
 *   interrupts off where it happened
 *
 * It never waits, so it need not note the page in the thread's window
 * (turn.h): while there are frames, nobody's pages are evicted; once there are
 * none, the fault goes the long way.
 *
 * Locks: page_table. Invariants: those of fault.c.
 */
#pragma once

#include "arch/x86_64/page_bytes.h"
#include "arch/x86_64/trap.h"
#include "kernel/bugs.h"
#include "kernel/detour.h"
#include "kernel/mm/event.h"
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/lru_inbox.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/vmap.h"
#include "kernel/sched/gate.h"

/* Nothing about the fault is unusual, as far as the thread can tell. */
ALWAYS_INLINE bool is_usual(const struct trap_frame *frame, const struct thread *thread)
{
	return LIKELY((frame->error & ~(uint64_t)FAULT_WRITE) == 0) &&
	       LIKELY(frame->rflags & RFLAGS_IF) && LIKELY((vaddr_t)frame >= thread->fault_floor);
}

/* Which event such a fault is. */
ALWAYS_INLINE enum event_kind event_of(const struct trap_frame *frame)
{
	STATIC_ASSERT(EVENT_FAULT_WRITE == EVENT_FAULT_READ + 1);
	return EVENT_FAULT_READ + (enum event_kind)(frame->error / FAULT_WRITE);
}

/* The frame is zeroed, described and mapped; false: the entry changed meanwhile. */
ALWAYS_INLINE bool map_zeroed(const struct VMap *vmap, pte_t *entry, vaddr_t page, pfn_t pfn)
{
	struct frame *table = vmap_table_of(entry);

	page_zero(pfn_to_direct(pfn));
	frame_describe(&frames[pfn], vmap->new_head, entry, page);
	spin_lock(&table->table.lock);
	if (UNLIKELY(!pte_replace(entry, pte_make_untouched(0), pte_make_present(pfn, 0))) &&
	    !BUG_PLANTED(BUG_STALE_PTE)) {
		spin_unlock(&table->table.lock);
		return false;
	}
	lru_insert_quick(pfn);
	spin_unlock(&table->table.lock);
	return true;
}

/*
 * Serves the fault if it is a usual first touch of the page, whose entry, read as
 * plain untouched, recent_table_entry() has told. False: it is not usual, and
 * nothing was changed.
 */
ALWAYS_INLINE bool fault_quick(const struct trap_frame *frame, vaddr_t page, pte_t *entry)
{
	struct thread *thread = thread_current();
	struct VMap *vmap = CONTAINER_OF(THIS_CPU->space, struct VMap, space);
	bool ahead;
	pfn_t pfn;

	if (UNLIKELY(!is_usual(frame, thread)))
		return false;
	/* Interrupts stay off, so it is inside until it is done, and nobody sees it half done. */
	__atomic_fetch_add(&thread->gate_depth, 1, __ATOMIC_SEQ_CST);
	if (UNLIKELY(detour_any()) || UNLIKELY((pfn = reclaim_page_try_alloc()) == PFN_NONE)) {
		thread->gate_depth--;
		return false;
	}
	/* Before the accessed bit of the last fault's page is cleared. */
	ahead = fault_wants_ahead(vmap, entry);
	recent_clear();
	if (LIKELY(map_zeroed(vmap, entry, page, pfn))) {
		COUNT(PGFAULT);
		COUNT(PGMINFAULT);
		event_record_only(event_of(frame), vmap->pid, page, pfn, SLOT_NONE,
				  PTE_KIND_UNTOUCHED);
		THIS_CPU->recent_entry = entry; /* of the same table */
		THIS_CPU->recent_address = page;
		if (ahead)
			fault_ahead(vmap, entry + 1, page + PAGE_SIZE);
	} else {
		fault_give_back(pfn); /* and whoever changed it may have served the access */
	}
	thread_current()->gate_depth--;
	return true;
}
