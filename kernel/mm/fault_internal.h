/*
 * fault_internal.h: what vmap and the files of fault share.
 */
#pragma once

#include "arch/x86_64/pte.h"
#include "arch/x86_64/tlb.h"
#include "arch/x86_64/trap.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/policy.h"
#include "kernel/mm/vmap.h"

/* Waits while the entry is in transit. No spinlock held; interrupts may be off: on while it waits.
 */
void fault_transit_wait(const pte_t *entry);

/* The address space goes away: what CPUs remember of its last fault is forgotten. */
void fault_forget(const struct address_space *space);

/*
 * Serves an access to a page whose entry has PTE_SHARED. As fault_serve(), but
 * false: the entry changed meanwhile, look again.
 */
bool fault_shared(struct VMap *vmap, pte_t *entry, vaddr_t page, pte_t seen, uint64_t error,
		  enum fault_reason *reason, const char **detail);

/* Panics and names the entry. */
NORETURN void fault_reserved_bit(const struct trap_frame *frame, vaddr_t address);

/*
 * The page mapped by this CPU's previous fault: its accessed bit was set by the
 * retried access, which says nothing. Cleared now, it comes back if the page
 * is used again. For a policy that looks at accessed bits. Interrupts are off;
 * no lock: see pte_test_and_clear_accessed().
 */
ALWAYS_INLINE void recent_clear(void)
{
	if (pte_test_and_clear_accessed(THIS_CPU->recent_entry))
		tlb_flush_local(THIS_CPU->recent_address);
}

ALWAYS_INLINE void recent_set(const struct VMap *vmap, pte_t *entry, vaddr_t page)
{
	THIS_CPU->recent_space = &vmap->space;
	THIS_CPU->recent_entry = entry;
	THIS_CPU->recent_address = page;
}

/* Lies the address in the table of this CPU's last fault? That was in the same address space. */
ALWAYS_INLINE bool recent_has_table(vaddr_t address)
{
	return LIKELY((address ^ THIS_CPU->recent_address) < TABLE_SPAN);
}

/* Then: its entry there. In what the two addresses differ, the addresses of the entries do. */
ALWAYS_INLINE pte_t *recent_table_entry(vaddr_t address)
{
	uint64_t difference = address ^ THIS_CPU->recent_address;

	return (pte_t *)((vaddr_t)THIS_CPU->recent_entry ^ difference / PAGE_SIZE * sizeof(pte_t));
}

/*
 * Describes the page in its frame's descriptor. head: frame_head(). Who looks for a slot to take
 * (evict_content.c) goes by PAGE_LISTED, so that comes last: what the frame's former page
 * left there must not be taken for this one's.
 */
ALWAYS_INLINE void frame_describe(struct frame *frame, uint64_t head, const pte_t *entry,
				  vaddr_t page)
{
	frame->page.address = page;
	frame->page.entry = pte_number(entry);
	schedule_point();
	frame_head_store(frame, head);
}

/*
 * Is a first touch to map neighbours too? The page after it is as untouched, and
 * the one before it was used, or no block is there.
 */
ALWAYS_INLINE bool fault_wants_ahead(const struct VMap *vmap, const pte_t *entry)
{
	pte_t before;

	if (vmap->neighbours == 1 || UNLIKELY((vaddr_t)(entry + 1) % PAGE_SIZE == 0) ||
	    !pte_is_plain_untouched(pte_read(entry + 1)))
		return false;
	if (UNLIKELY((vaddr_t)entry % PAGE_SIZE == 0)) /* the one before is in another table */
		return true;
	before = pte_read(entry - 1);
	return pte_is_none(before) ||
	       (pte_is_present(before) && before.bits & (PTE_ACCESSED | PTE_DIRTY));
}

/*
 * fault_ahead.c: maps the plain untouched pages from `page` on, whose entry is the
 * first one given, up to the VMap's number of neighbours. Interrupts are off, the gate
 * is entered, no spinlock is held.
 */
void fault_ahead(struct VMap *vmap, pte_t *entry, vaddr_t page);

/*
 * Maps the plain untouched pages from `page` on, at most NEIGHBOURS_MAX and all in one table,
 * with the frames that they had before, which are zeroed first. Another CPU may have kept such
 * a translation, and stores by it are not noted in the entry: so it is dirty from the
 * beginning. Returns how many, as an entry may be another by now. Interrupts are off, no
 * spinlock is held.
 */
unsigned fault_map_again(struct VMap *vmap, pte_t *entry, vaddr_t page, const pfn_t *pfns,
			 unsigned count);

/* Gives back the frame of a page that was described and is not mapped after all. */
void fault_give_back(pfn_t pfn);

/* Is it our own bug, whosever address it is? */
ALWAYS_INLINE bool fault_is_ours(const struct trap_frame *frame)
{
	return frame->error & FAULT_RESERVED || !(frame->rflags & RFLAGS_IF) || !THIS_CPU->space;
}

/* The last of a fault: out of the gate, and others may run. */
ALWAYS_INLINE void fault_leave(struct thread *thread)
{
	thread->gate_depth--;
	if (UNLIKELY(READ_ONCE(thread->killed) || THIS_CPU->need_resched))
		sched_preempt(true);
}
