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

/* How many entries from this one on, in its table, are like the one that was touched. */
static unsigned untouched_run(const pte_t *entry, pte_t like, unsigned most)
{
	unsigned in_table = (unsigned)(-(vaddr_t)entry % PAGE_SIZE / sizeof(*entry));
	const pte_t *at = entry, *end = entry + MIN(most, in_table);

	while (at < end && pte_read(at).bits == like.bits)
		at++;
	return (unsigned)(at - entry);
}

/* Describes and maps zeroed frames; returns how many, as an entry may be another by now. */
static unsigned map_ahead(struct VMap *vmap, pte_t *entry, pte_t seen, vaddr_t page,
			  const pfn_t *pfns, unsigned count)
{
	struct frame *table = vmap_table_of(entry);
	const pfn_t *at = pfns;
	unsigned mapped;

	spin_lock(&table->table.lock);
	for (pte_t *to = entry; at < pfns + count; at++, to++, page += PAGE_SIZE) {
		(void)frame_describe(*at, vmap, entry, page, PAGE_LISTED, SLOT_NONE);
		if (UNLIKELY(!pte_replace(to, seen, pte_make_present(*at, 0))))
			break;
	}
	mapped = (unsigned)(at - pfns);
	if (LIKELY(mapped))
		lru_insert_ahead(pfns, mapped, entry);
	spin_unlock(&table->table.lock);
	return mapped;
}

void fault_ahead(struct VMap *vmap, pte_t *entry, pte_t seen, vaddr_t page)
{
	pfn_t pfns[NEIGHBOURS_MAX];
	unsigned wanted = untouched_run(entry, seen, vmap->neighbours - 1);
	unsigned count, mapped;

	if (wanted == 0)
		return;
	count = reclaim_pages_try_alloc(pfns, wanted);
	if (UNLIKELY(count == 0))
		return;
	for (unsigned done = 0; done < count; done += ZERO_PAGES) {
		pages_zero(pfns + done, MIN(ZERO_PAGES, count - done));
		tlb_serve(); /* interrupts are off for all of it */
	}
	mapped = map_ahead(vmap, entry, seen, page, pfns, count);
	COUNT_ADD(PGAHEAD, mapped);
	event_record(EVENT_AHEAD, vmap->pid, page, pfns[0], mapped, seen.bits);
	for (unsigned i = mapped; UNLIKELY(i < count); i++)
		fault_give_back(pfns[i]);
}
