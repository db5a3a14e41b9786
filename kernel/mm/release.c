/*
 * release.c: pages that are freed leave their entries, and memory.
 *
 *   present, the newest of this CPU --newest_release()--+
 *   present or resting, any other ----others_release()--+--> all CPUs flushed --> frame free
 *                                                       |      (now, or by the quarantine)
 *   swapped --> slot free                               |
 *   untouched ------------------------------------------+--> none
 *   transit: waited for
 *
 * Invariants:
 *  1. A frame is free again only when every CPU has flushed the page.
 *  2. A frame that an evictor holds is his to release (reclaim.c), with its slot.
 * Locks: page_table, and inside it the inbox's count, lru or swap.
 */
#include "kernel/mm/event.h"
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/lru_inbox.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/quarantine.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/vmap_internal.h"

#define RELEASED_MAX 32u

/* What left the tables, until the frames are free. */
struct released {
	struct VMap *vmap;
	uint64_t time;
	bool is_cached; /* a TLB may have one of the pages */
	unsigned count;
	pfn_t pfns[RELEASED_MAX]; /* that are to be freed */
};

/* An event of each frame from `first` on: its descriptor still says which page it was. */
static void events_record(const struct released *released, unsigned first)
{
	struct event_ring *ring = THIS_CPU->events;
	const pfn_t *end = &released->pfns[released->count];
	uint64_t time = released->time, bytes = ring->bytes;
	pid_t pid = released->vmap->pid;

	for (const pfn_t *pfn = &released->pfns[first]; pfn < end; pfn++) {
		struct event *event = event_at(ring, bytes);

		event->time = time;
		event_fill(event, EVENT_FREE, pid, frames[*pfn].page.address, *pfn, SLOT_NONE,
			   PTE_PRESENT);
		bytes += sizeof(struct event);
	}
	WRITE_ONCE(ring->bytes, bytes);
	if (UNLIKELY(event_sink != NULL))
		event_tell(ring, released->count - first);
}

/*
 * Releases pages from the last one on, as long as they are untouched or the newest that
 * this CPU has mapped: no list ever had those. Returns how many are left, the first ones.
 * The table's lock is held.
 */
static unsigned newest_release(struct released *released, pte_t *entry, unsigned count)
{
	struct inbox *inbox = THIS_CPU->inbox;
	uint32_t here = count_try_take(&inbox->count);
	const pfn_t *newest = &inbox->pfns[here];
	pte_t *end = entry + count;
	pfn_t *to = released->pfns;

	if (UNLIKELY(here == COUNT_BUSY))
		return count;
	for (; end > entry; end--) {
		pte_t old = pte_read(end - 1);
		pfn_t pfn = pte_pfn(old);

		if (LIKELY((old.bits & (PTE_PRESENT | PTE_SHARED)) == PTE_PRESENT)) {
			if (newest == inbox->pfns || newest[-1] != pfn ||
			    frames[pfn].slot != SLOT_NONE)
				break;
			(void)pte_exchange(end - 1, PTE_NONE);
			frame_flag_clear(&frames[pfn], PAGE_LISTED);
			newest--;
			*to++ = pfn;
		} else if (pte_is_untouched(old)) {
			pte_write(end - 1, PTE_NONE);
		} else {
			break;
		}
	}
	released->count = (unsigned)(to - released->pfns);
	released->is_cached = released->count;
	here -= released->count;
	if (inbox->run_count)
		inbox_cut(inbox, here);
	schedule_point();
	count_put(&inbox->count, here);
	if (released->count)
		events_record(released, 0);
	return (unsigned)(end - entry);
}

/* An entry of no page in memory -> none. False if it is in transit: the caller waits. */
static bool entry_release(struct released *released, pte_t *entry, pte_t old)
{
	if (pte_is_transit(old)) {
		return false;
	} else if (UNLIKELY(old.bits & PTE_SHARED)) {
		old = pte_exchange(entry, PTE_NONE);
		if (pte_has_frame(old))
			object_entry_dropped(old);
		released->is_cached = true;
	} else if (!pte_is_none(old)) {
		pte_write(entry, PTE_NONE);
		/* An entry that was damaged, and whose process ends for it, holds no slot. */
		if (pte_is_swapped(old) &&
		    LIKELY(swap_slot_held(pte_slot(old), pte_generation(old))) &&
		    !BUG_PLANTED(BUG_LOSE_SLOT))
			swap_slot_free(pte_slot(old));
	}
	return true;
}

/* The frames from `first` on leave the lists: those that no evictor holds are ours. */
static void others_unlist(struct released *released, unsigned first)
{
	pfn_t *pfns = &released->pfns[first];
	unsigned ours;

	if (released->count == first)
		return;
	released->is_cached = true;
	events_record(released, first);
	ours = lru_remove(pfns, released->count - first);
	for (unsigned i = 0; i < ours; i++)
		if (UNLIKELY(frames[pfns[i]].slot != SLOT_NONE))
			swap_slot_free(frames[pfns[i]].slot);
	released->count = first + ours;
}

/*
 * Releases pages from the first one on, up to one in transit. Returns how many. The table's
 * lock is held.
 */
static NOINLINE unsigned others_release(struct released *released, pte_t *entry, unsigned count)
{
	unsigned first = released->count;
	unsigned done = 0;

	for (; done < count; done++, entry++) {
		pte_t old = pte_read(entry);

		if (LIKELY(!(old.bits & PTE_SHARED) &&
			   (pte_is_present(old) || pte_is_resting(old))))
			released->pfns[released->count++] = pte_pfn(pte_exchange(entry, PTE_NONE));
		else if (!entry_release(released, entry, old))
			break;
	}
	others_unlist(released, first);
	return done;
}

/*
 * Frames are free once no CPU can reach them; true if that is later. Interrupts are off, no
 * spinlock held.
 */
ALWAYS_INLINE bool released_free(const struct released *released, vaddr_t address, unsigned count,
				 struct quarantine_mark *mark)
{
	uint64_t active = address_space_active(&released->vmap->space);
	uint64_t others = active & ~(1ull << THIS_CPU->id);

	if (UNLIKELY(others) && mark && released->count && !BUG_PLANTED(BUG_EARLY_REUSE) &&
	    !BUG_PLANTED(BUG_NO_FREE_SHOOTDOWN)) {
		tlb_flush_run(active & ~others, address, count);
		*mark = quarantine_add(&released->vmap->space, others, released->pfns,
				       released->count);
		return true;
	}
	if (BUG_PLANTED(BUG_EARLY_REUSE))
		reclaim_pages_free(released->pfns, released->count);
	/* Of resting pages too: whoever let one rest may not have flushed yet. */
	if (!BUG_PLANTED(BUG_NO_FREE_SHOOTDOWN))
		tlb_flush_run(active, address, count);
	if (!BUG_PLANTED(BUG_EARLY_REUSE))
		reclaim_pages_free(released->pfns, released->count);
	return false;
}

/*
 * A run of entries in one table -> none, and the frames are free, or later: *rests. Returns how
 * many, from the first on: fewer than `count` if one is in transit. Interrupts are off, no
 * spinlock held.
 */
static unsigned run_release(struct VMap *vmap, pte_t *entry, vaddr_t address, unsigned count,
			    struct quarantine_mark *mark, bool *rests)
{
	struct frame *table = vmap_table_of(entry);
	struct released released; /* field by field: an initialiser would clear the array too */
	unsigned left, done = 0;

	released.vmap = vmap;
	released.is_cached = false;
	released.count = 0;
	spin_lock(&table->table.lock);
	released.time = cpu_tsc(); /* after all that happened to the pages before */
	left = newest_release(&released, entry, count);
	if (left)
		done = others_release(&released, entry, left);
	spin_unlock(&table->table.lock);
	if (released.is_cached)
		*rests |= released_free(&released, address, count, mark);
	return LIKELY(done == left) ? count : done;
}

bool pages_release(struct VMap *vmap, vaddr_t address, uint64_t count, struct quarantine_mark *mark)
{
	bool rests = false;

	while (count) {
		pte_t *entry = vmap_entry(vmap, address);
		uint64_t in_table = PTE_COUNT - pte_index(address, 1);
		unsigned run = (unsigned)MIN(MIN(count, in_table), RELEASED_MAX);
		uint64_t flags = irq_save();
		/* One mark is enough: a second run is for a page that was in transit. */
		unsigned done = run_release(vmap, entry, address, run, rests ? NULL : mark, &rests);

		if (UNLIKELY(done < run))
			fault_transit_wait(&entry[done]);
		irq_restore(flags);
		address += done * PAGE_SIZE;
		count -= done;
	}
	return rests;
}
