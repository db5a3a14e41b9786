/*
 * policy.h: who leaves. Reclaim does how.
 *
 *                 insert()                        victim()
 *   not resident ---------> [ the policy's lists ] ------> named ----> not resident
 *                                    ^                       |
 *                                    +-------- keep() -------+
 *
 * To add a policy: write one file with a struct policy, and name it in
 * policy.c's table. All functions are called with the lru lock held and
 * interrupts off. Every evictable resident page is on one of the policy's
 * lists until victim() names it or it is freed.
 */
#pragma once

#include "arch/x86_64/tlb.h"
#include "kernel/mm/frame.h"

/* A doubly linked list through frame->page.next/prev. */
struct page_list {
	pfn_t oldest, youngest; /* PFN_NONE if empty */
	uint64_t count;
};

#define PAGE_LIST_INIT                                   \
	{                                                \
		.oldest = PFN_NONE, .youngest = PFN_NONE \
	}

#define POLICY_LISTS 2

struct policy {
	const char *name;
	const char *summary;
	bool accessed; /* looks at accessed bits, so they are to tell the truth */
	bool exact;    /* traps every change of page (exact.c) and wants touch() */
	/*
	 * The resident pages, each on the list that frame_list() says, next victims
	 * first. What is freed is taken off here; what a policy keeps besides must
	 * not name a frame.
	 */
	struct page_list lists[POLICY_LISTS];
	unsigned first; /* the list whose pages are the next victims */
	/* In percent of memory: pages that may rest, see lru_tail.c. A policy may change it. */
	unsigned rest_max;
	/* Of these two, one that is missing puts the page at the young end of the first list. */
	/* Became resident: first touch, or read from swap. */
	void (*insert)(struct policy *policy, struct frame *frame);
	/* Was named by victim(), and touched before it left: it stays. */
	void (*keep)(struct policy *policy, struct frame *frame);
	/* The thread changed to this page; only where `exact`. It is listed. */
	void (*touch)(struct policy *policy, struct frame *frame);
	/*
	 * Names the next victim and forgets it; skips frames that policy_is_exempt().
	 * NULL if there is none. Clears accessed bits through policy_test_accessed().
	 */
	struct frame *(*victim)(struct policy *policy, struct flush_batch *batch);
};

extern struct policy *const policies[];
extern const unsigned policy_count;
extern struct policy *policy_current; /* guarded by the lru lock */
extern int policy_accessed;           /* its `accessed`, for those who ask that alone */

struct policy *policy_find(const char *name);

/* All pages that the policy knows. */
uint64_t policy_pages(const struct policy *policy);

/* Calls visit for each page, next victim first. */
void policy_visit(const struct policy *policy, void (*visit)(struct frame *frame, void *context),
		  void *context);

/* How many pages became resident or were touched since the page was. */
uint32_t policy_age(const struct frame *frame);

/*
 * Was the page used since last asked? Clears the bit and adds the address to
 * the batch. The page is listed, so its owner lives. Never true of a page of an
 * object.
 */
bool policy_test_accessed(struct frame *frame, struct flush_batch *batch);

/* The same question, and the bit stays: nothing has to be flushed. */
bool policy_is_accessed(const struct frame *frame);

/* May the page not leave now, because the thread that has the turn needs it? */
bool policy_is_exempt(const struct frame *frame);

/*
 * Counts insertions and touches, by POLICY_TICK: the age of a page is how many
 * came after it. The digits below are the policy's own, 0 in a page just added.
 * Guarded by the lru lock.
 */
extern uint32_t policy_time;
#define POLICY_TICK 4u

ALWAYS_INLINE void page_list_add_youngest(struct page_list *list, struct frame *frame)
{
	pfn_t pfn = frame_pfn(frame);

	frame->page.next = PFN_NONE;
	frame->page.prev = list->youngest;
	frame->page.stamp = policy_time += POLICY_TICK;
	if (LIKELY(list->youngest != PFN_NONE))
		frames[list->youngest].page.next = pfn;
	else
		list->oldest = pfn;
	list->youngest = pfn;
	list->count++;
}

/* The same of several pages, one after the other. */
ALWAYS_INLINE void page_list_append(struct page_list *list, const pfn_t *pfns, uint32_t count)
{
	pfn_t youngest = list->youngest;
	pfn_t *link = youngest != PFN_NONE ? &frames[youngest].page.next : &list->oldest;
	uint32_t time = policy_time;

	for (uint32_t i = 0; i < count; i++) {
		struct frame *frame = &frames[pfns[i]];

		*link = pfns[i];
		frame->page.prev = youngest;
		frame->page.stamp = time += POLICY_TICK;
		youngest = pfns[i];
		link = &frame->page.next;
	}
	*link = PFN_NONE;
	list->youngest = youngest;
	list->count += count;
	policy_time = time;
}

ALWAYS_INLINE void page_list_remove(struct page_list *list, struct frame *frame)
{
	if (LIKELY(frame->page.next != PFN_NONE))
		frames[frame->page.next].page.prev = frame->page.prev;
	else
		list->youngest = frame->page.prev;
	if (frame->page.prev != PFN_NONE)
		frames[frame->page.prev].page.next = frame->page.next;
	else
		list->oldest = frame->page.next;
	list->count--;
}

/* Takes the oldest page off. */
ALWAYS_INLINE void page_list_take_oldest(struct page_list *list, pfn_t oldest)
{
	pfn_t next = frames[oldest].page.next;

	list->oldest = next;
	if (LIKELY(next != PFN_NONE))
		frames[next].page.prev = PFN_NONE;
	else
		list->youngest = PFN_NONE;
	list->count--;
}

/* A page of the list becomes its youngest. */
ALWAYS_INLINE void page_list_renew(struct page_list *list, struct frame *frame)
{
	pfn_t next = frame->page.next, prev = frame->page.prev, pfn;

	frame->page.stamp = policy_time += POLICY_TICK;
	if (UNLIKELY(next == PFN_NONE))
		return;
	pfn = frames[next].page.prev;
	frames[next].page.prev = prev;
	if (prev == PFN_NONE)
		list->oldest = next;
	else
		frames[prev].page.next = next;
	frame->page.next = PFN_NONE;
	frame->page.prev = list->youngest;
	frames[list->youngest].page.next = pfn;
	list->youngest = pfn;
}

/* The oldest pages, `count` of them and at least one, up to `last`, become the youngest of `to`. */
ALWAYS_INLINE void page_list_move(struct page_list *list, pfn_t last, uint64_t count,
				  struct page_list *to)
{
	pfn_t first = list->oldest, next = frames[last].page.next;

	list->oldest = next;
	*(LIKELY(next != PFN_NONE) ? &frames[next].page.prev : &list->youngest) = PFN_NONE;
	list->count -= count;
	frames[first].page.prev = to->youngest;
	frames[last].page.next = PFN_NONE;
	*(to->youngest != PFN_NONE ? &frames[to->youngest].page.next : &to->oldest) = first;
	to->youngest = last;
	to->count += count;
}

ALWAYS_INLINE struct frame *page_list_oldest(const struct page_list *list)
{
	return list->oldest == PFN_NONE ? NULL : &frames[list->oldest];
}

ALWAYS_INLINE struct frame *page_list_younger(const struct frame *frame)
{
	return frame->page.next == PFN_NONE ? NULL : &frames[frame->page.next];
}

/* Which of its policy's lists a page is on; of one that was named by victim(), was on. */
ALWAYS_INLINE unsigned frame_list(const struct frame *frame)
{
	return frame_flag(frame, PAGE_SECOND) ? 1 : 0;
}

ALWAYS_INLINE void policy_add(struct policy *policy, unsigned list, struct frame *frame)
{
	if (UNLIKELY(list != frame_list(frame))) {
		if (list)
			frame_flag_set(frame, PAGE_SECOND);
		else
			frame_flag_clear(frame, PAGE_SECOND);
	}
	page_list_add_youngest(&policy->lists[list], frame);
}

ALWAYS_INLINE void policy_insert(struct policy *policy, struct frame *frame)
{
	if (policy->insert)
		policy->insert(policy, frame);
	else
		policy_add(policy, 0, frame);
}

ALWAYS_INLINE void policy_keep(struct policy *policy, struct frame *frame)
{
	if (policy->keep)
		policy->keep(policy, frame);
	else
		policy_add(policy, 0, frame);
}

ALWAYS_INLINE void policy_remove(struct policy *policy, struct frame *frame)
{
	page_list_remove(&policy->lists[frame_list(frame)], frame);
}
