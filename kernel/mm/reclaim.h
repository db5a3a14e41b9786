/*
 * reclaim.h: how a page leaves memory, and the resident limit.
 */
#pragma once

#include "kernel/mm/commit.h"
#include "kernel/mm/frame.h"

/*
 * A frame for a process page, state PRIVATE, counted as resident: a free one
 * while the resident limit has room, else the frame of a page it evicts. Where
 * neither can be had it waits a moment and returns PFN_NONE: is the frame still
 * wanted? Commit promises that this ends, unless slots were lost: then a killed
 * thread can do without (its access may fail: reclaim_gives_up() tells it).
 * No spinlock held; interrupts are off, but on while it waits.
 */
pfn_t reclaim_page_alloc(void);

/* The same without evicting and waiting: PFN_NONE if there is no room or no frame now. */
ALWAYS_INLINE pfn_t reclaim_page_try_alloc(void);

/* Is memory plenty, so that pages may be mapped ahead of any touch? A hint. */
bool reclaim_is_plenty(void);

/*
 * Up to `wanted` frames for pages that nobody has touched, while memory is
 * plenty: none if the resident pages would then be more than three quarters of
 * their limit. Returns how many. Interrupts are off.
 */
unsigned reclaim_pages_try_alloc(pfn_t *pfns, unsigned wanted);

/* Lets others go on, who will change what the caller waits for. Interrupts are on meanwhile. */
void reclaim_wait(void);

/* Need the current thread wait no longer for a frame, because it is to end anyway? */
bool reclaim_gives_up(void);

/* Gives back a process page's frame. Not listed, nobody maps it. Interrupts off. */
ALWAYS_INLINE void reclaim_page_free(pfn_t pfn);

/* The same of several, at most MAGAZINE_FRAMES. */
void reclaim_pages_free(const pfn_t *pfns, unsigned count);

/*
 * Evicts one page, the policy's victim, and returns its frame, PRIVATE, still
 * counted as resident; PFN_NONE if there is no page to evict now.
 * No spinlock held; may sleep.
 */
pfn_t reclaim_evict(void);

/* Turns the frame that reclaim_evict() returned into one of the kernel's: resident no more. */
void reclaim_page_convert(pfn_t pfn, enum frame_state state);

/* Pages of processes in memory now, and the most there may be. */
uint64_t reclaim_resident(void);

/*
 * Sets the resident limit (UINT64_MAX: all of RAM) and evicts down to it. Below
 * RESIDENT_MIN only instructions that touch few enough pages make progress.
 * 0, -EINVAL (0), -ENOMEM (more is promised than it and swap would hold).
 */
int reclaim_set_limit(uint64_t frames) MUST_CHECK;
uint64_t reclaim_limit(void);

/* Invariants 1, 7 and 11, for resident pages. */
struct check;
void reclaim_check(struct check *check);

/* ---- The quick halves of reclaim_page_alloc() and reclaim_page_free() ------------- */

/* Frames of process pages, those in flight included: atomic, and on a line of its own. */
extern uint64_t reclaim_resident_count;

/* Raises the counter if it stays within `max`. */
ALWAYS_INLINE bool resident_try_raise(uint64_t pages, uint64_t max)
{
	uint64_t count = READ_ONCE(reclaim_resident_count);

	do {
		if (UNLIKELY(count + pages > max))
			return false;
	} while (UNLIKELY(!__atomic_compare_exchange_n(&reclaim_resident_count, &count,
						       count + pages, false, __ATOMIC_RELAXED,
						       __ATOMIC_RELAXED)));
	return true;
}

ALWAYS_INLINE void resident_lower(uint64_t pages)
{
	__atomic_fetch_sub(&reclaim_resident_count, pages, __ATOMIC_RELAXED);
}

ALWAYS_INLINE void reclaim_page_free(pfn_t pfn)
{
	frame_free(pfn);
	resident_lower(1);
}

ALWAYS_INLINE pfn_t reclaim_page_try_alloc(void)
{
	pfn_t pfn;

	if (UNLIKELY(!resident_try_raise(1, commit_resident_max())))
		return PFN_NONE;
	pfn = frame_alloc(FRAME_PRIVATE);
	if (UNLIKELY(pfn == PFN_NONE))
		resident_lower(1);
	return pfn;
}
