/*
 * bench_pattern.c: major-fault-PATTERN: what a page fault costs that reads its
 * page back from swap, in the four patterns of pattern.h, on half as many frames
 * as pages, under the policy of the moment.
 *
 * The figure is all that the references cost, evictions and writes included and
 * whatever else they cause, without what they cost when each goes to the same
 * resident page, over the number of major faults. Beside it stands that number,
 * and how often a fault wrote a page.
 */
#include "kernel/mm/commit.h"
#include "kernel/proc/program.h"
#include "tests/bench/bench.h"
#include "tests/bench/pattern.h"

/* Frames that must be left over: the process's tables and stack. */
#define FRAMES_BESIDE 128u

static struct {
	const char *name;
	enum pattern_kind kind;
	struct bench_run run;
	uint64_t overhead;
} bench;

/* The same instructions for all pages (mask: all ones) and for one (0). */
static void references_make(volatile uint64_t *words, uint32_t mask)
{
	uint32_t count = pattern_references(bench.kind);
	struct pattern pattern;

	pattern_begin(&pattern, bench.kind);
	for (uint32_t i = 0; i < count; i++) {
		struct reference reference = pattern_next(&pattern);
		volatile uint64_t *word = &words[(reference.page & mask) * (PAGE_SIZE / 8)];

		if (reference.is_store)
			*word = i + 1;
		else
			(void)*word;
	}
}

static int pattern_main(int argc, char **argv)
{
	uint64_t *words = vmap_malloc(self_vmap(), (int)(PATTERN_PAGES * PAGE_SIZE));
	struct bench_run resident;

	(void)argc, (void)argv;
	if (!words)
		return *vmap_errno();
	for (uint64_t page = 0; page < PATTERN_PAGES; page++)
		words[page * (PAGE_SIZE / 8)] = page + 1;
	bench_start(&bench.run);
	references_make(words, UINT32_MAX);
	bench_stop(&bench.run, 0);
	bench.run.operations = bench.run.counters[COUNTER_PGMAJFAULT];
	words[0] = 1;
	bench_start(&resident);
	references_make(words, 0);
	bench_stop(&resident, 0);
	bench.overhead = resident.elapsed;
	return 0;
}

/* Does the machine have the frames, and slots for the other pages? */
static bool fits(void)
{
	struct commit_state commit = commit_read();
	uint64_t away = PATTERN_PAGES - PATTERN_FRAMES + commit.reserve + FRAMES_BESIDE;

	if (commit_resident_max() >= PATTERN_FRAMES + FRAMES_BESIDE && commit.slots >= away)
		return true;
	bench_say(bench.name, "needs %u frames and %lu slots, there are %lu and %lu",
		  PATTERN_FRAMES + FRAMES_BESIDE, away, commit_resident_max(), commit.slots);
	return false;
}

static void pattern_bench(const char *name, enum pattern_kind kind)
{
	bench.name = name;
	bench.kind = kind;
	if (!fits() || !bench_process_within(name, PATTERN_FRAMES, pattern_main))
		return;
	bench_print_major_faults(&bench.run, name, bench.overhead);
	bench_print_total(name, "faults", bench.run.counters[COUNTER_PGMAJFAULT]);
}

BENCH(pattern_sequential, "major-fault-sequential")
{
	pattern_bench("major-fault-sequential", PATTERN_SEQUENTIAL);
}

BENCH(pattern_uniform, "major-fault-uniform")
{
	pattern_bench("major-fault-uniform", PATTERN_UNIFORM);
}

BENCH(pattern_zipf, "major-fault-zipf")
{
	pattern_bench("major-fault-zipf", PATTERN_ZIPF);
}

BENCH(pattern_hot, "major-fault-hot")
{
	pattern_bench("major-fault-hot", PATTERN_HOT);
}
