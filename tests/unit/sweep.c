/*
 * sweep.c: every allocation, and every access to the swap device, fails once.
 *
 * The first of an operation's allocations fails, then the second, and so on
 * until it completes with none failing; each time once, and then once more with
 * all later ones failing too. What fails must fail cleanly: an error (or, for a
 * read of swap, the end of the process that owned the page), nothing lost, and
 * the same done again completes. Method: SQLite's out-of-memory tests
 * (sqlite.org/testing.html, section 3.1).
 */
#include "kernel/mm/commit.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/stack.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/program.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

#define SWEEP_END 2000 /* no operation has so many: it never completes */

enum how { ONCE, FOR_EVER };

/* Runs the operation with its n-th allocation failing, until it succeeds (returns 0). */
static void sweep_allocations(const char *what, int (*operation)(void))
{
	for (enum how how = ONCE; how <= FOR_EVER; how++) {
		uint64_t nth;
		int error = -ENOMEM;

		for (nth = 1; error && nth < SWEEP_END; nth++) {
			kernel_pages_fail(nth, how == FOR_EVER);
			error = operation();
			kernel_pages_fail(0, 0);
			if (error && error != -ENOMEM)
				FAIL("%s: allocation %lu failed: %s", what, nth, errno_name(error));
		}
		if (error)
			FAIL("%s never completes", what);
		if (nth <= 2)
			FAIL("%s allocates nothing", what);
	}
	CHECK_ERROR(0, operation());
}

/* ---- Operations ------------------------------------------------------------------- */

static int does_nothing(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 0;
}

static int spawn_and_wait(void)
{
	struct process_end end;
	uint64_t frames_before, frames_after;
	unsigned count = process_count();
	pid_t pid;

	process_quiesce();
	frames_before = frame_free_count() + stack_table_frames();
	pid = process_spawn_function("nothing", does_nothing, 0, NULL, PROCESS_BACKGROUND);
	if (pid < 0) {
		frames_after = frame_free_count() + stack_table_frames();
		CHECK_EQUAL(frames_before, frames_after);
		CHECK_EQUAL(count, process_count());
		return pid;
	}
	CHECK_ERROR(0, process_wait(pid, &end));
	return end.killed ? -EIO : 0;
}

TEST(sweep, spawn)
{
	sweep_allocations("spawn", spawn_and_wait);
}

static unsigned kernel_threads_run;

static void counts_itself(void *argument)
{
	(void)argument;
	__atomic_fetch_add(&kernel_threads_run, 1, __ATOMIC_RELEASE);
}

static int start_kernel_thread(void)
{
	unsigned before = __atomic_load_n(&kernel_threads_run, __ATOMIC_ACQUIRE);
	int error = kernel_thread_start("swept", counts_itself, NULL);

	if (error)
		return error;
	while (__atomic_load_n(&kernel_threads_run, __ATOMIC_ACQUIRE) == before)
		thread_yield();
	return 0;
}

TEST(sweep, kernel_thread)
{
	sweep_allocations("a kernel thread", start_kernel_thread);
}

static int start_thread(void)
{
	tid_t tid;
	int error = thread_start(counts_itself, NULL, &tid);

	return error ? error : thread_join(tid);
}

PROCESS_TEST(sweep, thread_of_a_process)
{
	sweep_allocations("a thread", start_thread);
}

/* Allocates and frees; each size has an arena of its own, empty at the first time. */
static int malloc_size;

static int malloc_and_free(void)
{
	uint64_t committed = commit_read().committed;
	char *block = vmap_malloc(self_vmap(), malloc_size);

	if (!block) {
		CHECK_EQUAL(committed, commit_read().committed);
		return -*vmap_errno();
	}
	block[0] = block[malloc_size - 1] = 1;
	vmap_free(self_vmap(), block);
	CHECK_ERRNO(0);
	CHECK_EQUAL(committed, commit_read().committed);
	return 0;
}

PROCESS_TEST(sweep, malloc)
{
	NEED_PAGES(3000);
	for (malloc_size = 16; malloc_size <= 8 << 20; malloc_size *= 8) {
		int error = -ENOMEM;
		uint64_t nth;

		for (nth = 1; error && nth < SWEEP_END; nth++) {
			kernel_pages_fail(nth, 0);
			error = malloc_and_free();
			kernel_pages_fail(0, 0);
			if (error && error != -ENOMEM)
				FAIL("%d bytes: %s", malloc_size, errno_name(error));
		}
		CHECK_EQUAL(0, error);
		CHECK(nth > 2);
		CHECK_ERROR(0, malloc_and_free());
	}
}

/* What programs do under failure: a process that sees ENOMEM and goes on. */
static int lives_with_enomem(int argc, char **argv)
{
	unsigned refused = 0;

	(void)argc, (void)argv;
	for (unsigned i = 0; i < 60; i++) {
		char *block = vmap_malloc(self_vmap(), 1 << (4 + i % 18));
		tid_t tid;

		if (block)
			*block = 1;
		else
			refused++;
		if (thread_start(counts_itself, NULL, &tid) == 0)
			CHECK_ERROR(0, thread_join(tid));
		else
			refused++;
	}
	return refused ? 0 : 1;
}

TEST(sweep, every_third_allocation)
{
	for (unsigned every = 2; every <= 5; every++) {
		pid_t pid;

		kernel_pages_fail(0, 0);
		pid = SPAWN(lives_with_enomem, 0, NULL);
		kernel_pages_fail(every, every);
		CHECK_ENDED(FAULT_OK, 0, pid);
		kernel_pages_fail(0, 0);
	}
}

/* ---- The swap device ---------------------------------------------------------------- */

#define SWAP_PAGES 20
#define SWAP_FRAMES 6

static struct failing_device failing;

/* More pages than frames, written and read back in an order that lru likes least. */
static int pages_in_and_out(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), SWAP_PAGES * (int)PAGE_SIZE);
	uint64_t wrong = 0;

	(void)argc, (void)argv;
	test_pages_fill(block, SWAP_PAGES, 5);
	wrong += test_pages_verify(block, SWAP_PAGES, 5);
	test_pages_fill(block, SWAP_PAGES, 6);
	wrong += test_pages_verify(block, SWAP_PAGES, 6);
	return (int)wrong;
}

TEST(sweep, swap_writes)
{
	uint64_t nth;

	NEED_SLOTS(100);
	test_limit_set(SWAP_FRAMES);
	for (nth = 1; nth < SWEEP_END; nth++) {
		bool failed;

		failing = (struct failing_device){.write_nth = nth};
		failing_device_install(&failing);
		CHECK_EXITS(0, pages_in_and_out); /* a write error is nobody's end */
		failed = failing.writes >= nth;
		CHECK_EQUAL(failed ? 1 : 0, swap_read_counts().bad);
		failing_device_remove(&failing);
		if (!failed)
			break;
	}
	CHECK(nth > SWAP_PAGES && nth < SWEEP_END);
	test_limit_restore();
}

static void swap_reads(enum how how)
{
	uint64_t nth;

	test_limit_set(SWAP_FRAMES);
	for (nth = 1; nth < SWEEP_END; nth++) {
		bool failed;
		pid_t pid;

		failing = (struct failing_device){.read_nth = nth, .read_every = how == FOR_EVER};
		failing_device_install(&failing);
		pid = SPAWN(pages_in_and_out, 0, NULL);
		while (pid && !process_ended(pid))
			thread_yield();
		failed = failing.reads >= nth;
		CHECK_ENDED(failed ? FAULT_SWAP_LOST : FAULT_OK, 0, pid);
		failing_device_remove(&failing);
		if (!failed)
			break;
	}
	CHECK(nth > SWAP_PAGES && nth < SWEEP_END);
	test_limit_restore();
}

TEST(sweep, swap_reads_once)
{
	NEED_SLOTS(100);
	swap_reads(ONCE);
}

TEST(sweep, swap_reads_for_ever)
{
	NEED_SLOTS(100);
	swap_reads(FOR_EVER);
}
