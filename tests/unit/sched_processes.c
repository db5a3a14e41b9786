/*
 * sched_processes.c: processes and threads: their starts, their ends and their
 * kills; and check in the midst of all of it.
 */
#include "kernel/mm/reclaim.h"
#include "kernel/proc/check_all.h"
#include "kernel/proc/program.h"
#include "kernel/sched/semaphore.h"
#include "lib/format.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

static struct semaphore started, never;
static volatile bool forever_ends; /* never */

static void semaphores_reset(void)
{
	CHECK_ERROR(0, semaphore_init(&started, 0));
	CHECK_ERROR(0, semaphore_init(&never, 0));
}

/* ---- Starting --------------------------------------------------------------------- */

static int nothing(int argc, char **argv)
{
	(void)argv;
	return argc;
}

TEST(process, arguments)
{
	char *many[PROGRAM_ARGS_MAX + 1];
	char text[PROCESS_ARGUMENT_BYTES + 1];
	char *one[1] = {text};
	char *none[] = {"no-such-program"};

	for (unsigned i = 0; i <= PROGRAM_ARGS_MAX; i++)
		many[i] = "x";
	CHECK_ENDS(FAULT_OK, PROGRAM_ARGS_MAX, nothing, PROGRAM_ARGS_MAX, many);
	CHECK_ERROR(E2BIG, process_spawn_function("many", nothing, PROGRAM_ARGS_MAX + 1, many,
						  PROCESS_BACKGROUND));
	memset(text, 'x', sizeof(text));
	text[PROCESS_ARGUMENT_BYTES] = '\0';
	CHECK_ERROR(E2BIG, process_spawn_function("long", nothing, 1, one, PROCESS_BACKGROUND));
	text[PROCESS_ARGUMENT_BYTES - 1] = '\0';
	CHECK_ENDS(FAULT_OK, 1, nothing, 1, one);
	CHECK_ERROR(ENOENT, process_spawn(1, none, PROCESS_BACKGROUND));
	CHECK_ERROR(ENOENT, process_spawn(0, none, PROCESS_BACKGROUND));
}

#define MANY 60

TEST(process, many_at_once)
{
	pid_t pids[MANY];

	for (unsigned i = 0; i < MANY; i++)
		pids[i] = SPAWN(nothing, 0, NULL);
	for (unsigned i = 0; i < MANY; i++) {
		for (unsigned j = 0; j < i; j++)
			if (pids[i] == pids[j])
				FAIL("pid %d was given twice", pids[i]);
		CHECK_ENDED(FAULT_OK, 0, pids[i]);
	}
}

/* ---- Waiting and killing ------------------------------------------------------------ */

TEST(process, wait_and_kill_of_nobody)
{
	struct process_end end;
	pid_t pid = SPAWN(nothing, 0, NULL);

	CHECK_ENDED(FAULT_OK, 0, pid);
	CHECK_ERROR(ESRCH, process_wait(pid, &end));
	CHECK_ERROR(ESRCH, process_kill(pid));
	CHECK_ERROR(ESRCH, process_wait(0, &end));
	CHECK_ERROR(ESRCH, process_wait(-1, &end));
	CHECK_ERROR(ESRCH, process_kill(0));
	CHECK_ERROR(ESRCH, process_kill(INT32_MIN));
	CHECK(!process_ended(pid));
}

TEST(process, kill_of_a_zombie)
{
	pid_t pid = SPAWN(nothing, 0, NULL);

	while (pid && !process_ended(pid))
		thread_yield();
	CHECK_ERROR(ESRCH, process_kill(pid));
	CHECK_ENDED(FAULT_OK, 0, pid);
}

static int spins(int argc, char **argv)
{
	(void)argc, (void)argv;
	CHECK_ERROR(0, semaphore_post(&started));
	while (!forever_ends)
		;
	return 1;
}

static int spins_in_memory(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), 50 * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	CHECK_ERROR(0, semaphore_post(&started));
	while (!forever_ends)
		test_pages_fill(block, 50, 1);
	return 1;
}

static int spins_in_malloc(int argc, char **argv)
{
	(void)argc, (void)argv;
	CHECK_ERROR(0, semaphore_post(&started));
	while (!forever_ends) {
		char *block = vmap_malloc(self_vmap(), 3 * (int)PAGE_SIZE);

		block[PAGE_SIZE] = 1;
		vmap_free(self_vmap(), block);
	}
	return 1;
}

static int sleeps(int argc, char **argv)
{
	(void)argc, (void)argv;
	CHECK_ERROR(0, semaphore_post(&started));
	return semaphore_wait(&never);
}

static void thread_sleeps(void *argument)
{
	(void)argument;
	CHECK_ERROR(0, semaphore_post(&started));
	(void)!semaphore_wait(&never);
}

static int joins_a_sleeper(int argc, char **argv)
{
	tid_t tid;

	(void)argc, (void)argv;
	if (thread_start(thread_sleeps, NULL, &tid))
		return 1;
	return thread_join(tid);
}

static int waits_for_a_process(int argc, char **argv)
{
	struct process_end end;
	pid_t pid = 0;

	(void)argc;
	for (const char *digit = argv[0]; *digit; digit++)
		pid = pid * 10 + (*digit - '0');
	CHECK_ERROR(0, semaphore_post(&started));
	return process_wait(pid, &end);
}

static void check_kill(test_main *main, int argc, char *const *argv)
{
	pid_t pid = SPAWN(main, argc, argv);

	CHECK_ERROR(0, semaphore_wait(&started));
	CHECK_ERROR(0, process_kill(pid));
	CHECK_ENDED(FAULT_KILLED, 0, pid);
}

TEST(process, kill_whatever_it_does)
{
	char text[12];
	char *argv[] = {text};
	pid_t sleeper;

	semaphores_reset();
	for (unsigned round = 0; round < 3; round++) {
		check_kill(spins, 0, NULL);
		check_kill(spins_in_memory, 0, NULL);
		check_kill(spins_in_malloc, 0, NULL);
		check_kill(sleeps, 0, NULL);
		check_kill(joins_a_sleeper, 0, NULL);
	}
	sleeper = SPAWN(sleeps, 0, NULL);
	CHECK_ERROR(0, semaphore_wait(&started));
	(void)format(text, sizeof(text), "%d", sleeper);
	check_kill(waits_for_a_process, 1, argv);
	CHECK_ERROR(0, process_kill(sleeper));
	CHECK_ENDED(FAULT_KILLED, 0, sleeper);
	CHECK_ERROR(0, semaphore_destroy(&never));
}

TEST(process, kill_on_a_handful_of_frames)
{
	pid_t pids[4];

	NEED_SLOTS(250);
	semaphores_reset();
	test_limit_set(RESIDENT_MIN);
	for (unsigned i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = SPAWN(spins_in_memory, 0, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(pids); i++)
		CHECK_ERROR(0, semaphore_wait(&started));
	for (unsigned i = 0; i < ARRAY_SIZE(pids); i++) {
		CHECK_ERROR(0, process_kill(pids[i]));
		CHECK_ENDED(FAULT_KILLED, 0, pids[i]);
	}
	test_limit_restore();
}

/* ---- Ends with several threads -------------------------------------------------------- */

static vaddr_t shared_block;

static void faults_for_ever(void *argument)
{
	CHECK_ERROR(0, semaphore_post(&started));
	for (uint64_t i = (uint64_t)argument;; i += 7)
		test_store(shared_block + i % 64 * PAGE_SIZE, i);
}

/* Its other threads are in the midst of faults when it ends. */
static int exits_among_faults(int argc, char **argv)
{
	tid_t tid;

	(void)argv;
	shared_block = (vaddr_t)vmap_malloc(self_vmap(), 64 * (int)PAGE_SIZE);
	for (uint64_t i = 0; i < 3; i++) {
		if (thread_start(faults_for_ever, (void *)i, &tid))
			return 1;
		CHECK_ERROR(0, semaphore_wait(&started));
	}
	if (argc)
		test_store(0, 0);
	return 5;
}

TEST(process, exit_among_faults)
{
	char *argv[] = {"by a fault"};

	NEED_SLOTS(250);
	semaphores_reset();
	for (unsigned i = 0; i < 6; i++) {
		test_limit_set(i % 2 ? 10 : 1000);
		CHECK_EXITS(5, exits_among_faults);
		CHECK_ENDS(FAULT_BAD_ADDRESS, 0, exits_among_faults, 1, argv);
	}
	test_limit_restore();
}

static unsigned collected; /* atomic */

static void collects(void *argument)
{
	struct process_end end;

	if (process_wait((pid_t)(uint64_t)argument, &end) == 0)
		__atomic_fetch_add(&collected, 1, __ATOMIC_RELAXED);
	CHECK_ERROR(0, semaphore_post(&started));
}

TEST(process, collected_by_exactly_one)
{
	semaphores_reset();
	collected = 0;
	for (unsigned round = 0; round < 20; round++) {
		uint64_t pid = (uint64_t)SPAWN(nothing, 0, NULL);

		for (unsigned i = 0; i < 3; i++)
			CHECK_ERROR(0, kernel_thread_start("collects", collects, (void *)pid));
		for (unsigned i = 0; i < 3; i++)
			CHECK_ERROR(0, semaphore_wait(&started));
		CHECK_EQUAL(round + 1, collected);
	}
}

static void adds_one(void *argument)
{
	__atomic_fetch_add((unsigned *)argument, 1, __ATOMIC_RELAXED);
}

#define THREADS 30

PROCESS_TEST(thread, many_in_a_process)
{
	unsigned *sum = vmap_malloc(self_vmap(), sizeof(*sum));
	tid_t tids[THREADS];

	for (unsigned round = 0; round < 3; round++) {
		*sum = 0;
		for (unsigned i = 0; i < THREADS; i++)
			if (!CHECK_ERROR(0, thread_start(adds_one, sum, &tids[i])))
				return;
		for (unsigned i = 0; i < THREADS; i++)
			CHECK_ERROR(0, thread_join(tids[i]));
		CHECK_EQUAL(THREADS, *sum);
	}
	CHECK_ERROR(0, thread_join(tids[0])); /* gone already, as any other number */
	CHECK_ERROR(0, thread_join(-1));
}

/* ---- check while everything runs -------------------------------------------------------- */

#define BUSY 3
#define CHECKS 8

static bool busy_may_end;

static int busy(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), 30 * (int)PAGE_SIZE);
	tid_t tid;

	(void)argc, (void)argv;
	for (uint64_t i = 0; !__atomic_load_n(&busy_may_end, __ATOMIC_ACQUIRE); i++) {
		char *small = vmap_malloc(self_vmap(), 1 << (4 + i % 12));
		unsigned *sum = vmap_malloc(self_vmap(), 8);

		test_pages_fill(block, 30, i);
		if (thread_start(adds_one, sum, &tid) || thread_join(tid))
			return 1;
		if (test_pages_verify(block, 30, i) || *sum != 1)
			return 2;
		vmap_free(self_vmap(), small);
		vmap_free(self_vmap(), sum);
	}
	return 0;
}

TEST(check, while_everything_runs)
{
	pid_t pids[BUSY];

	NEED_SLOTS(250);
	busy_may_end = false;
	test_limit_set(40);
	for (unsigned i = 0; i < BUSY; i++)
		pids[i] = SPAWN(busy, 0, NULL);
	for (unsigned i = 0; i < CHECKS; i++) {
		const struct check *check = check_all();

		for (unsigned j = 0; j < check->line_count; j++)
			FAIL("%s", check->lines[j]);
		for (unsigned j = 0; j < 3; j++)
			thread_yield();
	}
	__atomic_store_n(&busy_may_end, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < BUSY; i++)
		CHECK_ENDED(FAULT_OK, 0, pids[i]);
	test_limit_restore();
}
