/*
 * object_page.c: see object_page.h.
 *
 * Invariants:
 *  1. A page's frame is SHARED, its descriptor names the object, the index and
 *     the record; its map_count is the number of entries that hold it.
 *  2. An entry that holds the frame belongs to a mapping on the object's list.
 *     A mapping leaves the list only after the shootdown of its entries. So
 *     whoever has gone through the list, told every CPU named there to forget
 *     the address, whatever its entry says by now, knows that no CPU reaches
 *     the frame.
 *  3. Entries get the frame only by a fault that holds the mutex.
 * Locks: the object's mutex, inside it its spinlock, inside it one page_table
 * at a time, inside it lru. Nobody waits with the spinlock held.
 */
#include "kernel/mm/object_page.h"

#include "arch/x86_64/page_bytes.h"
#include "kernel/bugs.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "lib/errno.h"

/* Holes -> promised, `count` of them, as the caller has seen. 0 or -ENOMEM. */
static int holes_charge(struct object *object, uint64_t count) REQUIRES(object->mutex)
{
	if (count == 0)
		return 0;
	if (kernel_pages_refused() || commit_charge(count))
		return -ENOMEM;
	object->page_count += count;
	return 0;
}

/* Holes among pages [first, end). */
static uint64_t holes_count(const struct object *object, uint64_t first, uint64_t end)
	REQUIRES(object->mutex)
{
	uint64_t holes = 0;

	for (uint64_t index = first; index < end; index++) {
		const struct object_page *page = page_array_get(&object->pages, index);

		holes += !page || page->bits == 0;
	}
	return holes;
}

/* Makes the records of pages [first, end). 0 or -ENOMEM. */
static int records_make(struct object *object, uint64_t first, uint64_t end) REQUIRES(object->mutex)
{
	for (uint64_t index = first; index < end; index++)
		if (!page_array_make(&object->pages, index))
			return -ENOMEM;
	return 0;
}

int object_promise(struct object *object, uint64_t first, uint64_t count)
{
	uint64_t end, holes;
	int error;

	mutex_lock(&object->mutex);
	end = MIN(first + count, DIV_ROUND_UP(object->size_bytes, PAGE_SIZE));
	holes = holes_count(object, first, end);
	error = holes_charge(object, holes);
	if (error == 0 && records_make(object, first, end)) {
		object->page_count -= holes;
		commit_uncharge(holes);
		error = -ENOMEM;
	}
	for (uint64_t index = first; error == 0 && index < end; index++) {
		struct object_page *page = page_array_get(&object->pages, index);

		if (page->bits == 0)
			WRITE_ONCE(page->bits, OBJECT_PAGE_PROMISED);
	}
	object_records_trim(object);
	mutex_unlock(&object->mutex);
	return error;
}

/* Makes the frame, filled by now, the page's. The spinlock is held from here on. */
static void page_enter(struct object *object, struct object_page *page, uint64_t index, pfn_t pfn,
		       uint32_t slot) ACQUIRES(object->lock)
{
	struct frame *frame = &frames[pfn];

	frame_set_state(pfn, FRAME_PRIVATE, FRAME_SHARED);
	frame->flags = 0;
	frame->map_count = 0;
	frame->slot = slot;
	frame->shared.object = direct_to_pfn(object);
	frame->shared.index = (uint32_t)index;
	frame->shared.record = direct_to_pfn(page);
	spin_lock(&object->lock);
	WRITE_ONCE(page->bits, (uint64_t)pfn << PAGE_SHIFT | OBJECT_PAGE_FRAME);
	lru_insert(frame);
}

/* Reads a page from its slot into a frame. 0, or -EIO and why (detail may be NULL). */
static int slot_read(const struct object_page *page, pfn_t pfn, const char **detail)
{
	swap_place_t place = swap_place(object_page_number(page), object_page_generation(page));
	const char *why = swap_read(pfn_to_direct(pfn), place);

	if (why && detail)
		*detail = why;
	return why ? -EIO : 0;
}

/* promised or in a slot -> in a frame. As object_page_in(). */
static struct frame *page_load(struct object *object, struct object_page *page, uint64_t index,
			       int *error, const char **detail) REQUIRES(object->mutex)
	TRY_ACQUIRES(true, object->lock)
{
	bool in_slot = object_page_kind(page) == OBJECT_PAGE_SLOT;
	uint32_t slot = in_slot ? object_page_number(page) : SLOT_NONE;
	pfn_t pfn = reclaim_page_alloc();

	*error = -EAGAIN;
	if (pfn == PFN_NONE)
		return NULL;
	if (!in_slot) {
		page_zero(pfn_to_direct(pfn));
		COUNT(PGMINFAULT);
	} else if (slot_read(page, pfn, detail)) {
		reclaim_page_free(pfn);
		*error = -EIO;
		return NULL;
	} else {
		COUNT(PGMAJFAULT);
	}
	page_enter(object, page, index, pfn, slot);
	/* With few slots left the page gives its slot up at once, and counts as dirty. */
	if (in_slot && swap_is_scarce()) {
		frames[pfn].slot = SLOT_NONE;
		frame_flag_set(&frames[pfn], PAGE_DIRTY);
		swap_slot_free(slot);
	}
	return &frames[pfn];
}

struct frame *object_page_in(struct object *object, uint64_t index, enum object_want want,
			     int *error, const char **detail)
{
	struct object_page *page = page_array_get(&object->pages, index);

	*error = want == OBJECT_LOOK ? -ENOENT : -ENOMEM;
	if (want == OBJECT_LOOK && (!page || object_page_kind(page) <= OBJECT_PAGE_PROMISED))
		return NULL;
	if (!page)
		page = page_array_make(&object->pages, index);
	if (!page || (page->bits == 0 && holes_charge(object, 1)))
		return NULL;
	if (page->bits == 0)
		WRITE_ONCE(page->bits, OBJECT_PAGE_PROMISED);
	while (object_page_kind(page) == OBJECT_PAGE_FRAME) {
		struct frame *frame;

		spin_lock(&object->lock);
		frame = &frames[object_page_number(page)];
		if (LIKELY(object_page_kind(page) == OBJECT_PAGE_FRAME &&
			   !frame_flag(frame, PAGE_EVICTING))) {
			lru_touch(frame);
			return frame;
		}
		/* It is about to leave. If it could be kept, what many use could never leave. */
		spin_unlock(&object->lock);
		reclaim_wait();
	}
	return page_load(object, page, index, error, detail);
}

int object_page_copy(struct object *object, uint64_t index, pfn_t to, const char **detail)
{
	const struct object_page *page = page_array_get(&object->pages, index);

	if (page) {
		spin_lock(&object->lock);
		if (object_page_kind(page) == OBJECT_PAGE_FRAME) {
			page_copy(pfn_to_direct(to), pfn_to_direct(object_page_number(page)));
			spin_unlock(&object->lock);
			return 0;
		}
		spin_unlock(&object->lock);
	}
	if (!page || object_page_kind(page) != OBJECT_PAGE_SLOT) {
		page_zero(pfn_to_direct(to));
		return 0;
	}
	return slot_read(page, to, detail);
}

/* Clears the entry of one mapping, if it holds the frame. */
static void unmap_one(const struct mapping *mapping, vaddr_t address, pfn_t pfn)
{
	pte_t *entry = vmap_entry(mapping->vmap, address);
	struct frame *table = vmap_table_of(entry);
	pte_t old;

	spin_lock(&table->table.lock);
	old = pte_read(entry);
	if (old.bits & PTE_SHARED && pte_has_frame(old) && pte_pfn(old) == pfn) {
		old = pte_exchange(entry, mapping_entry(mapping));
		object_entry_dropped(old);
	}
	spin_unlock(&table->table.lock);
}

void object_page_unmap(struct object *object, uint32_t index, pfn_t pfn, struct flush_batch *batch)
{
	const struct mapping *mapping;

	LIST_FOREACH (mapping, &object->mappings, of_object) {
		vaddr_t address;

		if (index < mapping->first || index - mapping->first >= mapping->page_count)
			continue;
		address = mapping->start + (index - mapping->first) * PAGE_SIZE;
		unmap_one(mapping, address, pfn);
		/* Whatever the entry was: who cleared it may not have flushed yet. */
		if (!BUG_PLANTED(BUG_NO_SHOOTDOWN))
			flush_batch_add(batch, address_space_active(&mapping->vmap->space),
					address);
		if (BUG_PLANTED(BUG_ONE_MAPPING))
			break;
	}
}

void object_entry_dropped(pte_t old)
{
	struct frame *frame = &frames[pte_pfn(old)];

	if (pte_is_present(old) && old.bits & PTE_DIRTY && !BUG_PLANTED(BUG_LOSE_DIRTY))
		frame_flag_set(frame, PAGE_DIRTY);
	__atomic_fetch_sub(&frame->map_count, 1, __ATOMIC_RELAXED);
}

/* in a frame -> hole, unless the page leaves memory by itself meanwhile. */
static void frame_cut(struct object *object, struct object_page *page, uint64_t index)
	REQUIRES(object->mutex)
{
	vaddr_t addresses[TLB_FLUSH_ALL];
	struct flush_batch batch;
	struct frame *frame;
	unsigned owned;
	pfn_t pfn;

	flush_batch_init(&batch, addresses);
	spin_lock(&object->lock);
	if (object_page_kind(page) == OBJECT_PAGE_FRAME)
		object_page_unmap(object, (uint32_t)index, object_page_number(page), &batch);
	spin_unlock(&object->lock);
	flush_batch_send(&batch);
	/* Nobody maps it again: that takes the mutex. */
	spin_lock(&object->lock);
	if (object_page_kind(page) != OBJECT_PAGE_FRAME) {
		spin_unlock(&object->lock);
		return;
	}
	pfn = object_page_number(page);
	frame = &frames[pfn];
	ASSERT(frame->map_count == 0);
	WRITE_ONCE(page->bits, OBJECT_PAGE_PROMISED);
	owned = lru_remove(&pfn, 1);
	spin_unlock(&object->lock);
	if (!owned)
		return; /* an evictor has it, and will release frame and slot */
	if (frame->slot != SLOT_NONE)
		swap_slot_free(frame->slot);
	frame->flags = 0;
	reclaim_page_free(pfn);
}

void object_page_cut(struct object *object, struct object_page *page, uint64_t index)
{
	uint64_t flags = irq_save();

	if (object_page_kind(page) == OBJECT_PAGE_FRAME)
		frame_cut(object, page, index);
	if (object_page_kind(page) == OBJECT_PAGE_SLOT)
		swap_slot_free(object_page_number(page));
	irq_restore(flags);
	WRITE_ONCE(page->bits, 0);
	object->page_count--;
	commit_uncharge(1);
}

void object_records_trim(struct object *object)
{
	if (object->page_count)
		return;
	/* No page is listed any more; evictors may still look at records of some they took. */
	while (__atomic_load_n(&object->evictor_refs, __ATOMIC_ACQUIRE))
		reclaim_wait();
	page_array_destroy(&object->pages);
}
