/*
 * quarantine.c: one shootdown for many freed pages, or none.
 *
 *   release.c --quarantine_add()--> [quarantine of the CPU] --batch_free()--> free
 *                                     `cpus` may reach them     `cpus` is empty:
 *                                                               each has flushed by itself, help()
 *                                                               or was told, quarantine_drain()
 *
 * A CPU that frees pages flushes its own translations at once and goes on. Another one may
 * read and write a frame that rests here until it is told, as if the page were freed later; or
 * until it switches threads (address_space_load()): a thread that has slept since, or comes
 * from another CPU, finds the page gone.
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
#include "kernel/mm/reclaim.h"
#include "kernel/sched/count_lock.h"
#include "lib/string.h"

static struct quarantine {
	uint32_t count; /* and its lock */
	uint32_t batch; /* how often it was emptied */
	uint64_t cpus;
	uint32_t helped[CPU_MAX]; /* the batch for which that CPU has flushed by itself, + 1 */
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

/*
 * This CPU flushes for another whose quarantine is half full, before it has to ask: once a
 * batch, as it may be given new translations of what is added afterwards.
 */
static void help(struct quarantine *quarantine)
{
	unsigned self = THIS_CPU->id;
	uint32_t count = __atomic_load_n(&quarantine->count, __ATOMIC_ACQUIRE);
	uint32_t batch = __atomic_load_n(&quarantine->batch, __ATOMIC_ACQUIRE), now;

	if (count == COUNT_BUSY || count < QUARANTINE_PAGES / 2 ||
	    READ_ONCE(quarantine->helped[self]) == batch + 1)
		return;
	/* Nobody waits for it: what is counted was none before it was counted. */
	tlb_flush_local_all();
	now = count_try_take(&quarantine->count);
	if (now == COUNT_BUSY)
		return;
	if (now == count && quarantine->batch == batch)
		WRITE_ONCE(quarantine->cpus, quarantine->cpus & ~(1ull << self));
	quarantine->helped[self] = batch + 1;
	count_put(&quarantine->count, now);
}

static void help_others(void)
{
	uint64_t self = 1ull << THIS_CPU->id;

	for (unsigned cpu = 0; cpu < cpu_count; cpu++)
		if (UNLIKELY(READ_ONCE(quarantines[cpu].cpus) & self))
			help(&quarantines[cpu]);
}

struct quarantine_mark quarantine_add(struct address_space *space, uint64_t others,
				      const pfn_t *pfns, unsigned count)
{
	struct quarantine *quarantine = &quarantines[THIS_CPU->id];
	struct quarantine_mark mark = {.cpu = (uint16_t)THIS_CPU->id};
	uint32_t here;

	help_others();
	here = quarantine_take(quarantine);
	if (here && (quarantine->cpus == 0 || here + count > QUARANTINE_PAGES)) {
		batch_free(quarantine, here);
		here = 0;
	}
	__atomic_fetch_add(&quarantine_pages, count, __ATOMIC_RELAXED);
	WRITE_ONCE(quarantine->cpus, quarantine->cpus | others);
	memcpy(&quarantine->pfns[here], pfns, count * sizeof(*pfns));
	mark.batch = (uint16_t)quarantine->batch;
	count_put(&quarantine->count, here + count);
	address_space_stale(space, others);
	return mark;
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

	for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
		struct quarantine *quarantine = &quarantines[cpu];
		uint32_t count = quarantine_take(quarantine);

		if (count || quarantine->cpus)
			batch_free(quarantine, count);
		count_put(&quarantine->count, 0);
	}
	irq_restore(flags);
}
