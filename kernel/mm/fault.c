/*
 * fault.c: the page fault of a process.
 *
 *   entry found      what happens                                    entry then
 *   none             no block there: the process ends                none
 *   untouched        a zeroed frame, or the program's initial data   present
 *   swapped          a frame; transit; the slot is read; kept        present
 *   resting          mapped again                                    present
 *   transit          another thread reads it: wait                   (look again)
 *   present          somebody was quicker, or write to read-only     present
 *   a shared page    fault_shared.c
 *
 * Invariants:
 *  1. A frame is had before any lock is taken; the entry is looked at again
 *     under its table's lock, and if it is another one by then the frame goes
 *     back and the access starts anew. Nothing is decided by the first look.
 *  2. An entry in transit is changed only by the thread that set it.
 * Locks: page_table, inside it lru. The wait for a frame, the reading of a
 * slot and the wait for somebody else's reading hold none.
 */
#include "kernel/mm/fault.h"

#include "arch/x86_64/page_bytes.h"
#include "arch/x86_64/trap.h"
#include "kernel/bugs.h"
#include "kernel/detour.h"
#include "kernel/mm/event.h"
#include "kernel/mm/exact.h"
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/fault_quick.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/turn.h"
#include "kernel/mm/vmap_internal.h"
#include "kernel/sched/gate.h"
#include "lib/string.h"

/* Threads that wait for pages being read by others. */
static struct {
	struct spinlock lock;
	struct wait_queue queue GUARDED_BY(lock);
	uint64_t waiting; /* atomic: raised before the entry is looked at */
} transit = {.lock = SPINLOCK(TRANSIT), .queue = WAIT_QUEUE(transit.queue)};

void fault_transit_wait(const pte_t *entry)
{
	uint64_t flags;

	COUNT(PGTRANSITWAIT);
	__atomic_fetch_add(&transit.waiting, 1, __ATOMIC_SEQ_CST);
	flags = spin_lock_irq(&transit.lock);
	while (pte_is_transit(pte_read(entry)))
		(void)wait_queue_sleep(&transit.queue, &transit.lock, WAIT_UNINTERRUPTIBLE);
	spin_unlock_irq(&transit.lock, flags);
	__atomic_fetch_sub(&transit.waiting, 1, __ATOMIC_RELAXED);
}

static SLOW_PATH void transit_wake(void)
{
	spin_lock(&transit.lock);
	wait_queue_wake_all(&transit.queue);
	spin_unlock(&transit.lock);
}

/* The entry was in transit and was exchanged (a full barrier) for another. Interrupts are off. */
ALWAYS_INLINE void transit_ended(void)
{
	if (UNLIKELY(READ_ONCE(transit.waiting)))
		transit_wake();
}

void fault_forget(const struct address_space *space)
{
	for (unsigned cpu = 0; cpu < cpu_count; cpu++)
		if (READ_ONCE(cpus[cpu].recent_space) == space)
			WRITE_ONCE(cpus[cpu].recent_space, RECENT_NONE);
}

/* The entry of a process's page, or NULL. */
static NOINLINE pte_t *entry_find(struct VMap *vmap, vaddr_t page)
{
	pte_t *entry;

	if (UNLIKELY(page >= PROCESS_END || page < PROCESS_FIRST))
		return NULL;
	entry = vmap_entry(vmap, page);
	if (LIKELY(entry))
		vmap_remember_entry(vmap, page, entry);
	return entry;
}

COLD void fault_give_back(pfn_t pfn)
{
	frames[pfn].flags = 0;
	reclaim_page_free(pfn);
}

/* The program's initial data of a page; beyond .data it is zero. */
static COLD void image_copy(pfn_t pfn, vaddr_t page)
{
	vaddr_t data_end = (vaddr_t)program_data_end;
	char *to = pfn_to_direct(pfn);

	page_zero(to);
	if (page < data_end)
		memcpy(to, program_image_load_start + (page - PROGRAM_BASE),
		       MIN(data_end - page, PAGE_SIZE));
}

/* untouched -> present. False: the entry changed meanwhile, look again. */
static NOINLINE bool serve_untouched(struct VMap *vmap, pte_t *entry, vaddr_t page, pte_t seen,
				     bool write)
{
	struct frame *table = vmap_table_of(entry);
	pfn_t pfn = reclaim_page_alloc();
	struct frame *frame;
	uint8_t flags = 0;

	if (UNLIKELY(pfn == PFN_NONE))
		return false;
	if (UNLIKELY(seen.bits & PTE_AWAY_IMAGE)) {
		image_copy(pfn, page);
		flags = PAGE_DIRTY; /* it is not all zero, so it cannot leave without a write */
	} else {
		page_zero(pfn_to_direct(pfn));
	}
	frame = &frames[pfn];
	frame_describe(frame, frame_head(flags, vmap->slot, SLOT_NONE), entry, page);
	spin_lock(&table->table.lock);
	if (UNLIKELY(!pte_replace(entry, seen, pte_make_present(pfn, seen.bits))) &&
	    !BUG_PLANTED(BUG_STALE_PTE)) {
		spin_unlock(&table->table.lock);
		fault_give_back(pfn);
		return false;
	}
	lru_insert(frame);
	spin_unlock(&table->table.lock);
	COUNT(PGMINFAULT);
	event_record(write ? EVENT_FAULT_WRITE : EVENT_FAULT_READ, vmap->pid, page, pfn, SLOT_NONE,
		     seen.bits);
	if (pte_is_plain_untouched(seen) && policy_accessed() && fault_wants_ahead(vmap, entry))
		fault_ahead(vmap, entry + 1, page + PAGE_SIZE);
	return true;
}

/* With few slots left a page that was read gives its slot up at once, and counts as dirty. */
static SLOW_PATH uint64_t slot_give_up(const struct VMap *vmap, uint32_t slot)
{
	swap_slot_free(slot);
	return frame_head(PAGE_LISTED | PAGE_DIRTY, vmap->slot, SLOT_NONE);
}

/* transit -> present, in the frame that it returns. Interrupts are off. */
ALWAYS_INLINE pfn_t transit_finish(const struct VMap *vmap, pte_t *entry, vaddr_t page,
				   uint32_t slot)
{
	pte_t on_way = pte_read(entry); /* who set it alone changes it */
	pfn_t pfn = pte_pfn(on_way);
	struct frame *frame = frame_at(pfn), *table = vmap_table_of(entry);
	uint64_t head = frame_head_with_slot(vmap->new_head, slot);

	if (UNLIKELY(swap_is_scarce()))
		head = slot_give_up(vmap, slot);
	spin_lock(&table->table.lock);
	frame_describe(frame, head, entry, page);
	(void)pte_exchange(entry, pte_arrived(on_way));
	lru_insert_quick(pfn);
	spin_unlock(&table->table.lock);
	if (BUG_PLANTED(BUG_FREE_SLOT_EARLY))
		swap_slot_free(slot);
	transit_ended();
	return pfn;
}

/* transit -> swapped again, because the slot could not be read. Interrupts are off. */
static COLD void transit_undo(pte_t *entry, pte_t seen)
{
	pfn_t pfn = pte_pfn(pte_read(entry));
	struct frame *table = vmap_table_of(entry);

	spin_lock(&table->table.lock);
	(void)pte_exchange(entry, seen);
	spin_unlock(&table->table.lock);
	fault_give_back(pfn);
	transit_ended();
}

enum served { SERVED, LOOK_AGAIN, LOST };

/*
 * swapped -> transit -> present, in the frame that *pfn tells. LOOK_AGAIN: the entry changed
 * meanwhile. LOST: it could not be read, and *why tells the reason.
 */
ALWAYS_INLINE enum served serve_swapped(pte_t *entry, vaddr_t page, pte_t seen, pfn_t *pfn,
					const char **why)
{
	struct frame *table = vmap_table_of(entry);

	*pfn = reclaim_page_alloc();
	if (UNLIKELY(*pfn == PFN_NONE))
		return LOOK_AGAIN;
	spin_lock(&table->table.lock);
	if (UNLIKELY(pte_read(entry).bits != seen.bits)) {
		spin_unlock(&table->table.lock);
		fault_give_back(*pfn);
		return LOOK_AGAIN;
	}
	pte_write(entry, pte_make_transit(*pfn, pte_kept_flags(seen)));
	spin_unlock(&table->table.lock);
	*why = swap_read(pfn_to_direct(*pfn), pte_place(seen));
	if (UNLIKELY(*why)) {
		transit_undo(entry, seen);
		return LOST;
	}
	*pfn = transit_finish(vmap_current(), entry, page, pte_slot(seen));
	COUNT(PGMAJFAULT);
	return SERVED;
}

/* resting -> present. False: look again. */
static NOINLINE bool serve_resting(const struct VMap *vmap, pte_t *entry, vaddr_t page, pte_t seen,
				   bool write)
{
	struct frame *table = vmap_table_of(entry);
	pfn_t pfn = pte_pfn(seen);

	spin_lock(&table->table.lock);
	if (UNLIKELY(pte_read(entry).bits != seen.bits)) {
		spin_unlock(&table->table.lock);
		return false;
	}
	pte_write(entry, pte_make_present(pfn, seen.bits));
	lru_touch(&frames[pfn]);
	spin_unlock(&table->table.lock);
	COUNT(PGSOFTFAULT);
	event_record(write ? EVENT_FAULT_WRITE : EVENT_FAULT_READ, vmap->pid, page, pfn, SLOT_NONE,
		     seen.bits);
	return true;
}

/* Whatever the entry is. False: it is another one by now, look again. */
static bool serve_entry(struct VMap *vmap, pte_t *entry, vaddr_t page, pte_t seen, uint64_t error,
			enum fault_reason *reason, const char **detail)
{
	bool write = error & FAULT_WRITE;
	enum served served;
	pfn_t pfn;

	if (seen.bits & PTE_SHARED)
		return fault_shared(vmap, entry, page, seen, error, reason, detail);
	if (pte_is_none(seen)) {
		*reason = FAULT_BAD_ADDRESS;
		*detail = "no block is there";
		return true;
	}
	if (error & FAULT_EXECUTE || (write && !pte_is_writable(seen))) {
		*reason = FAULT_FORBIDDEN;
		return true;
	}
	switch (pte_kind(seen)) {
	case PTE_KIND_UNTOUCHED:
		return serve_untouched(vmap, entry, page, seen, write);
	case PTE_KIND_SWAPPED:
		served = serve_swapped(entry, page, seen, &pfn, detail);
		if (served == LOST)
			*reason = FAULT_SWAP_LOST;
		if (served == SERVED) {
			lru_inserted();
			event_record(write ? EVENT_FAULT_WRITE : EVENT_FAULT_READ, vmap->pid, page,
				     pfn, pte_slot(seen), seen.bits);
		}
		return served != LOOK_AGAIN;
	case PTE_KIND_RESTING:
		return serve_resting(vmap, entry, page, seen, write);
	case PTE_KIND_TRANSIT:
		fault_transit_wait(entry);
		return false;
	default: /* present: another thread was quicker */
		COUNT(PGSPURIOUS);
		tlb_flush_local(page);
		return true;
	}
}

/*
 * Serves one access to a page of `vmap`, loaded on this CPU. entry: the page's,
 * or NULL if there is no table. error: the processor's error code. Returns
 * FAULT_OK when the access may be tried again, else *detail may get a sentence.
 * Interrupts are off; they may be on meanwhile.
 */
static NOINLINE enum fault_reason fault_serve(struct VMap *vmap, pte_t *entry, vaddr_t page,
					      uint64_t error, const char **detail)
{
	enum fault_reason reason = FAULT_OK;

	if (UNLIKELY(!entry)) /* the kernel's half may be mapped, but not so */
		return error & FAULT_PROTECTION ? FAULT_FORBIDDEN : FAULT_BAD_ADDRESS;
	while (UNLIKELY(!serve_entry(vmap, entry, page, pte_read(entry), error, &reason, detail)))
		if (UNLIKELY(reclaim_gives_up()))
			return FAULT_KILLED;
	if (LIKELY(reason == FAULT_OK))
		recent_set(vmap, entry, page);
	return reason;
}

/* How every fault ends but for a quick one. May not return. False: not served. */
static NOINLINE bool fault_end(struct trap_frame *frame, vaddr_t address, enum fault_reason reason,
			       const char *detail)
{
	struct thread *thread = thread_current();

	if (UNLIKELY(reason != FAULT_OK)) {
		thread->unserved.address = address;
		thread->unserved.reason = reason;
		thread->unserved.detail = detail;
		return false;
	}
	if (UNLIKELY(policy_current->exact))
		exact_mapped(frame, address & PAGE_MASK);
	/* The trap after the instruction ends the turn: a loop of it may wait for others. */
	if (UNLIKELY(thread->turn))
		frame->rflags |= RFLAGS_TF;
	fault_leave(thread);
	return true;
}

/*
 * Any fault: may wait, and may not come back. entry: the page's, or NULL if it is not
 * known. False: fault_handle_fatal() is to see to it, inside the gate if it is not ours.
 */
static NOINLINE bool fault_handle_fully(struct trap_frame *frame, vaddr_t address, pte_t *entry)
{
	struct thread *thread = thread_current();
	enum fault_reason reason = FAULT_STACK;
	const char *detail = NULL;

	if (UNLIKELY(fault_is_ours(frame)))
		return false;
	DEBUG_ASSERT(lock_debug_count() == 0);
	gate_enter_anyhow();
	if (LIKELY((vaddr_t)frame >= thread->stack_base + STACK_RESERVE_BYTES)) {
		struct VMap *vmap = vmap_current();

		turn_fault(thread, frame, address & PAGE_MASK);
		COUNT(PGFAULT);
		if (LIKELY(THIS_CPU->recent_space == &vmap->space && policy_accessed()))
			recent_clear();
		if (!entry)
			entry = entry_find(vmap, address & PAGE_MASK);
		reason = fault_serve(vmap, entry, address & PAGE_MASK, frame->error, &detail);
	}
	return fault_end(frame, address, reason, detail);
}

/* The straight line of fault_handle_swapped() is left. */
static COLD bool fault_go_on(struct trap_frame *frame, vaddr_t address, pte_t *entry,
			     enum served served, const char *why)
{
	enum fault_reason reason = FAULT_SWAP_LOST;
	const char *detail = NULL;

	if (served == LOST)
		detail = why;
	else
		reason = fault_serve(vmap_current(), entry, address & PAGE_MASK, frame->error,
				     &detail);
	return fault_end(frame, address, reason, detail);
}

/*
 * A page that is away: mostly it is read back in one straight line, by what
 * fault_handle_fully() does for it. The last fault here was in this address space.
 */
static NOINLINE bool fault_handle_swapped(struct trap_frame *frame, vaddr_t address, pte_t *entry,
					  pte_t seen)
{
	struct thread *thread = thread_current();
	vaddr_t page = address & PAGE_MASK;
	const struct VMap *vmap;
	enum served served;
	const char *why = NULL;
	pfn_t pfn;

	if (UNLIKELY(!is_usual(frame, thread)) ||
	    UNLIKELY(frame->error & FAULT_WRITE && seen.bits & PTE_AWAY_READ_ONLY))
		return fault_handle_fully(frame, address, entry);
	DEBUG_ASSERT(lock_debug_count() == 0);
	__atomic_fetch_add(&thread->gate_depth, 1, __ATOMIC_SEQ_CST);
	if (UNLIKELY(detour_any())) {
		thread->gate_depth--;
		return fault_handle_fully(frame, address, entry);
	}
	COUNT(PGFAULT);
	recent_clear(); /* before it may wait, and go on on another CPU */
	window_note(thread, frame, page);
	served = serve_swapped(entry, page, seen, &pfn, &why);
	if (UNLIKELY(served != SERVED))
		return fault_go_on(frame, address, entry, served, why);
	vmap = vmap_current();
	event_record_only(event_of(frame), vmap->pid, page, pfn, pte_slot(seen), PTE_KIND_SWAPPED);
	recent_set(vmap, entry, page);
	thread = thread_current();
	if (UNLIKELY(READ_ONCE(thread->attention)) || UNLIKELY(THIS_CPU->need_resched))
		return fault_end(frame, address, FAULT_OK, NULL);
	thread->gate_depth--;
	return true;
}

/* A plain untouched entry: mostly it is served in one straight line. */
static NOINLINE bool fault_handle_untouched(struct trap_frame *frame, vaddr_t address, pte_t *entry)
{
	return LIKELY(fault_quick(frame, address & PAGE_MASK, entry)) ||
	       fault_handle_fully(frame, address, entry);
}

/* A fault in a table that the VMap does not remember. */
static NOINLINE bool fault_handle_anywhere(struct trap_frame *frame, vaddr_t address)
{
	pte_t *entry = entry_find(vmap_current(), address & PAGE_MASK);
	pte_t seen;

	if (LIKELY(entry) && LIKELY(pte_is_swapped(seen = pte_read(entry))))
		return fault_handle_swapped(frame, address, entry, seen);
	return fault_handle_fully(frame, address, entry);
}

bool fault_handle(struct trap_frame *frame)
{
	vaddr_t address = cpu_fault_address();
	pte_t *entry, seen;

	schedule_point();
	if (UNLIKELY(THIS_CPU->space != THIS_CPU->recent_space))
		return fault_handle_fully(frame, address, NULL);
	/* Mostly the same table is meant again, or another that the VMap remembers. */
	if (!recent_has_table(address)) {
		entry = vmap_recent_entry(vmap_current(), address);
		if (UNLIKELY(!entry))
			return fault_handle_anywhere(frame, address);
		seen = pte_read(entry);
	} else {
		entry = recent_table_entry(address);
		seen = pte_read(entry);
		if (LIKELY(pte_is_plain_untouched(seen)))
			return fault_handle_untouched(frame, address, entry);
	}
	if (LIKELY(pte_is_swapped(seen)))
		return fault_handle_swapped(frame, address, entry, seen);
	return fault_handle_fully(frame, address, entry);
}
