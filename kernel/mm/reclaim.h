/*
 * reclaim.h: how a page leaves memory, and the resident limit.
 */
#pragma once

#include "kernel/mm/frame.h"
#include "kernel/mm/policy.h"

struct VMap;

/*
 * A frame for a process page, state PRIVATE, counted as resident: a free one
 * while the resident limit has room, else the frame of a page it evicts. Waits
 * while neither can be had; commit promises that this ends, unless slots were
 * lost: then a killed thread gets PFN_NONE if it can do without (its access may
 * fail: reclaim_gives_up() tells it).
 * No spinlock held; interrupts are off, but on while it waits.
 */
pfn_t reclaim_page_alloc(void);

/* Need the current thread wait no longer for a frame, because it is to end anyway? */
bool reclaim_gives_up(void);

/* Gives back a process page's frame. Not listed, nobody maps it. Interrupts off. */
void reclaim_page_free(pfn_t pfn);

/*
 * Evicts one page, the policy's victim, and returns its frame, PRIVATE, still
 * counted as resident; PFN_NONE if there is no page to evict now.
 * No spinlock held; may sleep.
 */
pfn_t reclaim_evict(void);

/* Turns the frame that reclaim_evict() returned into one of the kernel's: resident no more. */
void reclaim_page_convert(pfn_t pfn, enum frame_state state);

/* Makes the page known to the policy. The page_table lock of its entry is held. */
void reclaim_insert(struct frame *frame);

/*
 * Takes the page of an entry that was just cleared out of the policy's hands.
 * True: the frame is the caller's, to be freed after the shootdown. False: an
 * evictor holds it and will release frame and slot. The page_table lock is held.
 */
bool reclaim_remove(struct frame *frame);

/* A resting page was touched: it is mapped again. The page_table lock is held. */
void reclaim_touch(struct frame *frame);

/*
 * A reference to the VMap that owns a listed page, so that its tables stay, and
 * in *table the frame of the table that maps it; NULL if the page is not listed
 * (any more). Interrupts off, no spinlock held.
 */
struct VMap *reclaim_hold(struct frame *frame, pfn_t *table);

/* Is it still a listed page of that VMap and table? The page_table lock of the table is held. */
bool reclaim_still_listed(const struct frame *frame, const struct VMap *vmap, pfn_t table);
void reclaim_unhold(struct VMap *vmap);

/* Pages of processes in memory now, and the most there may be. */
uint64_t reclaim_resident(void);

/*
 * Sets the resident limit (UINT64_MAX: all of RAM) and evicts down to it. Below
 * RESIDENT_MIN only instructions that touch few enough pages make progress.
 * 0, -EINVAL (0), -ENOMEM (more is promised than it and swap would hold).
 */
int reclaim_set_limit(uint64_t frames) MUST_CHECK;
uint64_t reclaim_limit(void);

/* Switches the policy; every page is handed over in the old one's order. */
void reclaim_set_policy(struct policy *policy);
struct policy *reclaim_policy(void);

/* Calls visit for each listed page, next victim first, with the lru lock held. */
void reclaim_visit(void (*visit)(struct frame *frame, void *context), void *context);

/* Nobody's pages are exempt any more: see turn.c. Any spinlock outer to lru may be held. */
void reclaim_end_turn(void);

/* Invariant 7. */
struct check;
void reclaim_check(struct check *check);
