/*
 * fault_ahead.c: the neighbours of a first touch.
 *
 * A program that goes upward through fresh memory takes an exception for each
 * page. So while memory is plenty, the first touch that continues such a walk maps
 * the untouched pages that follow too:
 *
 *   before   used  untouched untouched untouched ... untouched | none, swapped, ...
 *                     ^ touched
 *   after    used  present   ahead     ahead     ... ahead     |
 *                            <- neighbours - 1 at most, in one page table ->
 *
 * It continues one if the page before was used, or if no block is there: then a
 * block begins here. A touch in the midst of untouched pages gets its page alone,
 * and so does one after neighbours that nobody wanted.
 *
 * Nobody has touched the neighbours yet: their accessed bits are clear, and they are
 * the first to leave again (lru_inbox.c). They hold zeros, so they leave without a
 * write.
 *
 * Likewise for a block that is given out again with the frames that it had, but that those
 * pages count as written (vmap_rest.c).
 *
 * Locks: page_table, as any first touch. Invariants: those of fault.c.
 */
#include "arch/x86_64/page_bytes.h"
#include "kernel/mm/event.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"

#define ZERO_PAGES 8u /* at a time: half of the neighbours */

unsigned fault_neighbours = NEIGHBOURS_MAX;

/* How many entries from this one on, in its table, are plain untouched. */
static unsigned untouched_run(const pte_t *entry, unsigned most)
{
	unsigned in_table = (unsigned)(-(vaddr_t)entry % PAGE_SIZE / sizeof(*entry));
	unsigned count;

	most = MIN(most, in_table);
#pragma GCC unroll 5
	for (count = 0; count < most; count++)
		if (!pte_is_plain_untouched(pte_read(&entry[count])))
			break;
	return count;
}

/* Interrupts are off for all of it, and other CPUs may wait for an answer. */
static void zero_and_serve(const pfn_t *pfns, unsigned count)
{
	for (unsigned done = 0; done < count; done += ZERO_PAGES) {
		pages_zero(pfns + done, MIN(ZERO_PAGES, count - done));
		tlb_serve();
	}
}

/*
 * Describes and maps zeroed frames; returns how many, as an entry may be another by now.
 * flags: further ones of the entries.
 */
ALWAYS_INLINE unsigned map_ahead(struct VMap *vmap, pte_t *entry, vaddr_t page, const pfn_t *pfns,
				 unsigned count, uint64_t flags)
{
	struct frame *table = vmap_table_of(entry);
	uint64_t head = vmap->new_head;
	unsigned mapped;

	spin_lock(&table->table.lock);
	for (mapped = 0; mapped < count; mapped++, page += PAGE_SIZE) {
		pfn_t pfn = pfns[mapped];

		frame_describe(&frames[pfn], head, &entry[mapped], page);
		if (UNLIKELY(!pte_replace(&entry[mapped], pte_make_untouched(0),
					  (pte_t){pte_make_present(pfn, 0).bits | flags})))
			break;
	}
	if (LIKELY(mapped))
		lru_insert_ahead(pfns, mapped, entry);
	spin_unlock(&table->table.lock);
	return mapped;
}

void fault_ahead(struct VMap *vmap, pte_t *entry, vaddr_t page)
{
	unsigned wanted = untouched_run(entry, vmap->neighbours - 1);
	unsigned count, mapped;
	pfn_t *pfns, first;

	if (wanted == 0)
		return;
	pfns = lru_ahead_place(wanted);
	count = reclaim_pages_try_alloc(pfns, wanted);
	if (UNLIKELY(count == 0))
		return;
	zero_and_serve(pfns, count);
	first = pfns[0]; /* from now on others may change what is there */
	mapped = map_ahead(vmap, entry, page, pfns, count, 0);
	COUNT_ADD(PGAHEAD, mapped);
	event_record(EVENT_AHEAD, vmap->pid, page, first, mapped, PTE_KIND_UNTOUCHED);
	for (unsigned i = mapped; UNLIKELY(i < count); i++)
		fault_give_back(pfns[i]);
}

unsigned fault_map_again(struct VMap *vmap, pte_t *entry, vaddr_t page, const pfn_t *pfns,
			 unsigned count)
{
	unsigned mapped;

	(void)lru_ahead_place(count); /* they are copied there */
	zero_and_serve(pfns, count);
	mapped = map_ahead(vmap, entry, page, pfns, count, PTE_DIRTY);
	COUNT_ADD(PGAHEAD, mapped);
	event_record(EVENT_AHEAD, vmap->pid, page, pfns[0], mapped, PTE_KIND_UNTOUCHED);
	return mapped;
}
