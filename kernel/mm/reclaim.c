/*
 * reclaim.c: how a page leaves memory.
 *
 *   listed ----> evicting ---------------------------------> frame free again
 *     ^            |  1. off the lists                       (lru lock)
 *     |            |  2. entry: present -> resting           (page_table lock)
 *     |            |  3. shootdown, acknowledged
 *     |            |     (2 and 3 were done before for a page off the tail: lru_tail.c)
 *     |            |  4. written to its slot if dirty
 *     |            |  5. entry still resting: -> swapped or untouched
 *     |            |     freed meanwhile (disowned): frame and slot released
 *     +------------+     touched meanwhile: it stays
 *
 * Invariants:
 *  1. From PAGE_EVICTING on the evictor alone releases the frame; whoever frees
 *     the page meanwhile only marks it PAGE_DISOWNED.
 *  2. An evictor holds a reference to the VMap, so the tables stay.
 *  3. From PAGE_EVICTING on nobody else changes frame->slot, nor PAGE_DIRTY of a page
 *     that is PAGE_FLUSHED: the evictor looks at both without a lock.
 *  4. resident counts the frames of process pages, those in flight included;
 *     it never exceeds the limit, but for a limit just lowered.
 * Locks: page_table outside lru. An evictor holds at most one of each and
 * waits with none.
 */
#include "kernel/mm/reclaim.h"

#include "kernel/bugs.h"
#include "kernel/mm/check.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/event.h"
#include "kernel/mm/evict_content.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/lru_internal.h"
#include "kernel/mm/policy_internal.h"
#include "kernel/mm/quarantine.h"
#include "kernel/mm/reclaim_internal.h"
#include "kernel/mm/vmap.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"

uint64_t reclaim_resident_count __attribute__((aligned(64)));

uint64_t reclaim_resident(void)
{
	return READ_ONCE(reclaim_resident_count);
}

void reclaim_wait(void)
{
	uint64_t flags = irq_save();

	irq_enable();
	thread_yield();
	irq_restore(flags);
}

bool reclaim_gives_up(void)
{
	const struct thread *thread = thread_current();

	return READ_ONCE(thread->killed) && thread->process &&
	       (thread->gate_depth == 1 || thread->copying);
}

/* With no more pages resident than so many memory is plenty. */
static uint64_t resident_plenty(void)
{
	uint64_t max = commit_resident_max();

	return max - max / 4;
}

bool reclaim_is_plenty(void)
{
	return reclaim_resident() <= resident_plenty();
}

unsigned reclaim_pages_try_alloc(pfn_t *pfns, unsigned wanted)
{
	unsigned got;

	if (!resident_try_raise(wanted, resident_plenty()))
		return 0;
	got = frame_alloc_some(FRAME_PRIVATE, pfns, wanted);
	if (UNLIKELY(got < wanted))
		resident_lower(wanted - got);
	return got;
}

void reclaim_pages_free(const pfn_t *pfns, unsigned count)
{
	frame_free_some(pfns, count);
	resident_lower(count);
}

void reclaim_page_convert(pfn_t pfn, enum frame_state state)
{
	frame_set_state(pfn, FRAME_PRIVATE, state);
	resident_lower(1);
}

/* Step 2. Anything but DONE: there is nothing to write. */
static enum eviction unmap(struct frame *frame, struct VMap *vmap, struct flush_batch *batch)
{
	pte_t *entry = policy_entry(frame);
	struct frame *table = policy_table(frame);
	enum eviction result = EVICTION_DONE;
	pte_t old;

	spin_lock(&table->table.lock);
	if (UNLIKELY(frame_flag(frame, PAGE_DISOWNED))) {
		result = EVICTION_DISOWNED;
	} else if (UNLIKELY(frame_flag(frame, PAGE_TOUCHED))) {
		result = EVICTION_STAYS;
	} else {
		old = pte_read(entry);
		ASSERT(pte_has_frame(old) && pte_pfn(old) == frame_pfn(frame));
		entry_let_rest(entry, old, frame, frame->page.address, vmap, batch);
	}
	spin_unlock(&table->table.lock);
	return result;
}

/* Steps 2 and 3, for a page that no shootdown was sent for. */
static SLOW_PATH enum eviction unmap_and_flush(struct frame *frame, struct VMap *vmap,
					       struct flush_batch *batch)
{
	enum eviction result = unmap(frame, vmap, batch);

	if (!BUG_PLANTED(BUG_EARLY_REUSE))
		flush_batch_send(batch);
	return result;
}

enum eviction eviction_undo(struct frame *frame, uint32_t slot)
{
	frame->slot = slot_is_one(slot) ? slot : SLOT_NONE;
	lru_put_back(frame);
	COUNT(PGACTIVATE);
	return slot == SLOT_FAILED ? EVICTION_FAILED : EVICTION_STAYS;
}

/*
 * Step 5, where the page has not simply gone to its slot: it was freed or touched, or is all
 * zero, or could not be saved. The page_table lock is held.
 */
static SLOW_PATH enum eviction settle_otherwise(struct frame *frame, const struct VMap *vmap,
						uint32_t slot)
{
	pte_t *entry = policy_entry(frame);
	pte_t old = pte_read(entry);

	if (frame_flag(frame, PAGE_DISOWNED))
		return EVICTION_DISOWNED;
	if (slot == SLOT_NONE && pte_is_resting(old) && !frame_flag(frame, PAGE_TOUCHED)) {
		pte_write(entry, pte_make_untouched(pte_kept_flags(old)));
		return EVICTION_DONE;
	}
	event_record(EVENT_STAY, vmap->pid, frame->page.address, frame_pfn(frame),
		     slot_is_one(slot) ? slot : SLOT_NONE, frame_flag(frame, PAGE_DIRTY));
	return eviction_undo(frame, slot);
}

/* Step 5: what became of the page while it was being written. */
ALWAYS_INLINE enum eviction settle(struct frame *frame, const struct VMap *vmap, uint32_t slot)
{
	pte_t *entry = policy_entry(frame);
	struct frame *table = policy_table(frame);
	enum eviction result = EVICTION_DONE;
	pte_t old;

	spin_lock(&table->table.lock);
	old = pte_read(entry);
	if (UNLIKELY(frame_flag(frame, PAGE_DISOWNED | PAGE_TOUCHED)) ||
	    UNLIKELY(!pte_is_resting(old)) || UNLIKELY(!slot_is_one(slot)))
		result = settle_otherwise(frame, vmap, slot);
	else
		pte_write(entry, pte_make_swapped(swap_slot_place(slot), pte_kept_flags(old)));
	spin_unlock(&table->table.lock);
	return result;
}

/* The page was freed meanwhile: what it had is released here. */
static COLD void release_disowned(const struct frame *frame, const struct VMap *vmap, uint32_t slot)
{
	/* It may have been mapped again before it was freed, and its freer may not have flushed
	 * yet. */
	tlb_shootdown(address_space_active(&vmap->space), &frame->page.address, 1);
	if (slot_is_one(slot))
		swap_slot_free(slot);
}

/*
 * Steps 4 and 5. unmapped: what came of the steps before. The reference to the VMap is
 * given back.
 */
ALWAYS_INLINE enum eviction save_and_settle(struct frame *frame, struct VMap *vmap,
					    enum eviction unmapped)
{
	uint32_t slot = frame->slot;
	enum eviction result;

	if (LIKELY(unmapped == EVICTION_DONE))
		slot = frame_flag(frame, PAGE_DIRTY) ? evict_content_save(frame_pfn(frame), slot)
						     : evict_content_keep(slot);
	result = settle(frame, vmap, slot);
	if (UNLIKELY(result == EVICTION_DISOWNED)) {
		release_disowned(frame, vmap, slot);
		slot = slot_is_one(slot) ? slot : SLOT_NONE;
		result = EVICTION_DONE;
	}
	if (LIKELY(result == EVICTION_DONE)) {
		event_record(EVENT_EVICT, vmap->pid, frame->page.address, frame_pfn(frame), slot,
			     frame_flag(frame, PAGE_DIRTY));
		COUNT(PGSTEAL);
		frame->flags = 0;
	}
	lru_unhold(vmap);
	return result;
}

/* Steps 1 to 5; where it is time, more pages are put to rest. DONE: *pfn is the frame. */
static enum eviction evict_oldest(pfn_t *pfn)
{
	vaddr_t addresses[TLB_FLUSH_ALL];
	struct flush_batch batch;
	struct VMap *vmap = NULL;
	enum eviction result = EVICTION_DONE;
	struct frame *frame;

	flush_batch_init(&batch, addresses);
	lru_rest_oldest();
	frame = lru_take_victim(&batch, &vmap);
	/* One that rests is not flushed any more; accessed bits were cleared. */
	if (!frame || frame_flag(frame, PAGE_FLUSHED))
		flush_batch_send(&batch);
	if (UNLIKELY(!frame))
		return EVICTION_FAILED;
	*pfn = frame_pfn(frame);
	if (UNLIKELY(!vmap))
		return reclaim_evict_shared(frame, &batch);
	if (!frame_flag(frame, PAGE_FLUSHED))
		result = unmap_and_flush(frame, vmap, &batch);
	result = save_and_settle(frame, vmap, result);
	if (BUG_PLANTED(BUG_EARLY_REUSE))
		flush_batch_send(&batch);
	return result;
}

/* As reclaim_evict(), but whatever page it is. Interrupts are off. */
static NOINLINE pfn_t page_evict_any(void)
{
	enum eviction result;
	pfn_t pfn = PFN_NONE;

	do {
		result = evict_oldest(&pfn);
	} while (result == EVICTION_STAYS);
	/* FAILED: no slot to be had now, the caller lets others go on. */
	return result == EVICTION_DONE ? pfn : PFN_NONE;
}

/* The next victim, if it rests and nothing else comes first; else PFN_NONE. Interrupts are off. */
ALWAYS_INLINE pfn_t page_evict_resting(void)
{
	struct VMap *vmap = NULL;
	struct frame *frame = lru_take_resting(&vmap);

	return LIKELY(frame) && LIKELY(save_and_settle(frame, vmap, EVICTION_DONE) == EVICTION_DONE)
		       ? frame_pfn(frame)
		       : PFN_NONE;
}

pfn_t reclaim_evict(void)
{
	uint64_t flags = irq_save();
	pfn_t pfn = page_evict_any();

	irq_restore(flags);
	return pfn;
}

static SLOW_PATH pfn_t page_alloc_slow(void)
{
	pfn_t pfn = PFN_NONE;

	/* Drained even if no frame is left there, as that alone takes the mark away. */
	if (READ_ONCE(lru_exceptions) & LRU_QUARANTINE) {
		quarantine_drain_all();
		pfn = reclaim_page_try_alloc();
	}
	if (pfn == PFN_NONE)
		pfn = page_evict_any();
	/*
	 * Where no page may leave either, the caller looks at its entry again: another
	 * thread may have brought that very page in, and have used up with it the last
	 * frame there was to wait for.
	 */
	if (UNLIKELY(pfn == PFN_NONE))
		reclaim_wait();
	return pfn;
}

pfn_t reclaim_page_alloc(void)
{
	pfn_t pfn = reclaim_page_try_alloc();

	/* The limit is reached, or no frame is free. */
	if (LIKELY(pfn == PFN_NONE))
		pfn = page_evict_resting();
	return LIKELY(pfn != PFN_NONE) ? pfn : page_alloc_slow();
}

uint64_t reclaim_limit(void)
{
	return commit_read().limit;
}

int reclaim_set_limit(uint64_t limit)
{
	int result;

	if (limit == 0)
		return -EINVAL;
	gate_enter();
	result = commit_set_limit(limit);
	/* Who looked at the limit before raises the count before it takes an interrupt. */
	if (result == 0)
		tlb_shootdown(tlb_all_cpus(), NULL, 0);
	while (result == 0 && reclaim_resident() > commit_resident_max()) {
		pfn_t pfn;

		if (quarantine_drain())
			continue;
		pfn = reclaim_evict();
		if (pfn == PFN_NONE) {
			reclaim_wait();
		} else {
			uint64_t flags = irq_save();

			reclaim_page_free(pfn);
			irq_restore(flags);
		}
	}
	gate_leave();
	return result;
}

void reclaim_check(struct check *check)
{
	uint64_t pages = 0;

	lru_check(check);
	for (pfn_t pfn = 0; pfn < frame_limit; pfn++)
		pages += frames[pfn].state == FRAME_PRIVATE || frames[pfn].state == FRAME_SHARED;
	if (pages != reclaim_resident())
		check_fail(check, 1, "%lu frames are private or shared, %lu are counted resident",
			   pages, reclaim_resident());
	if (reclaim_resident() > commit_resident_max())
		check_fail(check, 11, "%lu pages are resident, the limit is %lu",
			   reclaim_resident(), commit_resident_max());
}
