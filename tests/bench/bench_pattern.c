/*
 * bench_pattern.c: what a page fault costs that reads its page back from swap,
 * on half as many frames as pages, under the policy of the moment.
 *
 * major-fault-PATTERN  in the four patterns of pattern.h
 * major-fault-clean    any page, as in uniform, but loads only, of pages that are in
 *                      swap already: what leaves was not changed, nothing is written
 * ...-unsummed         the same, the swap device's bytes not summed as they pass:
 *                      what checksums cost. The device is the bench's own, before
 *                      the RAM disk and with its memory; all sums are 0 and equal,
 *                      and everything else is as ever.
 *
 * The figure is all that the references cost, evictions and writes included and
 * whatever else they cause, without what they cost when each goes to the same
 * resident page, over the number of major faults. Beside it stands that number,
 * and how often a fault wrote a page.
 */
#include "arch/x86_64/page_bytes.h"
#include "kernel/dev/ramdisk.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "tests/bench/bench.h"
#include "tests/bench/pattern.h"

/* Frames that must be left over: the process's tables and stack. */
#define FRAMES_BESIDE 128u

static struct {
	const char *name;
	enum pattern_kind kind;
	enum { AS_IT_IS, LOADS_ONLY } references;
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

		if (reference.is_store && bench.references == AS_IT_IS)
			*word = i + 1;
		else
			(void)*word;
	}
}

/* Each page leaves, and comes back at most for a load: from here on all of them are clean. */
static void all_written(volatile const uint64_t *words)
{
	for (unsigned sweep = 0; sweep < 2; sweep++)
		for (uint64_t page = 0; page < PATTERN_PAGES; page++)
			(void)words[page * (PAGE_SIZE / 8)];
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
	if (bench.references == LOADS_ONLY)
		all_written(words);
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

/*
 * Does the machine have the frames, and slots for the other pages? Where pages are to leave
 * clean, for all of them, and an eighth more: with fewer, who comes back gives up his slot.
 */
static bool fits(void)
{
	struct commit_state commit = commit_read();
	uint64_t slots = PATTERN_PAGES - PATTERN_FRAMES;

	if (bench.references == LOADS_ONLY)
		slots = PATTERN_PAGES + PATTERN_PAGES / 4;
	slots += commit.reserve + FRAMES_BESIDE;
	if (commit_resident_max() >= PATTERN_FRAMES + FRAMES_BESIDE && commit.slots >= slots)
		return true;
	bench_say(bench.name, "needs %u frames and %lu slots, there are %lu and %lu",
		  PATTERN_FRAMES + FRAMES_BESIDE, slots, commit_resident_max(), commit.slots);
	return false;
}

static void measure(const char *name, enum pattern_kind kind)
{
	bench.name = name;
	bench.kind = kind;
	if (!fits() || !bench_process_within(name, PATTERN_FRAMES, pattern_main))
		return;
	bench_print_major_faults(&bench.run, name, bench.overhead);
	bench_print_total(name, "faults", bench.run.counters[COUNTER_PGMAJFAULT]);
}

/* ---- Without sums ------------------------------------------------------------------ */

static struct block_device *summed; /* the RAM disk */

static struct page_copied plain_write(uint64_t block, const void *page, struct block_device *device)
{
	(void)device;
	page_copy(ramdisk_block((struct ramdisk *)summed, block), page);
	return (struct page_copied){0};
}

static struct page_copied plain_read(void *page, uint64_t block, struct block_device *device)
{
	(void)device;
	page_copy(page, ramdisk_block((struct ramdisk *)summed, block));
	return (struct page_copied){0};
}

static void measure_unsummed(const char *name, enum pattern_kind kind)
{
	static struct block_device plain = {.name = "ramdisk, no sums",
					    .write = plain_write,
					    .read = plain_read};

	/* What one device wrote the other could not read. */
	if (process_count() > 0) {
		bench_say(name, "not beside other processes");
		return;
	}
	plain.block_count = swap_read_counts().slots;
	summed = swap_set_device(&plain);
	measure(name, kind);
	ASSERT(swap_read_counts().used == 0);
	(void)swap_set_device(summed);
}

/* ---- The benchmarks ---------------------------------------------------------------- */

#define PATTERN_BENCH(word, kind, which)                                  \
	BENCH(pattern_##word, "major-fault-" #word)                       \
	{                                                                 \
		bench.references = which;                                 \
		measure("major-fault-" #word, kind);                      \
	}                                                                 \
	BENCH(unsummed_##word, "major-fault-" #word "-unsummed")          \
	{                                                                 \
		bench.references = which;                                 \
		measure_unsummed("major-fault-" #word "-unsummed", kind); \
	}

PATTERN_BENCH(sequential, PATTERN_SEQUENTIAL, AS_IT_IS)
PATTERN_BENCH(uniform, PATTERN_UNIFORM, AS_IT_IS)
PATTERN_BENCH(zipf, PATTERN_ZIPF, AS_IT_IS)
PATTERN_BENCH(hot, PATTERN_HOT, AS_IT_IS)
PATTERN_BENCH(clean, PATTERN_UNIFORM, LOADS_ONLY)
