/*
 * bench_block.c: blocks that come, are touched, and go, while memory is plenty.
 *
 * malloc-touch-free-N   a vmap_malloc() of N pages, a store to each, a vmap_free()
 * random-replace-16     of CHURN_LIVE blocks of 16 pages one at random is freed, another
 *                       allocated and each of its pages stored to
 * free-page             the vmap_free() of a block of CHURN_TOUCH_PAGES touched pages,
 *                       over their number
 */
#include "kernel/proc/program.h"
#include "lib/random.h"
#include "tests/bench/bench.h"
#include "tests/bench/churn.h"

static struct {
	unsigned pages; /* of a block */
	struct bench_run run;
	uint64_t overhead;
} bench;

static void touch(volatile uint8_t *block, unsigned pages)
{
	for (unsigned page = 0; page < pages; page++)
		block[page * PAGE_SIZE] = 1;
}

/* A block with each page touched; NULL if there is no memory. */
static uint8_t *block_make(unsigned pages)
{
	uint8_t *block = vmap_malloc(self_vmap(), (int)(pages * PAGE_SIZE));

	if (block)
		touch(block, pages);
	return block;
}

/* ---- malloc, touch, free ----------------------------------------------------------- */

static bool block_rounds(unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		uint8_t *block = block_make(bench.pages);

		if (!block)
			return false;
		vmap_free(self_vmap(), block);
	}
	return true;
}

static int block_main(int argc, char **argv)
{
	bool ok;

	(void)argc, (void)argv;
	if (!block_rounds(1)) /* its page tables exist from now on */
		return ENOMEM;
	bench_start(&bench.run);
	ok = block_rounds(CHURN_ROUNDS);
	bench_stop(&bench.run, CHURN_ROUNDS);
	return ok ? 0 : ENOMEM;
}

static void print_figures(const char *name)
{
	bench_print(&bench.run, name, bench.overhead);
	bench_print_count(&bench.run, name, "exceptions", bench.run.counters[COUNTER_PGFAULT]);
	bench_print_count(&bench.run, name, "flushes", bench.run.counters[COUNTER_TLB_FLUSH]);
	bench_print_count(&bench.run, name, "ipis", bench.run.counters[COUNTER_IPI]);
}

static void block_bench(const char *name, unsigned pages)
{
	bench.pages = pages;
	bench.overhead = bench_loop_cost(CHURN_ROUNDS);
	if (bench_process(name, block_main))
		print_figures(name);
}

BENCH(malloc_touch_free_1, "malloc-touch-free-1")
{
	block_bench("malloc-touch-free-1", 1);
}

BENCH(malloc_touch_free_16, "malloc-touch-free-16")
{
	block_bench("malloc-touch-free-16", 16);
}

/* ---- Random replace ------------------------------------------------------------------ */

static uint8_t *live[CHURN_LIVE];

static bool replace_rounds(void)
{
	struct random random;

	random_seed(&random, RANDOM_SEED);
	for (unsigned i = 0; i < CHURN_ROUNDS; i++) {
		uint8_t **block = &live[random_below(&random, CHURN_LIVE)];

		vmap_free(self_vmap(), *block);
		*block = block_make(CHURN_PAGES);
		if (!*block)
			return false;
	}
	return true;
}

static int replace_main(int argc, char **argv)
{
	bool ok;

	(void)argc, (void)argv;
	for (unsigned i = 0; i < CHURN_LIVE; i++) {
		live[i] = block_make(CHURN_PAGES);
		if (!live[i])
			return ENOMEM;
	}
	bench_start(&bench.run);
	ok = replace_rounds();
	bench_stop(&bench.run, CHURN_ROUNDS);
	return ok ? 0 : ENOMEM;
}

BENCH(random_replace, "random-replace-16")
{
	bench.overhead = bench_loop_cost(CHURN_ROUNDS);
	if (bench_process("random-replace-16", replace_main))
		print_figures("random-replace-16");
}

/* ---- Free, a page ---------------------------------------------------------------------- */

static int free_main(int argc, char **argv)
{
	uint8_t *block = block_make(CHURN_TOUCH_PAGES);

	(void)argc, (void)argv;
	if (!block)
		return ENOMEM;
	bench_start(&bench.run);
	vmap_free(self_vmap(), block);
	bench_stop(&bench.run, CHURN_TOUCH_PAGES);
	return 0;
}

BENCH(free_page, "free-page")
{
	bench.overhead = 0;
	if (bench_process("free-page", free_main))
		print_figures("free-page");
}
