/*
 * commit.h: strict commit. A page is promised only if frames and swap can hold
 * it together with everything promised before, so memory that was given is
 * never taken back.
 *
 *   capacity = min(resident limit, RAM - kernel frames) + usable slots - reserve
 *
 * The reserve covers pages in flight, so that exactly full still moves.
 */
#pragma once

#include "kernel/sched/spinlock.h"
#include "lib/errno.h"
#include "lib/types.h"

/* Pages of processes that were promised but not given back, and what may still be promised. */
struct commit_state {
	uint64_t committed;
	int64_t available;
	uint64_t kernel_pages; /* frames of kernel, page tables and ramdisk */
	uint64_t reserve;
	uint64_t limit; /* resident frames of processes; UINT64_MAX: all there are */
	uint64_t slots; /* usable ones */
};

/* Boot: everything that is not free now belongs to the kernel. */
void commit_init(uint64_t ram_pages, uint64_t kernel_pages, uint64_t slots, uint64_t reserve);

extern int64_t commit_available; /* atomic: pages that may still be promised */

/* Promises pages. 0 or -ENOMEM. Lock-free. */
ALWAYS_INLINE int MUST_CHECK commit_charge(uint64_t pages)
{
	int64_t available = __atomic_load_n(&commit_available, __ATOMIC_RELAXED);

	do {
		if (UNLIKELY(pages && available < (int64_t)pages))
			return -ENOMEM;
		schedule_point();
	} while (UNLIKELY(!__atomic_compare_exchange_n(&commit_available, &available,
						       available - (int64_t)pages, false,
						       __ATOMIC_RELAXED, __ATOMIC_RELAXED)));
	return 0;
}

ALWAYS_INLINE void commit_uncharge(uint64_t pages)
{
	__atomic_fetch_add(&commit_available, (int64_t)pages, __ATOMIC_RELAXED);
}

/* The same for frames that the kernel is about to take for itself. */
int commit_kernel_charge(uint64_t pages) MUST_CHECK;
void commit_kernel_uncharge(uint64_t pages);

/* A new resident limit (UINT64_MAX: none). -ENOMEM if more is promised than it would hold. */
int commit_set_limit(uint64_t frames) MUST_CHECK;

/* Slots that became unusable (write errors). May leave less than is promised. */
void commit_lose_slots(uint64_t slots);
void commit_regain_slots(uint64_t slots);

/* Frames that process pages may occupy now: min(limit, RAM - kernel frames). */
extern uint64_t commit_resident_limit;

ALWAYS_INLINE uint64_t commit_resident_max(void)
{
	return READ_ONCE(commit_resident_limit);
}

struct commit_state commit_read(void);
