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
#include "kernel/detour.h"
#include "kernel/mm/frame.h"

/* A doubly linked list through frame->page.next/prev. */
struct page_list {
	struct frame *oldest, *youngest; /* NULL if empty */
	uint64_t count;
};

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

/* Its `accessed`, for those who ask that alone. */
ALWAYS_INLINE bool policy_accessed(void)
{
	return !(READ_ONCE(detours) & DETOUR_POLICY);
}

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

ALWAYS_INLINE struct frame *page_younger(const struct frame *frame)
{
	return frame_linked(frame->page.next);
}

ALWAYS_INLINE struct frame *page_older(const struct frame *frame)
{
	return frame_linked(frame->page.prev);
}

ALWAYS_INLINE void page_list_add_youngest(struct page_list *list, struct frame *frame)
{
	struct frame *youngest = list->youngest;

	frame->page.next = 0;
	frame->page.prev = frame_link(youngest);
	frame->page.stamp = policy_time += POLICY_TICK;
	if (LIKELY(youngest))
		youngest->page.next = frame_link(frame);
	else
		list->oldest = frame;
	list->youngest = frame;
	list->count++;
}

/* Pages that are to become a list's youngest, one after the other. */
struct page_chain {
	struct frame *youngest;
	uint64_t count;
};

/* head: stands before the first one until page_list_join(). */
ALWAYS_INLINE struct page_chain page_chain_begin(struct frame *head)
{
	return (struct page_chain){head, 0};
}

ALWAYS_INLINE void page_chain_add(struct page_chain *chain, struct frame *frame)
{
	chain->youngest->page.next = frame_link(frame);
	frame->page.prev = frame_link(chain->youngest);
	chain->youngest = frame;
	chain->count++;
}

ALWAYS_INLINE void page_list_join(struct page_list *list, const struct frame *head,
				  const struct page_chain *chain)
{
	struct frame *before = list->youngest, *first;

	if (UNLIKELY(chain->count == 0))
		return;
	first = page_younger(head);
	first->page.prev = frame_link(before);
	if (LIKELY(before))
		before->page.next = frame_link(first);
	else
		list->oldest = first;
	chain->youngest->page.next = 0;
	list->youngest = chain->youngest;
	list->count += chain->count;
}

/* Several pages, as page_list_add_youngest() does one. */
ALWAYS_INLINE void page_list_append(struct page_list *list, const pfn_t *pfns, uint32_t count)
{
	struct frame head;
	struct page_chain chain = page_chain_begin(&head);
	const pfn_t *end = pfns + count;

	for (uint32_t time = policy_time; pfns < end; pfns++) {
		struct frame *frame = frame_at(*pfns);

		frame->page.stamp = time += POLICY_TICK;
		page_chain_add(&chain, frame);
	}
	page_list_join(list, &head, &chain);
	policy_time += count * POLICY_TICK;
}

ALWAYS_INLINE void page_list_remove(struct page_list *list, struct frame *frame)
{
	struct frame *older = page_older(frame), *younger = page_younger(frame);

	if (LIKELY(younger))
		younger->page.prev = frame_link(older);
	else
		list->youngest = older;
	if (older)
		older->page.next = frame_link(younger);
	else
		list->oldest = younger;
	list->count--;
}

/* `count` of the oldest pages are on other lists; `oldest` is the one after them, or NULL. */
ALWAYS_INLINE void page_list_drop(struct page_list *list, struct frame *oldest, uint64_t count)
{
	list->oldest = oldest;
	if (LIKELY(oldest))
		oldest->page.prev = 0;
	else
		list->youngest = NULL;
	list->count -= count;
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
