/*
 * policy.h: who leaves. Reclaim does how.
 *
 * To add a policy: write one file with a struct policy, and name it in
 * policy.c's table. All functions are called with the lru lock held and
 * interrupts off. Every evictable resident page is known to the policy from
 * insert() until remove() or victim() names it.
 */
#pragma once

#include "arch/x86_64/tlb.h"
#include "kernel/mm/frame.h"

struct policy {
	const char *name;
	const char *summary;
	bool accessed; /* looks at accessed bits, so they are to tell the truth */
	bool exact;    /* traps every change of page (exact.c) and wants touch() */
	void (*insert)(struct frame *frame); /* became resident: first touch or read from swap */
	void (*remove)(struct frame *frame); /* was freed */
	void (*touch)(struct frame *frame);  /* soft fault, or stays though it was chosen */
	/*
	 * Names the next victim and forgets it; skips frames that policy_is_exempt().
	 * NULL if there is none. Clears accessed bits through policy_test_accessed().
	 */
	struct frame *(*victim)(struct flush_batch *batch);
	/* Calls visit for each page, next victim first. */
	void (*visit)(void (*visit)(struct frame *frame, void *context), void *context);
	uint64_t (*count)(void);    /* pages it knows */
	struct frame *(*any)(void); /* one of them, to move them to another policy */
};

extern struct policy *const policies[];
extern const unsigned policy_count;
extern struct policy *policy_current; /* guarded by the lru lock */

/*
 * Was the page used since last asked? Clears the bit and adds the address to
 * the batch. The page is listed, so its owner lives. Never true of a page of an
 * object.
 */
bool policy_test_accessed(struct frame *frame, struct flush_batch *batch);

/* May the page not leave now, because the thread that has the turn needs it? */
bool policy_is_exempt(const struct frame *frame);

struct policy *policy_find(const char *name);

/* How many pages became resident or were touched since the page was. */
uint32_t policy_age(const struct frame *frame);

/* A doubly linked list through frame->page.next/prev; policies build on it. */
struct page_list {
	pfn_t oldest, youngest; /* PFN_NONE if empty */
	uint64_t count;
};

#define PAGE_LIST_INIT                                   \
	{                                                \
		.oldest = PFN_NONE, .youngest = PFN_NONE \
	}

/* Counts insertions and touches: the age of a page is how many came after it. Guarded by the lru
 * lock. */
extern uint32_t policy_time;

ALWAYS_INLINE void page_list_add_youngest(struct page_list *list, struct frame *frame)
{
	pfn_t pfn = frame_pfn(frame);

	frame->page.next = PFN_NONE;
	frame->page.prev = list->youngest;
	frame->page.stamp = ++policy_time;
	if (LIKELY(list->youngest != PFN_NONE))
		frames[list->youngest].page.next = pfn;
	else
		list->oldest = pfn;
	list->youngest = pfn;
	list->count++;
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

ALWAYS_INLINE struct frame *page_list_oldest(const struct page_list *list)
{
	return list->oldest == PFN_NONE ? NULL : &frames[list->oldest];
}

ALWAYS_INLINE struct frame *page_list_younger(const struct frame *frame)
{
	return frame->page.next == PFN_NONE ? NULL : &frames[frame->page.next];
}
