/*
 * object.c: see object.h.
 *
 *            object_page_get(MAKE)
 *     hole -----------------------> page: a frame, SHARED, described as (object, index)
 *          <-----------------------
 *             pages_cut: truncated or released
 *
 * Invariants:
 *  1. A page's frame is SHARED, its descriptor names the object and the index,
 *     and page_count counts these frames.
 *  2. A page beyond the size is a hole, and the bytes behind the size in the
 *     last page are zero. So growing needs to write nothing.
 * Locks: an object's mutex guards its size and pages; `objects`, a spinlock
 * inside it, the list of all. Bytes are copied under the mutex, from and to
 * memory of the kernel: no page of a process is touched meanwhile.
 */
#include "kernel/mm/object.h"

#include "kernel/bugs.h"
#include "kernel/mm/check.h"
#include "kernel/mm/kernel_pages.h"
#include "lib/errno.h"
#include "lib/string.h"

#define PAGES_PER_TABLE (PAGE_SIZE / sizeof(struct object_page))

static struct {
	struct spinlock lock;
	TAILQ_HEAD(, object) list;
} objects = {.lock = SPINLOCK(OBJECTS), .list = TAILQ_HEAD_INITIALIZER(objects.list)};

static void object_init(struct object *object)
{
	memset(object, 0, sizeof(*object));
	object->references = 1;
	mutex_init(&object->mutex, LOCK_OBJECT);
	page_array_init(&object->pages, sizeof(struct object_page));
}

struct object *object_create(void)
{
	struct object *object = kernel_page_alloc();
	uint64_t flags;

	if (!object)
		return NULL;
	object_init(object);
	flags = spin_lock_irq(&objects.lock);
	TAILQ_INSERT_TAIL(&objects.list, object, all);
	spin_unlock_irq(&objects.lock, flags);
	return object;
}

void object_init_constant(struct object *object, const char *bytes, uint64_t size_bytes)
{
	object_init(object);
	object->constant = bytes;
	object->size_bytes = size_bytes;
}

void object_hold(struct object *object)
{
	__atomic_fetch_add(&object->references, 1, __ATOMIC_RELAXED);
}

/* Pages [first, end) become holes; the tables that only held them stay until the object is empty.
 */
static void pages_cut(struct object *object, uint64_t first, uint64_t end) REQUIRES(object->mutex)
{
	uint64_t index = first;

	while (index < end && object->page_count > 0) {
		struct object_page *page = page_array_get(&object->pages, index);

		if (!page) { /* a whole table of holes */
			index = ALIGN_DOWN(index, PAGES_PER_TABLE) + PAGES_PER_TABLE;
			continue;
		}
		if (page->frame) {
			kernel_frame_free((pfn_t)(page->frame - 1));
			page->frame = 0;
			object->page_count--;
		}
		index++;
	}
	if (object->page_count == 0)
		page_array_destroy(&object->pages);
}

static uint64_t pages_of(uint64_t size_bytes)
{
	return DIV_ROUND_UP(size_bytes, PAGE_SIZE);
}

void object_release(struct object *object)
{
	uint64_t flags;

	if (__atomic_sub_fetch(&object->references, 1, __ATOMIC_ACQ_REL))
		return;
	ASSERT(!object->constant);
	flags = spin_lock_irq(&objects.lock);
	TAILQ_REMOVE(&objects.list, object, all);
	spin_unlock_irq(&objects.lock, flags);
	mutex_lock(&object->mutex);
	pages_cut(object, 0, pages_of(object->size_bytes));
	mutex_unlock(&object->mutex);
	kernel_page_free(object);
}

uint64_t object_size(struct object *object)
{
	uint64_t size_bytes;

	mutex_lock(&object->mutex);
	size_bytes = object->size_bytes;
	mutex_unlock(&object->mutex);
	return size_bytes;
}

pfn_t object_page_get(struct object *object, uint64_t index, enum object_want want)
{
	struct object_page *page = page_array_get(&object->pages, index);
	pfn_t pfn;

	if (page && page->frame)
		return (pfn_t)(page->frame - 1);
	if (want == OBJECT_LOOK)
		return PFN_NONE;
	page = page_array_make(&object->pages, index);
	if (!page)
		return PFN_NONE;
	pfn = kernel_frame_alloc(FRAME_SHARED);
	if (pfn == PFN_NONE)
		return PFN_NONE;
	frames[pfn].shared.object = object;
	frames[pfn].shared.index = index;
	page->frame = (uint64_t)pfn + 1;
	object->page_count++;
	return pfn;
}

/* The part of [offset, offset + size) in the offset's own page. */
static size_t piece_of(uint64_t offset, size_t size_bytes)
{
	return MIN(size_bytes, PAGE_SIZE - offset % PAGE_SIZE);
}

static void read_piece(struct object *object, uint64_t offset, char *to, size_t size_bytes)
	REQUIRES(object->mutex)
{
	pfn_t pfn = object_page_get(object, offset / PAGE_SIZE, OBJECT_LOOK);

	if (pfn == PFN_NONE)
		memset(to, 0, size_bytes);
	else
		memcpy(to, (char *)pfn_to_direct(pfn) + offset % PAGE_SIZE, size_bytes);
}

size_t object_read(struct object *object, uint64_t offset, void *to, size_t size_bytes)
{
	size_t count = 0;

	mutex_lock(&object->mutex);
	if (offset < object->size_bytes)
		size_bytes = MIN(size_bytes, object->size_bytes - offset);
	else
		size_bytes = 0;
	while (count < size_bytes) {
		size_t piece = piece_of(offset + count, size_bytes - count);

		if (object->constant)
			memcpy((char *)to + count, object->constant + offset + count, piece);
		else
			read_piece(object, offset + count, (char *)to + count, piece);
		count += piece;
	}
	mutex_unlock(&object->mutex);
	return count;
}

int64_t object_write(struct object *object, uint64_t offset, const void *from, size_t size_bytes)
{
	size_t count = 0;

	if (object->constant)
		return -EROFS;
	if (size_bytes > 0 && offset >= OBJECT_BYTES_MAX)
		return -EFBIG;
	size_bytes = MIN(size_bytes, OBJECT_BYTES_MAX - offset);
	mutex_lock(&object->mutex);
	while (count < size_bytes) {
		uint64_t at = offset + count;
		size_t piece = piece_of(at, size_bytes - count);
		pfn_t pfn = object_page_get(object, at / PAGE_SIZE, OBJECT_MAKE);

		if (pfn == PFN_NONE)
			break;
		memcpy((char *)pfn_to_direct(pfn) + at % PAGE_SIZE, (const char *)from + count,
		       piece);
		count += piece;
		object->size_bytes = MAX(object->size_bytes, at + piece);
	}
	if (object->page_count == 0)
		page_array_destroy(&object->pages); /* tables were made, and no page for them */
	mutex_unlock(&object->mutex);
	return count == 0 && size_bytes > 0 ? -ENOSPC : (int64_t)count;
}

int object_truncate(struct object *object, uint64_t size_bytes)
{
	uint64_t tail = size_bytes % PAGE_SIZE;

	if (object->constant)
		return -EROFS;
	if (size_bytes > OBJECT_BYTES_MAX)
		return -EFBIG;
	mutex_lock(&object->mutex);
	if (size_bytes < object->size_bytes) {
		pfn_t last = object_page_get(object, size_bytes / PAGE_SIZE, OBJECT_LOOK);

		pages_cut(object, pages_of(size_bytes), pages_of(object->size_bytes));
		if (tail && last != PFN_NONE && !BUG_PLANTED(BUG_KEEP_TAIL))
			memset((char *)pfn_to_direct(last) + tail, 0, PAGE_SIZE - tail);
	}
	object->size_bytes = size_bytes;
	mutex_unlock(&object->mutex);
	return 0;
}

struct object_counts object_read_counts(void)
{
	struct object_counts counts = {0, 0};
	uint64_t flags = spin_lock_irq(&objects.lock);
	const struct object *object;

	TAILQ_FOREACH (object, &objects.list, all) {
		counts.objects++;
		counts.pages += READ_ONCE(object->page_count);
	}
	spin_unlock_irq(&objects.lock, flags);
	return counts;
}

/* ---- check ----------------------------------------------------------------- */

/* Invariant 3: each page's frame is the object's, and they are as many as it counts. */
static void check_pages(struct object *object, struct check *check)
{
	uint64_t end = pages_of(OBJECT_BYTES_MAX), found = 0;

	for (uint64_t index = 0; index < end; index++) {
		const struct object_page *page = page_array_get(&object->pages, index);
		const struct frame *frame;

		if (!page) {
			index |= PAGES_PER_TABLE - 1;
			continue;
		}
		if (!page->frame)
			continue;
		found++;
		frame = page->frame - 1 < frame_limit ? &frames[page->frame - 1] : NULL;
		if (!frame || frame->state != FRAME_SHARED || frame->shared.object != object ||
		    frame->shared.index != index)
			check_fail(check, 3, "page %lu of an object has frame %lu, which says %s",
				   index, page->frame - 1,
				   frame ? frame_state_name(frame->state) : "not RAM");
		if (index >= pages_of(object->size_bytes))
			check_fail(check, 10, "page %lu of an object lies beyond its %lu bytes",
				   index, object->size_bytes);
	}
	if (found != object->page_count)
		check_fail(check, 3, "an object has %lu pages and counts %lu", found,
			   object->page_count);
}

void object_check(struct check *check)
{
	uint64_t counts[FRAME_STATE_COUNT], pages = 0;
	struct object *object;

	TAILQ_FOREACH (object, &objects.list, all) {
		pages += object->page_count;
		check_pages(object, check);
		if (object->references == 0)
			check_fail(check, 11, "an object without a reference has %lu pages",
				   object->page_count);
		if (mutex_is_locked(&object->mutex))
			check_fail(check, 12, "the mutex of an object is held");
	}
	frame_census(counts);
	if (counts[FRAME_SHARED] != pages)
		check_fail(check, 3, "%lu frames are shared, objects have %lu",
			   counts[FRAME_SHARED], pages);
}
