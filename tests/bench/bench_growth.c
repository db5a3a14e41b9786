/*
 * bench_growth.c: what an operation costs as things grow.
 *
 * grow-touch-N, grow-free-N    a first touch, and giving back a touched page, in a
 *                              block of N pages
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
#define FRAMES_BESIDE 256u

static struct {
	uint64_t count; /* N */
	struct bench_run first, second;
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

static void touch_each(volatile uint8_t *block)
{
	for (uint64_t page = 0; page < grow.count; page++)
		block[page * PAGE_SIZE] = 1;
}

static int pages_main(int argc, char **argv)
{
	uint8_t *block = vmap_malloc(self_vmap(), (int)(grow.count * PAGE_SIZE));
	struct bench_run again;

	(void)argc, (void)argv;
	if (!block)
		return *vmap_errno();
	bench_start(&grow.first);
	touch_each(block);
	bench_stop(&grow.first, grow.count);
	bench_start(&again);
	touch_each(block);
	bench_stop(&again, grow.count);
	grow.overhead = again.elapsed;
	bench_start(&grow.second);
	vmap_free(self_vmap(), block);
	bench_stop(&grow.second, grow.count);
	return 0;
}

static void pages_bench(uint64_t count)
{
	grow.count = count;
	if (fits("touch", count + count / 512) && bench_process("grow-touch", pages_main)) {
		print_named(&grow.first, "touch", grow.overhead);
		print_named(&grow.second, "free", 0);
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

/* ---- Blocks ---------------------------------------------------------------------- */

#define BLOCK_BYTES 16

static int blocks_main(int argc, char **argv)
{
	void **newest = NULL;
	uint64_t left = grow.count;

	(void)argc, (void)argv;
	vmap_free(self_vmap(), vmap_malloc(self_vmap(), BLOCK_BYTES)); /* its first tables */
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

BENCH(grow_malloc_1000, "grow-malloc-1000")
{
	blocks_bench(1000);
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

BENCH(grow_process_100, "grow-process-100")
{
	processes_bench(100);
}

BENCH(grow_process_1000, "grow-process-1000")
{
	processes_bench(1000);
}
