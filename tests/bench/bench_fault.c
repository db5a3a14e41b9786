/*
 * bench_fault.c: major-fault-N: a page fault that reads its page back from swap
 * and writes another one out for it, with N frames.
 *
 * A process stores to pages chosen at random out of twice the resident limit.
 * About every second page is away, and what leaves has always been written to.
 * The figure is all that the loop costs, without what the same loop costs on
 * one resident page, over the number of major faults: what the touches of
 * resident pages cause (soft faults) is in it.
 */
#include "kernel/mm/commit.h"
#include "kernel/proc/program.h"
#include "lib/random.h"
#include "tests/bench/bench.h"

#define STORES_MIN 20000u
/* Frames that must be left over: the process's tables and stack. */
#define FRAMES_BESIDE 64u

static struct {
	const char *name;
	uint64_t frames;
	uint64_t stores;
	struct bench_run run;
	uint64_t overhead;
} bench;

/* The same instructions whether it goes over many pages or one. */
static void store_random(const struct bench_pages *memory, uint64_t pages, uint64_t stores)
{
	struct random random;

	random_seed(&random, RANDOM_SEED);
	for (uint64_t i = 0; i < stores; i++)
		*bench_page(memory, random_below(&random, pages)) = i + 1;
}

static int fault_main(int argc, char **argv)
{
	uint64_t pages = 2 * bench.frames;
	struct bench_pages memory;
	struct bench_run resident;

	(void)argc, (void)argv;
	if (!bench_pages_alloc(&memory, pages))
		return ENOMEM;
	for (uint64_t page = 0; page < pages; page++)
		*bench_page(&memory, page) = page + 1;
	bench_start(&bench.run);
	store_random(&memory, pages, bench.stores);
	bench_stop(&bench.run, 0);
	bench.run.operations = bench.run.counters[COUNTER_PGMAJFAULT];
	*bench_page(&memory, 0) = 1;
	bench_start(&resident);
	store_random(&memory, 1, bench.stores);
	bench_stop(&resident, 0);
	bench.overhead = resident.elapsed;
	return 0;
}

/* Does the machine have the frames, and slots for as many pages more? */
static bool fits(uint64_t frame_count)
{
	struct commit_state commit = commit_read();

	if (commit_resident_max() >= frame_count + FRAMES_BESIDE &&
	    commit.slots >= frame_count + commit.reserve + FRAMES_BESIDE)
		return true;
	bench_say(bench.name, "needs %lu frames and slots, there are %lu and %lu", frame_count,
		  commit_resident_max(), commit.slots);
	return false;
}

static void fault_bench(const char *name, uint64_t frame_count)
{
	bench.name = name;
	bench.frames = frame_count;
	bench.stores = MAX(2 * frame_count, (uint64_t)STORES_MIN);
	if (fits(frame_count) && bench_process_within(name, frame_count, fault_main))
		bench_print_major_faults(&bench.run, name, bench.overhead);
}

BENCH(major_fault_1000, "major-fault-1000")
{
	fault_bench("major-fault-1000", 1000);
}

BENCH(major_fault_10000, "major-fault-10000")
{
	fault_bench("major-fault-10000", 10000);
}

BENCH(major_fault_100000, "major-fault-100000")
{
	fault_bench("major-fault-100000", 100000);
}

BENCH(major_fault_1000000, "major-fault-1000000")
{
	fault_bench("major-fault-1000000", 1000000);
}
