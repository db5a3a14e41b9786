/*
 * reclaim_shared.c: how a page of a shared memory object leaves memory: the
 * steps of reclaim.c, with the object's spinlock where a private page has the
 * lock of its one table.
 *
 *   2. every entry that holds the frame -> ask; their dirty bits are gathered
 *   3. one shootdown for all of them; mostly done before (lru_tail.c)
 *   4. written to one slot if dirty
 *   5. the object's record -> slot, or promised if the page is all zero
 *      cut off meanwhile (disowned): frame and slot released
 *
 * Touched before step 2 it stays; who touches it later waits until it has left,
 * and brings it back.
 *
 * Locks: the object's spinlock, inside it page_table or lru. An evictor holds a
 * reference (evictor_refs), so the object and its records stay.
 */
#include "kernel/mm/event.h"
#include "kernel/mm/evict_content.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/reclaim_internal.h"

/* Step 2. Anything but DONE: there is nothing to write. */
static enum eviction unmap(struct frame *frame, struct object *object, struct flush_batch *batch,
			   uint32_t *slot)
{
	enum eviction result = EVICTION_DONE;

	spin_lock(&object->lock);
	*slot = frame->slot;
	if (UNLIKELY(frame_flag(frame, PAGE_DISOWNED)))
		result = EVICTION_DISOWNED;
	else if (UNLIKELY(frame_flag(frame, PAGE_TOUCHED)))
		result = EVICTION_STAYS;
	else if (!frame_flag(frame, PAGE_FLUSHED))
		object_page_unmap(object, frame->shared.index, frame_pfn(frame), batch);
	spin_unlock(&object->lock);
	return result;
}

/* Step 5. */
static enum eviction settle(struct frame *frame, struct object *object, uint32_t slot)
{
	struct object_page *page = object_record(frame->shared.record, frame->shared.index);
	enum eviction result = EVICTION_DONE;

	spin_lock(&object->lock);
	if (UNLIKELY(frame_flag(frame, PAGE_DISOWNED))) {
		result = EVICTION_DISOWNED;
	} else if (LIKELY(slot != SLOT_FAILED && !frame_flag(frame, PAGE_TOUCHED))) {
		ASSERT(frame->map_count == 0);
		WRITE_ONCE(page->bits,
			   slot == SLOT_NONE
				   ? OBJECT_PAGE_PROMISED
				   : object_page_in_slot(slot, swap_slot_generation(slot)));
	} else {
		result = eviction_undo(frame, slot);
	}
	spin_unlock(&object->lock);
	return result;
}

enum eviction reclaim_evict_shared(struct frame *frame, struct flush_batch *batch)
{
	struct object *object = object_of(frame);
	vaddr_t offset = (vaddr_t)frame->shared.index * PAGE_SIZE;
	uint32_t slot;
	enum eviction result = unmap(frame, object, batch, &slot);
	bool dirty = false;

	flush_batch_send(batch);
	if (LIKELY(result == EVICTION_DONE)) {
		dirty = frame_flag(frame, PAGE_DIRTY);
		slot = dirty ? evict_content_save(frame_pfn(frame), slot)
			     : evict_content_keep(slot);
	}
	result = settle(frame, object, slot);
	if (UNLIKELY(result == EVICTION_DISOWNED)) {
		/* Who cut it off has flushed it before. */
		if (slot_is_one(slot))
			swap_slot_free(slot);
		result = EVICTION_DONE;
	}
	event_record(result == EVICTION_DONE ? EVENT_EVICT : EVENT_STAY, 0, offset,
		     frame_pfn(frame), slot_is_one(slot) ? slot : SLOT_NONE, dirty);
	if (LIKELY(result == EVICTION_DONE)) {
		COUNT(PGSTEAL);
		frame_set_state(frame_pfn(frame), FRAME_SHARED, FRAME_PRIVATE);
		frame->flags = 0;
	}
	lru_unhold_shared(object);
	return result;
}
