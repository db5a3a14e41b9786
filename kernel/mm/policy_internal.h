/*
 * policy_internal.h: what the policies' files share.
 */
#pragma once

#include "arch/x86_64/pte.h"
#include "kernel/config.h"
#include "kernel/mm/policy.h"
#include "kernel/mm/turn.h"
#include "kernel/mm/vmap.h"

extern struct policy policy_lru;
extern struct policy policy_lru_exact;
extern struct policy policy_fifo;
extern struct policy policy_clock;
extern struct policy policy_sieve;
extern struct policy policy_s3fifo;
extern struct policy policy_probation;

/* A victim(): the oldest page of the first list. */
struct frame *policy_take_oldest(struct policy *policy, struct flush_batch *batch);

/*
 * Another: the oldest page of the first list that was not used since it was last
 * looked at. Those that were go to the young end. (For the tail many are named so in one
 * pass, without a call each: tail_add_unused() of lru_tail.c.)
 */
struct frame *policy_take_unused(struct policy *policy, struct flush_batch *batch);

/* The same while a thread has the turn, and its pages are exempt. */
SLOW_PATH struct frame *page_list_oldest_exempting(const struct page_list *list);

/* The oldest page that may leave now, or NULL. */
ALWAYS_INLINE struct frame *page_list_oldest_free(const struct page_list *list)
{
	return LIKELY(!turn_is_taken()) ? list->oldest : page_list_oldest_exempting(list);
}

void page_list_visit(const struct page_list *list,
		     void (*visit)(struct frame *frame, void *context), void *context);

/* The entry that maps a listed page. */
ALWAYS_INLINE pte_t *policy_entry(const struct frame *frame)
{
	return pte_numbered(frame->page.entry);
}

/* The frame of its table: whose lock guards it. */
ALWAYS_INLINE struct frame *policy_table(const struct frame *frame)
{
	return frame_at(frame->page.entry / PTE_COUNT);
}

/*
 * policy_test_accessed(), where it is asked of every page: of a process's, which has that
 * entry. The caller counts it (PGROTATED).
 */
ALWAYS_INLINE bool page_test_accessed(const struct frame *frame, pte_t *entry,
				      struct flush_batch *batch)
{
	const struct VMap *vmap;

	if (!pte_clear_accessed(entry))
		return false;
	vmap = vmap_by_slot[frame->owner];
	flush_batch_add(batch, address_space_active(&vmap->space), frame->page.address);
	return true;
}
