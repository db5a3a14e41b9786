/*
 * ends.c: processes and threads that end while something of theirs goes on.
 */
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "kernel/sched/semaphore.h"
#include "lib/string.h"
#include "tests/schedule/scenario.h"

#define PAGES 6u

static vaddr_t block;

/* ---- 06 -------------------------------------------------------------------------- */

static int exits_with_pages(int argc, char **argv)
{
	(void)argc, (void)argv;
	test_pages_fill((vaddr_t)work_malloc(PAGES * PAGE_SIZE), PAGES, 1);
	scenario_meet();
	return 3;
}

static void evicts(void *number)
{
	(void)number;
	scenario_meet();
	scenario_evict(PAGES);
}

SCENARIO(06, exit_against_eviction)
{
	unsigned evictors = scenario_parts(3) - 1;
	uint64_t slots = swap_read_counts().used;

	NEED_SLOTS(4 * PAGES);
	scenario_expect(1 + evictors);
	for (unsigned i = 0; i < evictors; i++)
		scenario_start(evicts, NULL);
	CHECK_EXITS(3, exits_with_pages);
	scenario_finish();
	CHECK_EQUAL(slots, swap_read_counts().used);
}

/* ---- 07 -------------------------------------------------------------------------- */

static void faults_for_ever(void *number)
{
	scenario_meet();
	for (uint64_t i = (uint64_t)number;; i++)
		test_store(block + i % PAGES * PAGE_SIZE, i);
}

static int exits_in_a_fault(int argc, char **argv)
{
	unsigned threads = scenario_parts(3) - 1;
	tid_t tid;

	(void)argc, (void)argv;
	block = (vaddr_t)work_malloc(PAGES * PAGE_SIZE);
	for (uint64_t i = 0; i < threads; i++)
		CHECK_ERROR(0, thread_start(faults_for_ever, (void *)i, &tid));
	scenario_meet();
	for (unsigned i = 0; i < PAGES; i++)
		test_store(block + i * PAGE_SIZE + 8, i);
	return 5;
}

SCENARIO(07, exit_in_a_fault)
{
	uint64_t slots = swap_read_counts().used;

	NEED_SLOTS(4 * PAGES);
	test_limit_set(RESIDENT_MIN);
	scenario_expect(scenario_parts(3));
	CHECK_EXITS(5, exits_in_a_fault);
	CHECK_EQUAL(slots, swap_read_counts().used);
}

/* ---- 18 -------------------------------------------------------------------------- */

#define STORM 8u

static struct semaphore shared, never;

/* Even ones give, odd ones take: as many of each. */
static void gives_or_takes(void *number)
{
	scenario_meet();
	for (unsigned i = 0; i < STORM; i++)
		CHECK_ERROR(0, (uint64_t)number % 2 ? semaphore_wait(&shared)
						    : semaphore_post(&shared));
}

SCENARIO(18, semaphore_storm)
{
	unsigned pairs = (scenario_parts(8) + 1) / 2;

	CHECK_ERROR(0, semaphore_init(&shared, 0));
	scenario_expect(2 * pairs);
	for (uint64_t i = 0; i < 2 * pairs; i++)
		scenario_start(gives_or_takes, (void *)i);
	scenario_finish();
	CHECK_EQUAL(0, semaphore_value(&shared));
	CHECK_ERROR(0, semaphore_destroy(&shared));
}

/* ---- 19 -------------------------------------------------------------------------- */

static unsigned taken; /* atomic */
static pid_t victim;

/* Inside the gate, a kill cannot come between having taken one and saying so. */
static int takes_one(int argc, char **argv)
{
	int result;

	(void)argc, (void)argv;
	gate_enter();
	scenario_meet();
	result = semaphore_wait(&shared);
	if (result == 0)
		__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
	else
		CHECK_ERROR(EINTR, result);
	gate_leave();
	return 4;
}

static void gives_one(void *number)
{
	(void)number;
	scenario_meet();
	CHECK_ERROR(0, semaphore_post(&shared));
}

static void kills(void *number)
{
	int result;

	(void)number;
	scenario_meet();
	result = process_kill(victim);
	CHECK(result == 0 || result == -ESRCH);
}

SCENARIO(19, wakeup_against_kill)
{
	struct process_end end;

	taken = 0;
	CHECK_ERROR(0, semaphore_init(&shared, 0));
	scenario_expect(3);
	victim = SPAWN(takes_one, 0, NULL);
	scenario_start(gives_one, NULL);
	scenario_start(kills, NULL);
	scenario_finish();
	CHECK_ERROR(0, process_wait(victim, &end));
	CHECK(end.killed == FAULT_KILLED || (end.killed == FAULT_OK && end.exit_status == 4));
	CHECK_EQUAL(1, taken + (unsigned)semaphore_value(&shared));
	/* Who exits by itself has taken it. */
	CHECK(end.killed == FAULT_KILLED || taken == 1);
	CHECK_ERROR(0, semaphore_destroy(&shared));
}

/* ---- 20 -------------------------------------------------------------------------- */

#define COPIES 4u
#define LETTERS 64u

/* Its name's letter is all over its block: which bytes are whose can be told. */
static int full_of_a_letter(int argc, char **argv)
{
	char *letters = work_malloc(PAGE_SIZE);

	(void)argc;
	block = (vaddr_t)letters;
	memset(letters, argv[0][0], PAGE_SIZE);
	if (argv[0][0] == 'a')
		scenario_meet();
	CHECK_ERROR(0, semaphore_post(&shared));
	return semaphore_wait(&never); /* until it is killed */
}

/* The process stays while this runs: the bytes must be its own. */
static void copy_of_its_own(struct process *process, void *context)
{
	char letters[LETTERS];
	int result = vmap_copy_from_memory(&process->vmap, letters, context, LETTERS);

	if (result) {
		CHECK_ERROR(EFAULT, result); /* it has no block there yet */
		return;
	}
	for (unsigned i = 0; i < LETTERS; i++)
		if (letters[i] != process->argv[0][0] && letters[i] != 0) {
			FAIL("'%c' is read of process '%s'", letters[i], process->argv[0]);
			return;
		}
}

static void copies_from(void *number)
{
	(void)number;
	scenario_meet();
	for (unsigned i = 0; i < COPIES; i++) {
		int result = process_with(victim, copy_of_its_own, (void *)block);

		CHECK(result == 0 || result == -ESRCH);
	}
}

static void replaces(void *number)
{
	char *argv[] = {"b"};
	uint16_t slot = (uint16_t)vmap_slice(block);
	vaddr_t before = block;

	(void)number;
	scenario_meet();
	CHECK_ERROR(0, semaphore_wait(&shared));
	CHECK_ERROR(0, process_kill(victim));
	CHECK_ENDED(FAULT_KILLED, 0, victim);
	process_reuse(victim, slot);
	CHECK_EQUAL(victim, SPAWN(full_of_a_letter, 1, argv));
	CHECK_ERROR(0, semaphore_wait(&shared));
	CHECK_EQUAL(before, block);
}

SCENARIO(20, pid_reuse_against_copy)
{
	char *argv[] = {"a"};
	unsigned copiers = scenario_parts(3) - 1;

	CHECK_ERROR(0, semaphore_init(&never, 0));
	CHECK_ERROR(0, semaphore_init(&shared, 0));
	scenario_expect(2 + copiers);
	victim = SPAWN(full_of_a_letter, 1, argv);
	scenario_await_parts(1);
	for (unsigned i = 0; i < copiers; i++)
		scenario_start(copies_from, NULL);
	scenario_start(replaces, NULL);
	scenario_finish();
	CHECK_ERROR(0, process_kill(victim));
	CHECK_ENDED(FAULT_KILLED, 0, victim);
}
