/*
 * evict_content.c: saving the bytes of a page that leaves.
 *
 * Taking a slot from a resident page: the candidate is found by going round
 * the frames from where the last search ended. Pages read back while slots
 * are scarce give theirs up at once (fault.c), so what is left to take is
 * taken once, and the search is O(1) a page over time.
 */
#include "kernel/mm/evict_content.h"

#include "kernel/mm/lru.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/vmap.h"

/* Tries to take the slot of one listed page; SLOT_NONE if it has none to give. */
static uint32_t slot_take_from(struct frame *frame)
{
	pte_t *entry;
	struct VMap *vmap = lru_hold(frame, &entry);
	struct frame *table;
	uint32_t slot;

	if (!vmap)
		return SLOT_NONE;
	table = vmap_table_of(entry);
	spin_lock(&table->table.lock);
	slot = lru_take_slot(frame, vmap, entry);
	spin_unlock(&table->table.lock);
	lru_unhold(vmap);
	return slot;
}

/* The same of an object's page. */
static uint32_t slot_take_from_shared(struct frame *frame)
{
	struct object *object = lru_hold_shared(frame);
	uint32_t slot;

	if (!object)
		return SLOT_NONE;
	spin_lock(&object->lock);
	slot = lru_take_slot_shared(frame, object);
	spin_unlock(&object->lock);
	lru_unhold_shared(object);
	return slot;
}

static COLD uint32_t slot_take_from_resident(void)
{
	static pfn_t hand; /* a hint: no lock */
	pfn_t pfn = READ_ONCE(hand);

	for (pfn_t i = 0; i < frame_limit; i++) {
		struct frame *frame = &frames[pfn];

		pfn = pfn + 1 < frame_limit ? pfn + 1 : 0;
		if (frame_is_page(frame) && frame->slot != SLOT_NONE &&
		    frame_flag(frame, PAGE_LISTED)) {
			uint32_t slot = frame->state == FRAME_SHARED ? slot_take_from_shared(frame)
								     : slot_take_from(frame);

			if (slot != SLOT_NONE) {
				WRITE_ONCE(hand, pfn);
				COUNT(SLOT_STOLEN);
				swap_slot_free(slot);
				return swap_slot_alloc();
			}
		}
	}
	return SLOT_NONE;
}

COLD uint32_t evict_content_zero(uint32_t slot)
{
	if (slot != SLOT_NONE)
		swap_slot_free(slot);
	COUNT(PGSTEAL_ZERO);
	return SLOT_NONE;
}

uint32_t evict_content_elsewhere(pfn_t pfn)
{
	uint32_t slot;

	do {
		slot = swap_slot_alloc();
		if (slot == SLOT_NONE)
			slot = slot_take_from_resident();
		if (slot == SLOT_NONE)
			return SLOT_FAILED;
	} while (swap_write(slot, pfn_to_direct(pfn))); /* then it was retired */
	return slot;
}
