/*
 * object.h: a shared memory object: bytes in frames that belong to no process.
 * A file is one with a name (kernel/fs/file.h).
 *
 *   object_create()                                   last object_release()
 *   ----------------> lives, with 1 reference or more ---------------------> gone
 *
 * Pages appear when they are first written; one that was never written is a
 * hole and reads as zero. Their frames are SHARED and charged to the kernel,
 * so what was promised to processes never depends on them: they stay in
 * memory until they are truncated or the object is gone.
 *
 * The narrow part: object_page_get() is the only way to a page, and reading
 * and writing take it too. So whoever maps or evicts pages of objects has one
 * place to begin at.
 */
#pragma once

#include <sys/queue.h>

#include "kernel/config.h"
#include "kernel/mm/frame.h"
#include "kernel/sched/mutex.h"
#include "lib/page_array.h"

struct object {
	uint32_t references;  /* atomic */
	const char *constant; /* a module's bytes, for ever, instead of pages; else NULL */
	struct mutex mutex;   /* class object: guards the rest */
	uint64_t size_bytes;
	uint64_t page_count;     /* frames */
	struct page_array pages; /* struct object_page */
	TAILQ_ENTRY(object) all; /* guarded by the objects lock */
};

/* What is known of a page: 8 bytes, so that a swap slot fits in as well. */
struct object_page {
	uint64_t frame; /* pfn + 1; 0: a hole */
};

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
 * does not fault. Returns the count, less than size only at the object's end.
 */
size_t object_read(struct object *object, uint64_t offset, void *to, size_t size_bytes);

/*
 * Writes; the object grows if need be, and what lies between its old end and
 * the offset is a hole. Returns the count (less than size where memory ends in
 * the middle, or the largest size), or -EFBIG (offset >= OBJECT_BYTES_MAX),
 * -ENOSPC (no memory), -EROFS (constant). May sleep.
 */
int64_t object_write(struct object *object, uint64_t offset, const void *from, size_t size_bytes)
	MUST_CHECK;

/*
 * Sets the size: what is cut off is gone, what is added is a hole. 0, -EFBIG,
 * -EROFS. May sleep.
 */
int object_truncate(struct object *object, uint64_t size_bytes) MUST_CHECK;

enum object_want {
	OBJECT_LOOK, /* a hole stays one */
	OBJECT_MAKE, /* a hole becomes a page of zeros */
};

/*
 * The frame of a page, good as long as the mutex is held; PFN_NONE for a hole
 * (LOOK), or if there is no memory (MAKE). The index may lie beyond the size.
 * Not of a constant object. MAKE may sleep.
 */
pfn_t object_page_get(struct object *object, uint64_t index, enum object_want want)
	REQUIRES(object->mutex);

/* Frames and objects there are now, for counting. */
struct object_counts {
	uint64_t objects, pages;
};
struct object_counts object_read_counts(void);

/* Invariants 3 and 12, as far as objects are concerned. */
struct check;
void object_check(struct check *check);
