/*
 * evict_content.c: saving the bytes of a page that leaves.
 *
 * Taking a slot from a resident page: the candidate is found by going round
 * the frames from where the last search ended. Pages read back while slots
 * are scarce give theirs up at once (fault.c), so what is left to take is
 * taken once, and the search is O(1) a page over time.
 */
#include "kernel/mm/evict_content.h"

#include "arch/x86_64/page_bytes.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/vmap.h"
#include "lib/errno.h"

/* Tries to take the slot of one listed page; SLOT_NONE if it has none to give. */
static uint32_t slot_take_from(struct frame *frame)
{
	pfn_t table_pfn = PFN_NONE;
	struct VMap *vmap = lru_hold(frame, &table_pfn);
	struct frame *table;
	uint32_t slot = SLOT_NONE;

	if (!vmap)
		return SLOT_NONE;
	table = &frames[table_pfn];
	spin_lock(&table->table.lock);
	/* Still that page? An evictor that takes it from here on looks at the slot after us. */
	if (lru_still_listed(frame, vmap, table_pfn)) {
		slot = frame->slot;
		frame->slot = SLOT_NONE;
		frame_flag_set(frame, PAGE_DIRTY);
	}
	spin_unlock(&table->table.lock);
	lru_unhold(vmap);
	return slot;
}

/* The same of an object's page. */
static uint32_t slot_take_from_shared(struct frame *frame)
{
	struct object *object = lru_hold_shared(frame);
	uint32_t slot = SLOT_NONE;

	if (!object)
		return SLOT_NONE;
	spin_lock(&object->lock);
	if (lru_still_listed_shared(frame, object)) {
		slot = frame->slot;
		frame->slot = SLOT_NONE;
		frame_flag_set(frame, PAGE_DIRTY);
	}
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

void evict_content_save(struct frame *frame, bool dirty, struct evicted_content *content)
{
	pfn_t pfn = frame_pfn(frame);

	if (!dirty) {
		if (content->slot == SLOT_NONE)
			COUNT(PGSTEAL_ZERO);
		else
			COUNT(PGSTEAL_CLEAN);
		return;
	}
	if (page_is_zero(pfn_to_direct(pfn))) {
		if (content->slot != SLOT_NONE)
			swap_slot_free(content->slot);
		content->slot = SLOT_NONE;
		COUNT(PGSTEAL_ZERO);
		return;
	}
	for (;;) {
		if (content->slot == SLOT_NONE)
			content->slot = swap_slot_alloc();
		if (content->slot == SLOT_NONE)
			content->slot = slot_take_from_resident();
		if (content->slot == SLOT_NONE) {
			content->result = -ENOSPC;
			return;
		}
		content->result = swap_write(content->slot, pfn);
		if (content->result == 0)
			return;
		content->slot = SLOT_NONE; /* it was retired */
	}
}
