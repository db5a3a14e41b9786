/*
 * bench_growth.c: what an operation costs as things grow.
 *
 * grow-touch-N, grow-free-N    a first touch, and giving back a touched page, of N
 * grow-alloc-N, grow-dealloc-N a vmap_malloc() of a page, and its vmap_free(), beside N
 *                              touched pages
 * grow-malloc-N, grow-mfree-N  a vmap_malloc() of 16 bytes, and the vmap_free() of one,
 *                              with N of them in the process; each holds the
 *                              address of the one before, so a store or a load is in it
 * grow-process-N               the start and end of a process that does nothing,
 *                              beside N that sleep
 *
 * Major faults over the number of frames are bench_fault.c's.
 */
#include "kernel/mm/commit.h"
#include "kernel/mm/frame.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "kernel/sched/semaphore.h"
#include "lib/format.h"
#include "tests/bench/bench.h"

/* Frames that must be left over. */
#define FRAMES_BESIDE 2048u
/* Blocks of a page that come and go beside a number of pages. */
#define BLOCKS_BESIDE 1000u

static struct {
	uint64_t count; /* N */
	struct bench_run first, second;
	struct bench_run alloc, dealloc;
	uint64_t overhead;
} grow;

static void print_named(const struct bench_run *run, const char *what, uint64_t overhead)
{
	char name[48];

	format(name, sizeof(name), "grow-%s-%lu", what, grow.count);
	bench_print(run, name, overhead);
}

/* Are there so many frames for pages of processes? Says so if not. */
static bool fits(const char *what, uint64_t frame_count)
{
	char name[48];

	if (frame_free_count() >= frame_count + FRAMES_BESIDE)
		return true;
	format(name, sizeof(name), "grow-%s-%lu", what, grow.count);
	bench_say(name, "needs %lu frames, %lu are free", frame_count + FRAMES_BESIDE,
		  frame_free_count());
	return false;
}

/* ---- Pages ----------------------------------------------------------------------- */

static void touch_each(const struct bench_pages *pages)
{
	for (uint64_t page = 0; page < grow.count; page++)
		*bench_page(pages, page) = 1;
}

/* One page at a time, while all the others are there. */
static bool blocks_beside(void)
{
	static void *blocks[BLOCKS_BESIDE];

	bench_start(&grow.alloc);
	for (unsigned i = 0; i < BLOCKS_BESIDE; i++)
		if (!(blocks[i] = vmap_malloc(self_vmap(), PAGE_SIZE)))
			return false;
	bench_stop(&grow.alloc, BLOCKS_BESIDE);
	bench_start(&grow.dealloc);
	for (unsigned i = 0; i < BLOCKS_BESIDE; i++)
		vmap_free(self_vmap(), blocks[i]);
	bench_stop(&grow.dealloc, BLOCKS_BESIDE);
	return true;
}

static int pages_main(int argc, char **argv)
{
	struct bench_pages pages;
	struct bench_run again;

	(void)argc, (void)argv;
	if (!bench_pages_alloc(&pages, grow.count))
		return ENOMEM;
	bench_start(&grow.first);
	touch_each(&pages);
	bench_stop(&grow.first, grow.count);
	bench_start(&again);
	touch_each(&pages);
	bench_stop(&again, grow.count);
	grow.overhead = again.elapsed;
	if (!blocks_beside())
		return ENOMEM;
	bench_start(&grow.second);
	bench_pages_free(&pages);
	bench_stop(&grow.second, grow.count);
	return 0;
}

static void pages_bench(uint64_t count)
{
	grow.count = count;
	if (fits("touch", count + count / 512) && bench_process("grow-touch", pages_main)) {
		print_named(&grow.first, "touch", grow.overhead);
		print_named(&grow.second, "free", 0);
		print_named(&grow.alloc, "alloc", 0);
		print_named(&grow.dealloc, "dealloc", 0);
	}
}

BENCH(grow_touch_1000, "grow-touch-1000")
{
	pages_bench(1000);
}

BENCH(grow_touch_10000, "grow-touch-10000")
{
	pages_bench(10000);
}

BENCH(grow_touch_100000, "grow-touch-100000")
{
	pages_bench(100000);
}

BENCH(grow_touch_1000000, "grow-touch-1000000")
{
	pages_bench(1000000);
}

/* ---- Blocks ---------------------------------------------------------------------- */

#define BLOCK_BYTES 16

static int blocks_main(int argc, char **argv)
{
	void **staying, **newest = NULL;
	uint64_t left = grow.count;

	(void)argc, (void)argv;
	/* Its first tables, and a page that stays, whose touch ten blocks would not share. */
	staying = vmap_malloc(self_vmap(), BLOCK_BYTES);
	if (!staying)
		return ENOMEM;
	*staying = NULL;
	bench_start(&grow.first);
	while (left) {
		void **block = vmap_malloc(self_vmap(), BLOCK_BYTES);

		if (!block)
			return ENOMEM;
		*block = (void *)newest;
		newest = block;
		left--;
	}
	bench_stop(&grow.first, grow.count);
	bench_start(&grow.second);
	while (newest) {
		void **before = *newest;

		vmap_free(self_vmap(), (void *)newest);
		newest = before;
	}
	bench_stop(&grow.second, grow.count);
	return *vmap_errno();
}

static void blocks_bench(uint64_t count)
{
	grow.count = count;
	/* The blocks, and 8 bytes about each. */
	if (fits("malloc", count * (BLOCK_BYTES + 8) / PAGE_SIZE + 1) &&
	    bench_process("grow-malloc", blocks_main)) {
		print_named(&grow.first, "malloc", 0);
		print_named(&grow.second, "mfree", 0);
	}
}

BENCH(grow_malloc_10, "grow-malloc-10")
{
	blocks_bench(10);
}

BENCH(grow_malloc_100, "grow-malloc-100")
{
	blocks_bench(100);
}

BENCH(grow_malloc_1000, "grow-malloc-1000")
{
	blocks_bench(1000);
}

BENCH(grow_malloc_10000, "grow-malloc-10000")
{
	blocks_bench(10000);
}

BENCH(grow_malloc_100000, "grow-malloc-100000")
{
	blocks_bench(100000);
}

BENCH(grow_malloc_1000000, "grow-malloc-1000000")
{
	blocks_bench(1000000);
}

/* ---- Processes --------------------------------------------------------------------- */

#define PROCESSES_MAX 1000u
#define PROCESS_ROUNDS 50u
#define PROCESS_FRAMES 24u /* stack, tables, globals; more than they take */

static struct semaphore morning;
static pid_t sleepers[PROCESSES_MAX];

static int sleeper_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	return semaphore_wait(&morning);
}

static int nothing_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void processes_measure(void)
{
	if (!bench_process("grow-process", nothing_main))
		return;
	bench_start(&grow.first);
	for (unsigned i = 0; i < PROCESS_ROUNDS; i++)
		if (!bench_process("grow-process", nothing_main))
			return;
	bench_stop(&grow.first, PROCESS_ROUNDS);
	print_named(&grow.first, "process", 0);
}

static void processes_bench(uint64_t count)
{
	struct process_end end;
	uint64_t started = 0;

	grow.count = count;
	if (!fits("process", count * PROCESS_FRAMES) || semaphore_init(&morning, 0) != 0)
		return;
	while (started < count) {
		sleepers[started] = process_spawn_function("sleeper", sleeper_main, 0, NULL,
							   PROCESS_BACKGROUND);
		if (sleepers[started] < 0) {
			bench_say("grow-process", "only %lu processes can start", started);
			break;
		}
		started++;
	}
	if (started == count)
		processes_measure();
	for (uint64_t i = 0; i < started; i++)
		ASSERT(semaphore_post(&morning) == 0);
	for (uint64_t i = 0; i < started; i++)
		ASSERT(process_wait(sleepers[i], &end) == 0);
	ASSERT(semaphore_destroy(&morning) == 0);
}

BENCH(grow_process_1, "grow-process-1")
{
	processes_bench(1);
}

BENCH(grow_process_10, "grow-process-10")
{
	processes_bench(10);
}

BENCH(grow_process_100, "grow-process-100")
{
	processes_bench(100);
}

BENCH(grow_process_1000, "grow-process-1000")
{
	processes_bench(1000);
}
