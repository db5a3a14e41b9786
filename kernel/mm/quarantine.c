/*
 * quarantine.c: one shootdown for many freed pages, or none.
 *
 *   release.c --quarantine_add()--> [quarantine of the CPU] --batch_free()--> free
 *                                     `cpus` may reach them     `cpus` were told: when it is
 *                                              |                full, or by quarantine_drain()
 *                                              |
 *                                              +--quarantine_take_back()--> the same pages' again
 *
 * A CPU that frees pages flushes its own translations at once and goes on. Another one may
 * read and write a frame that rests here until it is told, as if the page were freed later; or
 * until it switches threads (address_space_load()): a thread that has slept since, or comes
 * from another CPU, finds the page gone. If the frame is mapped again where it was, then what
 * the other CPU has is right.
 *
 * Invariants:
 *  1. A frame here is PRIVATE, counted as resident, and on no list; no entry has it.
 *  2. `cpus` has every CPU that may still have a translation of a frame here.
 *  3. quarantine_pages is the number of frames here, or more: never less.
 * Locks: a quarantine's count (as count_lock.h) guards all of it. Whoever has it may wait for
 * other CPUs' acknowledgement; so nobody who wants it has a spinlock, and all serve meanwhile.
 */
#include "kernel/mm/quarantine.h"

#include "kernel/config.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/sched/count_lock.h"
#include "lib/string.h"

static struct quarantine {
	uint32_t count; /* and its lock */
	uint32_t batch; /* how often it was emptied */
	uint64_t cpus;
	pfn_t pfns[QUARANTINE_PAGES];
} __attribute__((aligned(64))) quarantines[CPU_MAX];

uint64_t quarantine_pages;

static uint32_t quarantine_take(struct quarantine *quarantine)
{
	uint32_t count;

	DEBUG_ASSERT(lock_debug_count() == 0);
	while ((count = count_try_take(&quarantine->count)) == COUNT_BUSY) {
		tlb_serve();
		schedule_wait();
	}
	return count;
}

/* All frames of a quarantine that was taken are free: whoever could reach them is told. */
static void batch_free(struct quarantine *quarantine, uint32_t count)
{
	if (quarantine->cpus)
		tlb_shootdown(quarantine->cpus, NULL, TLB_FLUSH_ALL + 1);
	quarantine->cpus = 0;
	for (uint32_t done = 0; done < count; done += MAGAZINE_FRAMES)
		reclaim_pages_free(&quarantine->pfns[done], MIN(count - done, MAGAZINE_FRAMES));
	__atomic_store_n(&quarantine->batch, quarantine->batch + 1, __ATOMIC_RELEASE);
	__atomic_fetch_sub(&quarantine_pages, count, __ATOMIC_RELEASE);
}

struct quarantine_mark quarantine_add(struct address_space *space, uint64_t others,
				      const pfn_t *pfns, unsigned count)
{
	struct quarantine *quarantine = &quarantines[THIS_CPU->id];
	struct quarantine_mark mark = {.cpu = (uint16_t)THIS_CPU->id};
	uint32_t here = quarantine_take(quarantine);

	if (here + count > QUARANTINE_PAGES) {
		batch_free(quarantine, here);
		here = 0;
	}
	__atomic_fetch_add(&quarantine_pages, count, __ATOMIC_RELAXED);
	quarantine->cpus |= others;
	memcpy(&quarantine->pfns[here], pfns, count * sizeof(*pfns));
	mark.batch = (uint16_t)quarantine->batch;
	if (!(READ_ONCE(lru_exceptions) & LRU_QUARANTINE))
		__atomic_fetch_or(&lru_exceptions, LRU_QUARANTINE, __ATOMIC_SEQ_CST);
	count_put(&quarantine->count, here + count);
	address_space_stale(space, others);
	return mark;
}

bool quarantine_take_back(uint16_t slot, vaddr_t address, unsigned span, pfn_t *pfns,
			  unsigned count)
{
	struct quarantine *quarantine = &quarantines[THIS_CPU->id];
	uint32_t here = count_try_take(&quarantine->count), left = here;
	bool found = true;

	if (here == COUNT_BUSY)
		return false;
	/* Their descriptors still say which pages they were. */
	for (; left; left--) {
		pfn_t pfn = quarantine->pfns[left - 1];
		uint64_t page = (frames[pfn].page.address - address) / PAGE_SIZE;

		if (frames[pfn].owner != slot || page >= span)
			break;
		if (page < count)
			pfns[page] = pfn;
		else
			found = false;
	}
	found &= here - left == count;
	if (found)
		__atomic_fetch_sub(&quarantine_pages, count, __ATOMIC_RELEASE);
	count_put(&quarantine->count, found ? left : here);
	return found;
}

bool quarantine_is_past(struct quarantine_mark mark)
{
	return __atomic_load_n(&quarantines[mark.cpu].batch, __ATOMIC_ACQUIRE) %
		       (UINT16_MAX + 1u) !=
	       mark.batch;
}

void quarantine_drain_all(void)
{
	uint64_t flags = irq_save();

	/* Before a quarantine is taken: who adds to one and still finds it set is waited for. */
	__atomic_fetch_and(&lru_exceptions, ~LRU_QUARANTINE, __ATOMIC_SEQ_CST);
	for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
		struct quarantine *quarantine = &quarantines[cpu];
		uint32_t count = quarantine_take(quarantine);

		if (count)
			batch_free(quarantine, count);
		count_put(&quarantine->count, 0);
	}
	irq_restore(flags);
}
