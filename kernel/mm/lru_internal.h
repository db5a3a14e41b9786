/*
 * lru_internal.h: what lru.c, lru_inbox.c, lru_tail.c and reclaim.c share: the lists that are not
 * the policy's, and their lock.
 */
#pragma once

#include "kernel/mm/lru.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/policy_internal.h"
#include "kernel/mm/vmap.h"
#include "kernel/sched/spinlock.h"

struct lru_lists {
	struct spinlock lock;                    /* lru */
	struct page_list tail GUARDED_BY(lock);  /* resting, the next victims (lru_tail.c) */
	struct page_list ahead GUARDED_BY(lock); /* mapped and not touched (lru_inbox.c) */
	bool filling GUARDED_BY(lock);           /* some CPU puts pages on the tail */
	/* With no more pages than so many it is filled; while it is, its youngest so many may
	 * not be flushed. */
	uint64_t tail_low GUARDED_BY(lock);
};

extern struct lru_lists lru;

/* Empties every CPU's inbox onto the lists. */
void inboxes_empty(void) REQUIRES(lru.lock);

/*
 * The oldest page that was mapped ahead and is still untouched, off the list;
 * NULL if there is none that may leave now. Those that were touched go to the
 * policy on the way; their addresses are added to the batch.
 */
struct frame *ahead_victim(struct flush_batch *batch) REQUIRES(lru.lock);

/* The oldest page that rests and may leave now, off the tail; NULL if there is none. */
struct frame *tail_victim(struct flush_batch *batch) REQUIRES(lru.lock);

ALWAYS_INLINE void lru_lock(void) ACQUIRES(lru.lock)
{
	spin_lock(&lru.lock);
	inboxes_empty();
}

ALWAYS_INLINE uint64_t lru_lock_irq(void) ACQUIRES(lru.lock)
{
	uint64_t flags = spin_lock_irq(&lru.lock);

	inboxes_empty();
	return flags;
}

/* The VMap of a listed page of a process's, which lives, and will as long as it has references. */
ALWAYS_INLINE struct VMap *private_owner_hold(const struct frame *frame) REQUIRES(lru.lock)
{
	struct VMap *vmap = vmap_by_slot[frame->owner];

	__atomic_fetch_add(&vmap->evictor_refs, 1, __ATOMIC_RELAXED);
	return vmap;
}

/* The same of any page: NULL for an object's, which has the reference then. */
ALWAYS_INLINE struct VMap *owner_hold(const struct frame *frame) REQUIRES(lru.lock)
{
	if (LIKELY(frame->state != FRAME_SHARED))
		return private_owner_hold(frame);
	__atomic_fetch_add(&object_of(frame)->evictor_refs, 1, __ATOMIC_RELAXED);
	return NULL;
}

/*
 * Off the lists and into an evictor's hands. tail: PAGE_TAIL if the page was there, else 0.
 * It has these two marks, and not the third: they are exchanged.
 */
ALWAYS_INLINE void victim_mark(struct frame *frame, uint8_t tail) REQUIRES(lru.lock)
{
	__atomic_fetch_xor(&frame->flags, PAGE_LISTED | tail | PAGE_EVICTING, __ATOMIC_RELAXED);
}

/*
 * Takes a process's page that rests, flushed, and is the next victim, off the tail, if enough
 * are there: as lru_take_victim(), but NULL if that is to be called after lru_rest_oldest().
 */
ALWAYS_INLINE struct frame *lru_take_resting(struct VMap **vmap)
{
	struct frame *frame;

	/* The inboxes are left alone: their pages come later, but for those mapped ahead. */
	spin_lock(&lru.lock);
	frame = lru.tail.oldest;
	if (UNLIKELY(lru.tail.count <= lru.tail_low) || UNLIKELY(READ_ONCE(lru_exceptions)) ||
	    UNLIKELY(!frame_is_private_with(frame, PAGE_FLUSHED))) {
		spin_unlock(&lru.lock);
		return NULL;
	}
	page_list_drop(&lru.tail, page_younger(frame), 1);
	victim_mark(frame, PAGE_TAIL);
	*vmap = private_owner_hold(frame);
	spin_unlock(&lru.lock);
	ASSUME(frame != NULL);
	return frame;
}
