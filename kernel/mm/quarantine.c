/*
 * quarantine.c: one shootdown for many freed pages.
 *
 *   release.c --quarantine_add()--> [quarantine of the CPU] --quarantine_drain()--> free
 *                                     `cpus` may have them          `cpus` have flushed
 *
 * A CPU that frees pages flushes its own translations at once and goes on. Another one may
 * read and write a frame that rests here until it is told, as if the page were freed later; or
 * until it switches threads (address_space_load()), so a thread that has slept since, or come
 * from another CPU, finds the page gone.
 *
 * Invariants:
 *  1. A frame here is PRIVATE, counted as resident, and on no list: no entry has it.
 *  2. `cpus` of a quarantine has every CPU that may still have a translation of a frame in it.
 *  3. quarantine_pages is the number of all frames here, or more, never less.
 * Locks: a quarantine's count (as count_lock.h). Whoever has it may wait for the other CPUs'
 * acknowledgement; so it is taken with no spinlock held, and who waits for it serves them.
 */
#include "kernel/mm/quarantine.h"

#include "kernel/config.h"
#include "kernel/mm/reclaim.h"
#include "kernel/sched/count_lock.h"
#include "lib/string.h"

static struct quarantine {
	uint32_t count; /* and its lock */
	uint64_t cpus;
	pfn_t pfns[QUARANTINE_PAGES];
} quarantines[CPU_MAX] __attribute__((aligned(64)));

static uint64_t quarantine_pages; /* atomic */

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

/* All frames of a quarantine that was taken are free. Interrupts are off. */
static void release_all(struct quarantine *quarantine, uint32_t count)
{
	tlb_shootdown(quarantine->cpus, NULL, TLB_FLUSH_ALL + 1);
	quarantine->cpus = 0;
	for (uint32_t done = 0; done < count; done += MAGAZINE_FRAMES)
		reclaim_pages_free(&quarantine->pfns[done], MIN(count - done, MAGAZINE_FRAMES));
	__atomic_fetch_sub(&quarantine_pages, count, __ATOMIC_RELEASE);
}

void quarantine_add(struct address_space *space, uint64_t others, const pfn_t *pfns, unsigned count)
{
	struct quarantine *quarantine = &quarantines[THIS_CPU->id];
	uint32_t here = quarantine_take(quarantine);

	if (here + count > QUARANTINE_PAGES) {
		release_all(quarantine, here);
		here = 0;
	}
	__atomic_fetch_add(&quarantine_pages, count, __ATOMIC_RELAXED);
	quarantine->cpus |= others;
	memcpy(&quarantine->pfns[here], pfns, count * sizeof(*pfns));
	count_put(&quarantine->count, here + count);
	address_space_stale(space, others);
}

static SLOW_PATH void drain_all(void)
{
	uint64_t flags = irq_save();

	for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
		uint32_t count = quarantine_take(&quarantines[cpu]);

		if (count)
			release_all(&quarantines[cpu], count);
		count_put(&quarantines[cpu].count, 0);
	}
	irq_restore(flags);
}

bool quarantine_drain(void)
{
	if (LIKELY(__atomic_load_n(&quarantine_pages, __ATOMIC_ACQUIRE) == 0))
		return false;
	drain_all();
	return true;
}
