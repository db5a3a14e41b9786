/*
 * object.h: a shared memory object: bytes in pages that belong to no process.
 * A file is one with a name (kernel/fs/file.h); processes map it (mapping.h).
 *
 *   object_create()                                   last object_release()
 *   ----------------> lives, with 1 reference or more ---------------------> gone
 *
 * Pages appear when they are first written or mapped; one that never was is a
 * hole and reads as zero. A page that is no hole was promised: it counts once
 * against the commit limit, however many map it, until it is cut off or the
 * object is gone. It leaves memory and comes back as pages of processes do.
 *
 * object_page.h has what happens to a single page.
 */
#pragma once

#include <sys/queue.h>

#include "kernel/config.h"
#include "kernel/mm/frame.h"
#include "kernel/sched/mutex.h"
#include "lib/page_array.h"

struct mapping;

struct object {
	uint32_t references;   /* atomic */
	uint32_t evictor_refs; /* pages that evictors hold; atomic, raised under the lru lock */
	const char *constant;  /* a module's bytes, for ever, instead of pages; else NULL */
	struct mutex mutex;    /* class object: guards the next four */
	uint64_t size_bytes;
	uint64_t page_count;     /* pages promised: all but holes */
	struct page_array pages; /* struct object_page */
	bool was_mapped;         /* somebody may have written behind its end */
	/* Class object_pages: guards what a record says of a page in memory, and the list. */
	struct spinlock lock;
	LIST_HEAD(, mapping) mappings;
	TAILQ_ENTRY(object) all; /* guarded by the objects lock */
};
STATIC_ASSERT(OBJECT_BYTES_MAX >> PAGE_SHIFT <= UINT32_MAX);

/* An empty object with one reference, the caller's; NULL if there is no memory. May sleep. */
struct object *object_create(void);

/* Boot: makes an object, which the caller keeps, of bytes that stay and are never written. */
void object_init_constant(struct object *object, const char *bytes, uint64_t size_bytes);

/* One reference more; and one less: the last one frees every page. May sleep. */
void object_hold(struct object *object);
void object_release(struct object *object);

uint64_t object_size(struct object *object);

/*
 * Reads up to size bytes at the offset; `to` is memory of the kernel, which
 * does not fault. Returns the count, less than size only at the object's end
 * or where a page was lost in swap (-EIO if that is the first). May sleep.
 */
int64_t object_read(struct object *object, uint64_t offset, void *to, size_t size_bytes) MUST_CHECK;

/*
 * Writes; the object grows if need be, and what lies between its old end and
 * the offset is a hole. Returns the count (less than size where memory ends in
 * the middle, or the largest size), or -EFBIG (offset >= OBJECT_BYTES_MAX),
 * -ENOSPC (no memory), -EROFS (constant), -EIO (lost in swap). May sleep.
 */
int64_t object_write(struct object *object, uint64_t offset, const void *from, size_t size_bytes)
	MUST_CHECK;

/*
 * Sets the size: what is cut off is gone, also where it is mapped; what is added
 * is a hole. 0, -EFBIG, -EROFS. May sleep.
 */
int object_truncate(struct object *object, uint64_t size_bytes) MUST_CHECK;

/*
 * Promises pages [first, first + count), as far as they lie within the size, so
 * that touching them where they are mapped cannot fail; those that were promised
 * before stay so. 0 or -ENOMEM (nothing is promised). Not of a constant object.
 * May sleep.
 */
int object_promise(struct object *object, uint64_t first, uint64_t count) MUST_CHECK;

/* Pages promised and objects there are now, for counting. */
struct object_counts {
	uint64_t objects, pages;
};
struct object_counts object_read_counts(void);

/* For check, while all is quiet. */
void object_visit_quiet(void (*visit)(struct object *object, void *context), void *context);

/* Invariants 3, 8, 9, 10, 11 and 12, as far as objects are concerned. Before swap_check_end(). */
struct check;
void object_check(struct check *check);
