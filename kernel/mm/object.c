/*
 * object.c: see object.h. What happens to a single page is in object_page.c.
 *
 * Invariants:
 *  1. page_count is the number of records that are no holes: all promised.
 *  2. A page beyond the size is a hole, and the bytes behind the size in the
 *     last page are zero, unless somebody maps it and has written there: then
 *     they are made zero when the object grows. So growing needs to write nothing.
 * Locks: an object's mutex guards its size and pages; `objects`, a spinlock
 * inside it, the list of all. Bytes are copied under the object's spinlock, so
 * that the page stays in memory, from and to memory of the kernel.
 */
#include "kernel/mm/object.h"

#include "kernel/bugs.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/reclaim.h"
#include "lib/errno.h"
#include "lib/string.h"

static struct {
	struct spinlock lock;
	TAILQ_HEAD(, object) list;
} objects = {.lock = SPINLOCK(OBJECTS), .list = TAILQ_HEAD_INITIALIZER(objects.list)};

static void object_init(struct object *object)
{
	memset(object, 0, sizeof(*object));
	object->references = 1;
	mutex_init(&object->mutex, LOCK_OBJECT);
	object->lock = (struct spinlock)SPINLOCK(OBJECT_PAGES);
	LIST_INIT(&object->mappings);
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

/* Pages [first, end) become holes. */
static void pages_cut(struct object *object, uint64_t first, uint64_t end) REQUIRES(object->mutex)
{
	uint64_t index = first;

	while (index < end && object->page_count > 0) {
		struct object_page *page = page_array_get(&object->pages, index);

		if (!page) { /* a whole page of records of holes */
			index = ALIGN_DOWN(index, OBJECT_PAGES_PER_RECORD) +
				OBJECT_PAGES_PER_RECORD;
			continue;
		}
		if (page->bits)
			object_page_cut(object, page, index);
		index++;
	}
	object_records_trim(object);
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

/* The part of [offset, offset + size) in the offset's own page. */
static size_t piece_of(uint64_t offset, size_t size_bytes)
{
	return MIN(size_bytes, PAGE_SIZE - offset % PAGE_SIZE);
}

/* What a piece of a page is to be: read, written, or made zero. */
enum piece { PIECE_READ, PIECE_WRITE, PIECE_ZERO };

/* object_page_in(), and again while there is no frame, unless the thread is to end anyway. */
static struct frame *page_in(struct object *object, uint64_t index, enum object_want want,
			     int *error) REQUIRES(object->mutex) TRY_ACQUIRES(true, object->lock)
{
	for (;;) {
		struct frame *frame = object_page_in(object, index, want, error, NULL);

		if (frame)
			return frame;
		if (*error != -EAGAIN || reclaim_gives_up())
			return NULL;
	}
}

/* One piece; `bytes` is the kernel's. 0, or an error of object_page_in(). */
static int piece_do(struct object *object, uint64_t offset, void *bytes, size_t size_bytes,
		    enum piece what) REQUIRES(object->mutex)
{
	enum object_want want = what == PIECE_WRITE ? OBJECT_MAKE : OBJECT_LOOK;
	uint64_t flags = irq_save();
	int error = 0;
	struct frame *frame = page_in(object, offset / PAGE_SIZE, want, &error);

	if (frame) {
		char *place = (char *)pfn_to_direct(frame_pfn(frame)) + offset % PAGE_SIZE;

		if (what == PIECE_READ)
			memcpy(bytes, place, size_bytes);
		else if (what == PIECE_WRITE)
			memcpy(place, bytes, size_bytes);
		else
			memset(place, 0, size_bytes);
		if (what != PIECE_READ)
			frame_flag_set(frame, PAGE_DIRTY);
		spin_unlock(&object->lock);
		error = 0;
	}
	irq_restore(flags);
	return error;
}

static int read_piece(struct object *object, uint64_t offset, char *to, size_t size_bytes)
	REQUIRES(object->mutex)
{
	int error = piece_do(object, offset, to, size_bytes, PIECE_READ);

	if (error == -ENOENT) {
		memset(to, 0, size_bytes);
		return 0;
	}
	return error;
}

int64_t object_read(struct object *object, uint64_t offset, void *to, size_t size_bytes)
{
	size_t count = 0;
	int error = 0;

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
			error = read_piece(object, offset + count, (char *)to + count, piece);
		if (error)
			break;
		count += piece;
	}
	mutex_unlock(&object->mutex);
	return count == 0 && error ? error : (int64_t)count;
}

/* Bytes behind the end, in its page, are zero: those that a process wrote there are not kept. */
static void tail_clear(struct object *object) REQUIRES(object->mutex)
{
	uint64_t tail = object->size_bytes % PAGE_SIZE;

	/* A page that was lost in swap stays lost. */
	if (tail && !object->constant && !BUG_PLANTED(BUG_KEEP_TAIL))
		(void)piece_do(object, object->size_bytes, NULL, PAGE_SIZE - tail, PIECE_ZERO);
}

int64_t object_write(struct object *object, uint64_t offset, const void *from, size_t size_bytes)
{
	size_t count = 0;
	int error = 0;

	if (object->constant)
		return -EROFS;
	if (size_bytes > 0 && offset >= OBJECT_BYTES_MAX)
		return -EFBIG;
	size_bytes = MIN(size_bytes, OBJECT_BYTES_MAX - offset);
	mutex_lock(&object->mutex);
	if (object->was_mapped && offset + size_bytes > object->size_bytes)
		tail_clear(object);
	while (count < size_bytes) {
		uint64_t at = offset + count;
		size_t piece = piece_of(at, size_bytes - count);

		error = piece_do(object, at, (char *)from + count, piece, PIECE_WRITE);
		if (error)
			break;
		count += piece;
		object->size_bytes = MAX(object->size_bytes, at + piece);
	}
	object_records_trim(object); /* records were made, and no page for them */
	mutex_unlock(&object->mutex);
	if (count == 0 && error)
		return error == -ENOMEM ? -ENOSPC : error;
	return (int64_t)count;
}

int object_truncate(struct object *object, uint64_t size_bytes)
{
	if (object->constant)
		return -EROFS;
	if (size_bytes > OBJECT_BYTES_MAX)
		return -EFBIG;
	mutex_lock(&object->mutex);
	if (size_bytes < object->size_bytes) {
		pages_cut(object, pages_of(size_bytes), pages_of(object->size_bytes));
		object->size_bytes = size_bytes;
		tail_clear(object);
	} else if (object->was_mapped) {
		tail_clear(object);
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

void object_visit_quiet(void (*visit)(struct object *object, void *context), void *context)
{
	struct object *object;

	TAILQ_FOREACH (object, &objects.list, all)
		visit(object, context);
}
