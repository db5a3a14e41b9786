/*
 * lru.h: the resident pages in the order in which they are to leave, under
 * the lru lock. The policy decides the order; reclaim takes pages off the old
 * end.
 */
#pragma once

#include "kernel/mm/frame.h"
#include "kernel/mm/policy.h"
#include "kernel/mm/vmap.h"

struct object;

/* Why the next victim may be another page than the oldest that rests: bits of one word. Atomic. */
#define LRU_AHEAD 1u      /* pages may be there that were mapped ahead; cleared under the lock */
#define LRU_TURN 2u       /* a thread has the turn, and its pages are exempt (turn.h) */
#define LRU_QUARANTINE 4u /* frames may be there that are nobody's any more (quarantine.h) */
extern unsigned lru_exceptions;

/*
 * Makes a resident page known. Mostly takes no lock that another CPU can hold: see
 * lru_inbox.c. The page_table lock of its entry is held.
 */
void lru_insert(struct frame *frame);

/*
 * The same of pages, described as PAGE_LISTED, that were mapped ahead of any touch
 * by the entries from `entry` on: the first to leave as long as nobody touches them.
 * 1 <= count <= NEIGHBOURS_MAX. Their numbers are best written where lru_ahead_place() says,
 * which comes first; in between interrupts stay off, and no other page is inserted.
 */
pfn_t *lru_ahead_place(unsigned count);
void lru_insert_ahead(const pfn_t *place, unsigned count, pte_t *entry);

/*
 * After lru_insert_quick(), which lru_insert() begins with: a policy that goes by the order of
 * insertion gets the page at once. Interrupts are off.
 */
void lru_inserted(void);

/*
 * Takes pages off the lists whose entries were just cleared, under the
 * page_table lock that is still held. The frames that are the caller's now, to
 * be freed after the shootdown, are moved to the front of the array; returns
 * how many. The others are in the hands of evictors, who will release frame
 * and slot.
 */
unsigned lru_remove(pfn_t *pfns, unsigned count);

/* A resting page was mapped again: it is young. The page_table lock is held. */
void lru_touch(struct frame *frame);

/*
 * Takes the next victim off the lists, with a reference to its VMap, or to its
 * object, and then *vmap is NULL: it is
 * PAGE_EVICTING from here on, and if it is also PAGE_FLUSHED, then its entry
 * rested when every CPU was told to forget it. NULL if no page may leave now.
 * Adds addresses whose accessed bits were cleared to the batch.
 */
struct frame *lru_take_victim(struct flush_batch *batch, struct VMap **vmap);

/* A page that stays after all goes back to the young end. The page_table lock is held. */
void lru_put_back(struct frame *frame);

/*
 * Lets the oldest pages rest, if few rest now: they are unmapped, all with
 * one shootdown, and stay in memory until they are the next victims. No
 * spinlock held.
 */
void lru_rest_oldest(void);

/*
 * A reference to the VMap that owns a listed page, so that its tables stay, and
 * in *entry its entry; NULL if the page is not listed (any more). Interrupts off, no spinlock held.
 */
struct VMap *lru_hold(struct frame *frame, pte_t **entry);
ALWAYS_INLINE void lru_unhold(struct VMap *vmap)
{
	__atomic_fetch_sub(&vmap->evictor_refs, 1, __ATOMIC_RELEASE);
}

/*
 * Takes the slot of a page, which becomes dirty, if it is still a listed page of
 * that VMap and entry; else SLOT_NONE. The page_table lock is held.
 */
uint32_t lru_take_slot(struct frame *frame, const struct VMap *vmap, const pte_t *entry);

/* The same of an object's page: a reference to the object (evictor_refs); under its spinlock. */
struct object *lru_hold_shared(struct frame *frame);
void lru_unhold_shared(struct object *object);
uint32_t lru_take_slot_shared(struct frame *frame, const struct object *object);

/* Switches the policy; every page is handed over in the old one's order. */
void lru_set_policy(struct policy *policy);
struct policy *lru_policy(void);

/* Calls visit for each page, next victim first, with the lru lock held. */
void lru_visit(void (*visit)(struct frame *frame, void *context), void *context);

/* Nobody's pages are exempt any more: see turn.c. Any spinlock outer to lru may be held. */
void lru_end_turn(void);

/* Boot: gives each CPU its inbox. */
void lru_init(void);

/* Invariant 7. */
struct check;
void lru_check(struct check *check);
