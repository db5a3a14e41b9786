/*
 * bench.h: quire's own figures, for the console's `bench`.
 *
 *     BENCH(copy, "copy-4k")
 *     {
 *             ...
 *             bench_start(&run);
 *             loop
 *             bench_stop(&run, operations);
 *             bench_print(&run, "copy-4k", cost of the empty loop);
 *     }
 *
 * Under QEMU's icount the time stamp counter advances by one per instruction,
 * so `make bench` prints exact instructions, the same in each run; elsewhere
 * the unit is ticks of that counter. A bench runs in the console's thread.
 */
#pragma once

#include "kernel/counters.h"
#include "lib/types.h"

struct bench {
	const char *name;
	void (*run)(void);
};

#define BENCH(identifier, bench_name)                                                            \
	static void bench_##identifier(void);                                                    \
	static const struct bench bench_##identifier##_entry = {bench_name, bench_##identifier}; \
	static const struct bench *const bench_##identifier##_pointer                            \
		__attribute__((used, no_reorder, section(".table.benches"))) =                   \
			&bench_##identifier##_entry;                                             \
	static void bench_##identifier(void)

/* One measurement. */
struct bench_run {
	uint64_t elapsed; /* after bench_stop(): instructions, or ticks */
	uint64_t operations;
	uint64_t number; /* the first bench_start() of a boot is 1, the next 2, ... */
	uint64_t counters[COUNTER_COUNT]; /* what happened meanwhile */
};

/* Begins right after a timer tick, so that each run has as many of them. Interrupts are on. */
void bench_start(struct bench_run *run);
void bench_stop(struct bench_run *run, uint64_t operations);

/*
 * `bench NAME VALUE UNIT`: the rounded mean of an operation, without `overhead` in all; and
 * "# NAME: N operations, measurement M": by M, what counts outside finds it (tests/tools/locked).
 */
void bench_print(const struct bench_run *run, const char *name, uint64_t overhead);

/* `bench NAME.WORD VALUE count`: how often something happens in an operation, two decimals. */
void bench_print_count(const struct bench_run *run, const char *name, const char *word,
		       uint64_t count);

/* The same in all, not for each operation. */
void bench_print_total(const char *name, const char *word, uint64_t count);

/* `bench NAME VALUE UNIT`, a plain number of instructions. */
void bench_print_value(const char *name, uint64_t value);

/* `bench NAMESUFFIX VALUE ratio`, three decimals. */
void bench_print_ratio(const char *name, const char *suffix, uint64_t thousandths);

/* `bench NAME.contended-LOCK VALUE count`: how often somebody had to wait for it, in all. */
void bench_print_contended(const char *name, const char *lock, uint64_t count);

/* Does the time stamp counter count instructions (icount)? */
bool bench_counts_instructions(void);

/* "# NAME: sentence": there is no figure, and why. */
void bench_say(const char *name, const char *format, ...) PRINTF_LIKE(2, 3);

/* What an empty loop of so many rounds costs. */
uint64_t bench_loop_cost(uint64_t rounds);

/* Keeps the compiler from dropping or merging a loop's rounds. */
#define BENCH_BARRIER() __asm__ volatile("" : : : "memory")

/* Runs main as a process and waits for it; false, and said, if it did not exit with 0. */
bool bench_process(const char *name, int (*main)(int argc, char **argv));

/* The same with so many frames for all processes meanwhile; if they cannot be, it says so. */
bool bench_process_within(const char *name, uint64_t frame_count,
			  int (*main)(int argc, char **argv));

/*
 * Pages of a process, up to 8 GiB, in pieces of 512 MiB: a block's size is an int, and there
 * are 4 GiB for the blocks of each size, so the later pieces are halves of larger blocks.
 * Free: of all that was had, also after a failure.
 */
#define BENCH_PIECE_SHIFT 17 /* of a piece's pages */
#define BENCH_PIECES_WHOLE 8
#define BENCH_PIECES_MAX 16
struct bench_pages {
	uint8_t *pieces[BENCH_PIECES_MAX];
};

bool bench_pages_alloc(struct bench_pages *pages, uint64_t count) MUST_CHECK;
void bench_pages_free(struct bench_pages *pages);

/* The first word of a page. */
static inline volatile uint64_t *bench_page(const struct bench_pages *pages, uint64_t page)
{
	uint64_t within = page & ((1u << BENCH_PIECE_SHIFT) - 1);

	return (uint64_t *)(pages->pieces[page >> BENCH_PIECE_SHIFT] + within * PAGE_SIZE);
}

/* The cost of a major fault, and exceptions, writes, flushes and IPIs beside it. */
void bench_print_major_faults(const struct bench_run *run, const char *name, uint64_t overhead);
