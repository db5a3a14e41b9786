/*
 * object_check.c: the invariants of shared memory objects and of what maps
 * them, for check, while all is quiet.
 */
#include "kernel/mm/check.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/swap.h"
#include "lib/errno.h"

struct walk {
	struct check *check;
	uint64_t frames; /* that objects have */
};

struct entries {
	unsigned count;
	bool dirty;
};

/* The entries that hold the page, by the object's list. */
static struct entries entries_of(const struct object *object, uint64_t index, pfn_t pfn)
{
	struct entries entries = {0, false};
	const struct mapping *mapping;

	LIST_FOREACH (mapping, &object->mappings, of_object) {
		const pte_t *entry;

		if (index < mapping->first || index - mapping->first >= mapping->page_count)
			continue;
		entry = vmap_entry(mapping->vmap,
				   mapping->start + (index - mapping->first) * PAGE_SIZE);
		if (!pte_has_frame(pte_read(entry)) || pte_pfn(pte_read(entry)) != pfn)
			continue;
		entries.count++;
		entries.dirty |=
			pte_is_present(pte_read(entry)) && pte_read(entry).bits & PTE_DIRTY;
	}
	return entries;
}

/* Invariants 3, 8 and 9 of a page in a frame. */
static void check_frame(struct walk *walk, const struct object *object, uint64_t index, pfn_t pfn)
{
	const struct frame *frame = pfn < frame_limit ? &frames[pfn] : NULL;
	struct entries entries;

	if (!frame || frame->state != FRAME_SHARED || object_of(frame) != object ||
	    frame->shared.index != index) {
		check_fail(walk->check, 3, "page %lu of an object has frame %u, which says %s",
			   index, pfn, frame ? frame_state_name(frame->state) : "not RAM");
		return;
	}
	walk->frames++;
	entries = entries_of(object, index, pfn);
	if (entries.count != frame->map_count)
		check_fail(walk->check, 3, "frame %u of an object is mapped %u times and counts %u",
			   pfn, entries.count, frame->map_count);
	if (frame->slot == SLOT_NONE)
		return;
	swap_check_mark(walk->check, frame->slot);
	/* A program that computes may write to it meanwhile: then it is dirty by now. */
	if (!frame_flag(frame, PAGE_DIRTY) && !entries.dirty && !swap_equals(frame->slot, pfn) &&
	    !entries_of(object, index, pfn).dirty)
		check_fail(walk->check, 9,
			   "page %lu of an object is clean but differs from slot %u", index,
			   frame->slot);
}

static void check_page(struct walk *walk, const struct object *object, uint64_t index,
		       const struct object_page *page)
{
	if (index >= DIV_ROUND_UP(object->size_bytes, PAGE_SIZE))
		check_fail(walk->check, 10, "page %lu of an object lies beyond its %lu bytes",
			   index, object->size_bytes);
	if (object_page_kind(page) == OBJECT_PAGE_FRAME)
		check_frame(walk, object, index, object_page_number(page));
	if (object_page_kind(page) != OBJECT_PAGE_SLOT)
		return;
	swap_check_mark(walk->check, object_page_number(page));
	if (swap_find_generation(object_page_number(page)) != object_page_generation(page))
		check_fail(walk->check, 8,
			   "page %lu of an object names a generation of slot %u that is past",
			   index, object_page_number(page));
}

/* Invariants 11 and 12, and the rest page by page. */
static void check_object(struct object *object, void *context)
{
	struct walk *walk = context;
	uint64_t end = DIV_ROUND_UP(OBJECT_BYTES_MAX, PAGE_SIZE), promised = 0;

	for (uint64_t index = 0; index < end && object->pages.root; index++) {
		const struct object_page *page = page_array_get(&object->pages, index);

		if (!page) {
			index |= OBJECT_PAGES_PER_RECORD - 1;
			continue;
		}
		if (page->bits == 0)
			continue;
		promised++;
		check_page(walk, object, index, page);
	}
	if (promised != object->page_count)
		check_fail(walk->check, 11, "an object has %lu pages promised and counts %lu",
			   promised, object->page_count);
	if (object->references == 0)
		check_fail(walk->check, 11, "an object without a reference has %lu pages",
			   object->page_count);
	if (mutex_is_locked(&object->mutex) || spin_is_locked(&object->lock))
		check_fail(walk->check, 12, "a lock of an object is held");
	if (object->evictor_refs)
		check_fail(walk->check, 12, "an object has %u pages held by evictors",
			   object->evictor_refs);
}

static bool is_on_list(const struct mapping *wanted)
{
	const struct mapping *mapping;

	LIST_FOREACH (mapping, &wanted->object->mappings, of_object)
		if (mapping == wanted)
			return true;
	return false;
}

/* Invariants 3 and 10 of a mapping. */
static void check_mapping(const struct mapping *mapping, void *context)
{
	struct walk *walk = context;
	uint64_t live = 0;

	if (vmap_by_slot[mapping->vmap->slot] != mapping->vmap) {
		check_fail(walk->check, 11, "the mapping at %p is of nobody alive",
			   (void *)mapping->start);
		return;
	}
	for (uint64_t i = 0; i < mapping->page_count; i++) {
		const pte_t *entry = vmap_entry(mapping->vmap, mapping->start + i * PAGE_SIZE);

		live += entry && !pte_is_none(pte_read(entry));
	}
	if (live != mapping->live_pages || live == 0)
		check_fail(walk->check, 10, "pid %d has %lu pages mapped at %p and counts %lu",
			   mapping->vmap->pid, live, (void *)mapping->start, mapping->live_pages);
	if (mapping->object && !is_on_list(mapping))
		check_fail(walk->check, 3, "the object mapped at %p does not know it",
			   (void *)mapping->start);
}

void object_check(struct check *check)
{
	uint64_t counts[FRAME_STATE_COUNT];
	struct walk walk = {check, 0};

	object_visit_quiet(check_object, &walk);
	mapping_visit_quiet(check_mapping, &walk);
	frame_census(counts);
	if (counts[FRAME_SHARED] != walk.frames)
		check_fail(check, 3, "%lu frames are shared, objects have %lu",
			   counts[FRAME_SHARED], walk.frames);
}
