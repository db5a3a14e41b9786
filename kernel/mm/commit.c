/*
 * commit.c: the counters of strict commit.
 *
 * Invariants:
 *  1. available = capacity - committed, and never below 0 but for lost slots.
 *  2. capacity = min(limit, RAM - kernel_pages) + slots - reserve.
 * `available` is one atomic word, so promising pages takes no lock. What
 * changes the capacity (the kernel's own frames, the limit, lost slots) does so
 * under the commit lock and moves `available` by the difference.
 */
#include "kernel/mm/commit.h"

#include "lib/errno.h"

int64_t commit_available;
uint64_t commit_resident_limit;

static struct {
	struct spinlock lock;
	/* Guarded by the lock. */
	int64_t capacity GUARDED_BY(lock);
	uint64_t ram_pages GUARDED_BY(lock);
	uint64_t kernel_pages GUARDED_BY(lock);
	uint64_t limit GUARDED_BY(lock);
	uint64_t slots GUARDED_BY(lock);
	uint64_t reserve GUARDED_BY(lock);
} commit = {.lock = SPINLOCK(COMMIT), .limit = UINT64_MAX};

static uint64_t resident_max_locked(void) REQUIRES(commit.lock)
{
	return MIN(commit.limit, commit.ram_pages - commit.kernel_pages);
}

/* Recomputes the capacity; -ENOMEM, and nothing is changed, if more is promised already. */
static int recompute_locked(bool force) REQUIRES(commit.lock)
{
	int64_t capacity =
		(int64_t)(resident_max_locked() + commit.slots) - (int64_t)commit.reserve;
	int64_t change = capacity - commit.capacity;
	int64_t available = __atomic_load_n(&commit_available, __ATOMIC_RELAXED);

	do {
		if (!force && change < 0 && available + change < 0)
			return -ENOMEM;
	} while (!__atomic_compare_exchange_n(&commit_available, &available, available + change,
					      false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	commit.capacity = capacity;
	WRITE_ONCE(commit_resident_limit, resident_max_locked());
	return 0;
}

void commit_init(uint64_t ram_pages, uint64_t kernel_pages, uint64_t slots, uint64_t reserve)
{
	uint64_t flags = spin_lock_irq(&commit.lock);

	commit.ram_pages = ram_pages;
	commit.kernel_pages = kernel_pages;
	commit.slots = slots;
	commit.reserve = reserve;
	(void)recompute_locked(true);
	spin_unlock_irq(&commit.lock, flags);
}

int commit_kernel_charge(uint64_t pages)
{
	uint64_t flags = spin_lock_irq(&commit.lock);
	int result = -ENOMEM;

	/* However much swap there is, a few frames must stay for pages to pass through. */
	if (commit.kernel_pages + pages + commit.reserve + RESIDENT_MIN <= commit.ram_pages) {
		commit.kernel_pages += pages;
		result = recompute_locked(false);
		if (result)
			commit.kernel_pages -= pages;
	}
	spin_unlock_irq(&commit.lock, flags);
	return result;
}

void commit_kernel_uncharge(uint64_t pages)
{
	uint64_t flags = spin_lock_irq(&commit.lock);

	ASSERT(commit.kernel_pages >= pages);
	commit.kernel_pages -= pages;
	(void)recompute_locked(true);
	spin_unlock_irq(&commit.lock, flags);
}

int commit_set_limit(uint64_t limit)
{
	uint64_t flags = spin_lock_irq(&commit.lock);
	uint64_t before = commit.limit;
	int result;

	commit.limit = limit;
	result = recompute_locked(false);
	if (result)
		commit.limit = before;
	spin_unlock_irq(&commit.lock, flags);
	return result;
}

void commit_lose_slots(uint64_t slots)
{
	uint64_t flags = spin_lock_irq(&commit.lock);

	commit.slots -= slots;
	(void)recompute_locked(true);
	spin_unlock_irq(&commit.lock, flags);
}

void commit_regain_slots(uint64_t slots)
{
	uint64_t flags = spin_lock_irq(&commit.lock);

	commit.slots += slots;
	(void)recompute_locked(true);
	spin_unlock_irq(&commit.lock, flags);
}

struct commit_state commit_read(void)
{
	uint64_t flags = spin_lock_irq(&commit.lock);
	int64_t available = __atomic_load_n(&commit_available, __ATOMIC_RELAXED);
	struct commit_state state = {
		.committed = (uint64_t)(commit.capacity - available),
		.available = available,
		.kernel_pages = commit.kernel_pages,
		.reserve = commit.reserve,
		.limit = commit.limit,
		.slots = commit.slots,
	};

	spin_unlock_irq(&commit.lock, flags);
	return state;
}
