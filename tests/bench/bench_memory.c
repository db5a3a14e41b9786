/*
 * bench_memory.c: frames, blocks, copies and first touches, while memory is
 * plenty.
 *
 * frame-alloc-free   a frame_alloc() and a frame_free(), by turns
 * frame-run-128      the same in runs of 128 each, so that filling and emptying
 *                    the magazine is in it
 * malloc-free-SIZE   a vmap_malloc() and a vmap_free() of a block that nobody
 *                    touches, with no other block in its page
 * copy-4k            4 KiB by vmap_copy_to_memory(), then by _from_: the mean
 * first-touch        a store to a page that has no frame, the exception and
 *                    the zeroing included, one page an exception
 * first-touch-neighbours
 *                    the same, a page, where an exception maps as many pages as
 *                    it may (fault_ahead.c)
 */
#include "arch/x86_64/cpu.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/reclaim.h"
#include "kernel/proc/program.h"
#include "tests/bench/bench.h"
#include "tests/bench/churn.h"

/* ---- Frames -------------------------------------------------------------------- */

#define FRAME_BATCH 128u
#define FRAME_PAIRS (100 * FRAME_BATCH)

static pfn_t pfns[FRAME_BATCH];

/* The loops without the calls: what bench_print() takes off. */
static uint64_t frame_loop_cost(unsigned run_length)
{
	struct bench_run run;

	bench_start(&run);
	for (unsigned done = 0; done < FRAME_PAIRS; done += run_length) {
		for (unsigned i = 0; i < run_length; i++)
			WRITE_ONCE(pfns[i], i);
		for (unsigned i = 0; i < run_length; i++)
			(void)READ_ONCE(pfns[i]);
	}
	bench_stop(&run, 1);
	return run.elapsed;
}

/* Interrupts are off; there are frames enough. */
static void frame_pairs(unsigned run_length)
{
	for (unsigned done = 0; done < FRAME_PAIRS; done += run_length) {
		for (unsigned i = 0; i < run_length; i++)
			WRITE_ONCE(pfns[i], frame_alloc(FRAME_KERNEL));
		for (unsigned i = 0; i < run_length; i++)
			frame_free(READ_ONCE(pfns[i]));
	}
}

static void frame_bench(const char *name, unsigned run_length)
{
	uint64_t overhead = frame_loop_cost(run_length);
	struct bench_run run;
	uint64_t flags;

	if (frame_free_count() < 2 * FRAME_BATCH) {
		bench_say(name, "too few frames are free");
		return;
	}
	bench_start(&run);
	flags = irq_save();
	frame_pairs(run_length);
	irq_restore(flags);
	bench_stop(&run, FRAME_PAIRS);
	bench_print(&run, name, overhead);
}

BENCH(frame_alloc_free, "frame-alloc-free")
{
	frame_bench("frame-alloc-free", 1);
}

BENCH(frame_run, "frame-run-128")
{
	frame_bench("frame-run-128", FRAME_BATCH);
}

/* ---- First touch ----------------------------------------------------------------- */

static uint64_t touch_pages;
static unsigned touch_neighbours;
static struct bench_run touch_run;
static uint64_t touch_overhead;

static void touch_all(volatile uint8_t *block)
{
	for (uint64_t page = 0; page < touch_pages; page++)
		block[page * PAGE_SIZE] = 1;
}

static int touch_main(int argc, char **argv)
{
	uint8_t *block = vmap_malloc(self_vmap(), (int)(touch_pages * PAGE_SIZE));
	struct bench_run again;

	(void)argc, (void)argv;
	if (!block)
		return *vmap_errno();
	self_vmap()->neighbours = touch_neighbours;
	bench_start(&touch_run);
	touch_all(block);
	bench_stop(&touch_run, touch_pages);
	bench_start(&again);
	touch_all(block);
	bench_stop(&again, touch_pages);
	touch_overhead = again.elapsed;
	return 0;
}

static void touch_bench(const char *name, unsigned neighbours)
{
	uint64_t room = MIN(frame_free_count(), reclaim_limit()) / 2;

	touch_pages = MIN(room, (uint64_t)CHURN_TOUCH_PAGES);
	touch_neighbours = neighbours;
	if (!bench_process(name, touch_main))
		return;
	bench_print(&touch_run, name, touch_overhead);
	bench_print_count(&touch_run, name, "exceptions", touch_run.counters[COUNTER_PGFAULT]);
	bench_print_count(&touch_run, name, "flushes", touch_run.counters[COUNTER_TLB_FLUSH]);
	bench_print_count(&touch_run, name, "ipis", touch_run.counters[COUNTER_IPI]);
}

BENCH(first_touch, "first-touch")
{
	touch_bench("first-touch", 1);
}

BENCH(first_touch_neighbours, "first-touch-neighbours")
{
	touch_bench("first-touch-neighbours", NEIGHBOURS_MAX);
}

/* ---- Blocks ---------------------------------------------------------------------- */

#define MALLOC_ROUNDS 2000u

static int malloc_size;
static struct bench_run malloc_run;

static bool malloc_rounds(unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		void *block = vmap_malloc(self_vmap(), malloc_size);

		if (!block)
			return false;
		vmap_free(self_vmap(), block);
	}
	return true;
}

static int malloc_main(int argc, char **argv)
{
	bool ok;

	(void)argc, (void)argv;
	if (!malloc_rounds(1)) /* its page tables exist from now on */
		return ENOMEM;
	bench_start(&malloc_run);
	ok = malloc_rounds(MALLOC_ROUNDS);
	bench_stop(&malloc_run, MALLOC_ROUNDS);
	return ok ? 0 : ENOMEM;
}

static void malloc_bench(const char *name, int size)
{
	malloc_size = size;
	if (!bench_process(name, malloc_main))
		return;
	bench_print(&malloc_run, name, bench_loop_cost(MALLOC_ROUNDS));
	bench_print_count(&malloc_run, name, "flushes", malloc_run.counters[COUNTER_TLB_FLUSH]);
}

BENCH(malloc_free_16, "malloc-free-16")
{
	malloc_bench("malloc-free-16", 16);
}

BENCH(malloc_free_4k, "malloc-free-4k")
{
	malloc_bench("malloc-free-4k", 4096);
}

BENCH(malloc_free_64k, "malloc-free-64k")
{
	malloc_bench("malloc-free-64k", 65536);
}

/* ---- Copies ---------------------------------------------------------------------- */

#define COPY_ROUNDS 1000u

static uint8_t copy_buffer[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct bench_run copy_run;

static int copy_main(int argc, char **argv)
{
	uint8_t *block = vmap_malloc(self_vmap(), PAGE_SIZE);
	int errors = 0;

	(void)argc, (void)argv;
	if (!block)
		return ENOMEM;
	block[0] = 1;
	bench_start(&copy_run);
	for (unsigned i = 0; i < COPY_ROUNDS; i++) {
		errors |= vmap_copy_to_memory(self_vmap(), block, copy_buffer, PAGE_SIZE);
		errors |= vmap_copy_from_memory(self_vmap(), copy_buffer, block, PAGE_SIZE);
	}
	bench_stop(&copy_run, 2 * COPY_ROUNDS);
	return -errors;
}

BENCH(copy, "copy-4k")
{
	if (bench_process("copy-4k", copy_main))
		bench_print(&copy_run, "copy-4k", bench_loop_cost(COPY_ROUNDS));
}
