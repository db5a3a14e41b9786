/*
 * object_page.h: what happens to a page of a shared memory object.
 *
 *   hole --promise--> promised --object_page_in()--> in a frame --evicted--> in a slot
 *                        ^                             |    ^                  |
 *                        +----- evicted, all zero -----+    +--object_page_in()+
 *
 * Whoever changes a page that is in no frame holds the object's mutex; a page
 * in a frame changes under its spinlock, by which evictors come in, who may not
 * wait for a mutex. So with the mutex held only one thing can happen to a page
 * from outside: it leaves memory.
 */
#pragma once

#include "arch/x86_64/direct.h"
#include "arch/x86_64/pte.h"
#include "arch/x86_64/tlb.h"
#include "kernel/mm/object.h"

/* 8 bytes a page. */
struct object_page {
	uint64_t bits; /* 0: a hole */
};

#define OBJECT_PAGE_KIND 3ull
#define OBJECT_PAGE_PROMISED 1ull /* reads as zero */
#define OBJECT_PAGE_FRAME 2ull    /* pfn << 12 */
#define OBJECT_PAGE_SLOT 3ull     /* generation << 44 | slot << 12 */

#define OBJECT_PAGES_PER_RECORD (PAGE_SIZE / sizeof(struct object_page))

ALWAYS_INLINE uint64_t object_page_kind(const struct object_page *page)
{
	return READ_ONCE(page->bits) & OBJECT_PAGE_KIND;
}

ALWAYS_INLINE uint32_t object_page_number(const struct object_page *page)
{
	return (uint32_t)(READ_ONCE(page->bits) >> PAGE_SHIFT);
}

/* The generation of the slot that a page is in; and the record of a page in a slot. */
ALWAYS_INLINE uint16_t object_page_generation(const struct object_page *page)
{
	return (uint16_t)(READ_ONCE(page->bits) >> 44);
}

ALWAYS_INLINE uint64_t object_page_in_slot(uint32_t slot, uint16_t generation)
{
	return (uint64_t)generation << 44 | (uint64_t)slot << PAGE_SHIFT | OBJECT_PAGE_SLOT;
}

/* The object of a shared page; and the record of the page. */
ALWAYS_INLINE struct object *object_of(const struct frame *frame)
{
	return pfn_to_direct(frame->shared.object);
}

ALWAYS_INLINE struct object_page *object_record(pfn_t record, uint32_t index)
{
	return (struct object_page *)pfn_to_direct(record) + index % OBJECT_PAGES_PER_RECORD;
}

enum object_want {
	OBJECT_LOOK, /* a hole, promised or not, stays one */
	OBJECT_MAKE, /* a hole becomes a page of zeros */
};

/*
 * Brings a page into memory: its frame, with the object's spinlock held, so that
 * it stays there, and interrupts off. NULL, and not held: *error is -ENOENT (LOOK:
 * a hole), -ENOMEM (MAKE), -EIO (lost in swap, *detail says why), or -EAGAIN (no
 * frame just now). The index may lie beyond the size. Not of a constant object.
 * Interrupts off, on meanwhile; may sleep.
 */
struct frame *object_page_in(struct object *object, uint64_t index, enum object_want want,
			     int *error, const char **detail) REQUIRES(object->mutex)
	TRY_ACQUIRES(true, object->lock);

/*
 * Copies a page's bytes into a frame of the caller's: zeros for a hole. 0, or
 * -EIO (*detail). Interrupts off.
 */
int object_page_copy(struct object *object, uint64_t index, pfn_t to, const char **detail)
	REQUIRES(object->mutex);

/* The page becomes a hole: unmapped everywhere, promised no more. May sleep. */
void object_page_cut(struct object *object, struct object_page *page, uint64_t index)
	REQUIRES(object->mutex);

/*
 * Clears every entry that holds the page, adding to the batch where it may
 * still be in a TLB, and gathers whether it was written.
 */
void object_page_unmap(struct object *object, uint32_t index, pfn_t pfn, struct flush_batch *batch)
	REQUIRES(object->lock);

/* The entry, which held a page's frame, was exchanged for another. The page_table lock is held. */
void object_entry_dropped(pte_t old);

/* Without a page the object needs no records. May sleep. */
void object_records_trim(struct object *object) REQUIRES(object->mutex);
