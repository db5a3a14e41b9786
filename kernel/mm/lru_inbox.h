/*
 * lru_inbox.h: the quick halves of lru_insert() and lru_remove(), for the first touch
 * that most faults are, and for what is freed soon after it.
 */
#pragma once

#include "kernel/bugs.h"
#include "kernel/config.h"
#include "kernel/mm/lru.h"
#include "kernel/sched/count_lock.h"

struct inbox {
	uint32_t count;          /* and its lock: count_lock.h */
	pfn_t pfns[INBOX_PAGES]; /* oldest first */
	/* Which of them were mapped ahead of any touch: `count` from pfns[at] on, and their
	 * entries. */
	uint32_t run_count;
	struct inbox_run {
		uint32_t at, count;
		pte_t *entry;
	} runs[INBOX_RUNS];
} __attribute__((aligned(64)));

/* Forgets which pages of a taken inbox, from pfns[count] on, were mapped ahead: they are gone. */
void inbox_cut(struct inbox *inbox, uint32_t count);

/* The rest of lru_insert_quick(): `count` is what its exchange gave. */
SLOW_PATH void lru_insert_slow(struct inbox *inbox, uint32_t count, pfn_t pfn);

/*
 * lru_insert() of a page that is described as PAGE_LISTED already, where policy_accessed():
 * it may stay in the inbox for a while.
 */
ALWAYS_INLINE void lru_insert_quick(pfn_t pfn)
{
	struct inbox *inbox = THIS_CPU->inbox;
	uint32_t count;

	if (BUG_PLANTED(BUG_WRONG_OWNER))
		frames[pfn].page.address ^= PAGE_SIZE;
	if (BUG_PLANTED(BUG_UNLISTED))
		return;
	count = count_try_take(&inbox->count);
	if (UNLIKELY(count >= INBOX_PAGES / 2)) {
		lru_insert_slow(inbox, count, pfn);
		return;
	}
	inbox->pfns[count] = pfn;
	schedule_point();
	count_put(&inbox->count, count + 1);
}

/*
 * lru_remove() of one page, if it is the one that came last on this CPU, and alone:
 * no list ever had it. False: nothing was changed.
 */
ALWAYS_INLINE bool lru_remove_quick(pfn_t pfn)
{
	struct inbox *inbox = THIS_CPU->inbox;
	uint32_t count = count_try_take(&inbox->count);
	bool is_last;

	if (UNLIKELY(count == COUNT_BUSY))
		return false;
	is_last = count && inbox->pfns[count - 1] == pfn && inbox->run_count == 0;
	if (LIKELY(is_last))
		frame_flag_clear(&frames[pfn], PAGE_LISTED);
	schedule_point();
	count_put(&inbox->count, count - is_last);
	return is_last;
}
