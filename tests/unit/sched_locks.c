/*
 * sched_locks.c: semaphores and mutexes, from many threads and with kills.
 */
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/semaphore.h"
#include "tests/unit/ktap.h"

static struct semaphore done; /* each thread of a test gives one at its end */

static void threads_start(unsigned count, void (*entry)(void *argument))
{
	CHECK_ERROR(0, semaphore_init(&done, 0));
	for (uint64_t i = 0; i < count; i++)
		CHECK_ERROR(0, kernel_thread_start("test", entry, (void *)i));
}

static void threads_wait(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		CHECK_ERROR(0, semaphore_wait(&done));
}

static void thread_done(void)
{
	CHECK_ERROR(0, semaphore_post(&done));
}

/* ---- Semaphores ------------------------------------------------------------------- */

TEST(semaphore, counts_out_of_range)
{
	struct semaphore semaphore;

	CHECK_ERROR(EINVAL, semaphore_init(&semaphore, -1));
	CHECK_ERROR(EINVAL, semaphore_init(&semaphore, INT64_MIN));
	CHECK_ERROR(EINVAL, semaphore_init(&semaphore, (int64_t)SEMAPHORE_MAX + 1));
	CHECK_ERROR(0, semaphore_init(&semaphore, SEMAPHORE_MAX));
	CHECK_ERROR(EOVERFLOW, semaphore_post(&semaphore));
	CHECK_EQUAL(SEMAPHORE_MAX, semaphore_value(&semaphore));
	CHECK_ERROR(0, semaphore_wait(&semaphore));
	CHECK_ERROR(0, semaphore_post(&semaphore));
	CHECK_ERROR(0, semaphore_destroy(&semaphore));
}

TEST(semaphore, taken_without_waiting)
{
	struct semaphore semaphore;

	CHECK_ERROR(0, semaphore_init(&semaphore, 2));
	CHECK_ERROR(0, semaphore_try_wait(&semaphore));
	CHECK_ERROR(0, semaphore_wait(&semaphore));
	CHECK_ERROR(EAGAIN, semaphore_try_wait(&semaphore));
	CHECK_EQUAL(0, semaphore_value(&semaphore));
	CHECK_ERROR(0, semaphore_post(&semaphore));
	CHECK_ERROR(0, semaphore_try_wait(&semaphore));
	CHECK_ERROR(0, semaphore_destroy(&semaphore));
}

static struct semaphore shared;
static unsigned taken; /* atomic */
static pid_t taken_by; /* the process that took the last one */

static void takes_one(void *argument)
{
	(void)argument;
	CHECK_ERROR(0, semaphore_wait(&shared));
	__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
	thread_done();
}

/* Whether a thread waits is told by the answer of destroy. */
static void wait_for_a_waiter(struct semaphore *semaphore)
{
	while (semaphore_destroy(semaphore) != -EBUSY)
		thread_yield();
}

TEST(semaphore, destroyed_with_waiters)
{
	CHECK_ERROR(0, semaphore_init(&shared, 0));
	threads_start(1, takes_one);
	wait_for_a_waiter(&shared);
	CHECK_ERROR(EBUSY, semaphore_destroy(&shared));
	CHECK_ERROR(0, semaphore_post(&shared));
	threads_wait(1);
	CHECK_ERROR(0, semaphore_destroy(&shared));
}

#define STORM_THREADS 6
#define STORM_ROUNDS 1000
#define STORM_COUNT 3

static unsigned inside; /* atomic */

static void takes_and_gives(void *argument)
{
	for (uint64_t i = 0; i < STORM_ROUNDS; i++) {
		CHECK_ERROR(0, semaphore_wait(&shared));
		if (__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) > STORM_COUNT)
			FAIL("more than %d are inside", STORM_COUNT);
		if ((i ^ (uint64_t)argument) % 8 == 0)
			thread_yield();
		__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		CHECK_ERROR(0, semaphore_post(&shared));
	}
	thread_done();
}

TEST(semaphore, storm)
{
	inside = 0;
	CHECK_ERROR(0, semaphore_init(&shared, STORM_COUNT));
	threads_start(STORM_THREADS, takes_and_gives);
	threads_wait(STORM_THREADS);
	CHECK_EQUAL(STORM_COUNT, semaphore_value(&shared));
	CHECK_ERROR(0, semaphore_destroy(&shared));
}

static void gives(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < STORM_ROUNDS; i++)
		CHECK_ERROR(0, semaphore_post(&shared));
	thread_done();
}

static void takes(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < STORM_ROUNDS; i++)
		CHECK_ERROR(0, semaphore_wait(&shared));
	thread_done();
}

static void gives_or_takes(void *argument)
{
	if ((uint64_t)argument % 2)
		gives(argument);
	else
		takes(argument);
}

TEST(semaphore, as_many_given_as_taken)
{
	CHECK_ERROR(0, semaphore_init(&shared, 0));
	threads_start(STORM_THREADS, gives_or_takes);
	threads_wait(STORM_THREADS);
	CHECK_EQUAL(0, semaphore_value(&shared));
	CHECK_ERROR(0, semaphore_destroy(&shared));
}

/* ---- Kills ------------------------------------------------------------------------ */

static int sleeps_on_it(int argc, char **argv)
{
	int result;

	(void)argc, (void)argv;
	/* Inside the gate a kill cannot come between having taken one and saying so. */
	gate_enter();
	result = semaphore_wait(&shared);
	if (result == 0) {
		__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&taken_by, self_pid(), __ATOMIC_RELAXED);
	} else {
		CHECK_ERROR(EINTR, result);
	}
	gate_leave();
	return 0;
}

TEST(semaphore, kill_of_a_sleeper)
{
	pid_t pid;

	taken = 0;
	CHECK_ERROR(0, semaphore_init(&shared, 0));
	pid = SPAWN(sleeps_on_it, 0, NULL);
	wait_for_a_waiter(&shared);
	CHECK_ERROR(0, process_kill(pid));
	CHECK_ENDED(FAULT_KILLED, 0, pid);
	CHECK_ERROR(0, semaphore_destroy(&shared));
	CHECK_EQUAL(0, taken);
	CHECK_ERROR(0, semaphore_post(&shared));
	CHECK_EQUAL(1, semaphore_value(&shared));
}

#define KILL_ROUNDS 40

static pid_t kill_pid;

static void kills(void *argument)
{
	int error = process_kill(kill_pid);

	(void)argument;
	/* Woken first, it may have ended by itself. */
	CHECK(error == 0 || error == -ESRCH);
	thread_done();
}

/* Woken and killed at once: it took one, or there is one left. */
TEST(semaphore, wake_against_kill)
{
	for (unsigned round = 0; round < KILL_ROUNDS; round++) {
		struct process_end end;

		taken = 0;
		CHECK_ERROR(0, semaphore_init(&shared, 0));
		kill_pid = SPAWN(sleeps_on_it, 0, NULL);
		wait_for_a_waiter(&shared);
		if (round % 2) {
			threads_start(1, kills);
			CHECK_ERROR(0, semaphore_post(&shared));
			threads_wait(1);
		} else {
			CHECK_ERROR(0, process_kill(kill_pid));
			CHECK_ERROR(0, semaphore_post(&shared));
		}
		CHECK_ERROR(0, process_wait(kill_pid, &end));
		if (taken + (unsigned)semaphore_value(&shared) != 1)
			FAIL("round %u: %u taken, %d left", round, taken, semaphore_value(&shared));
	}
}

/* One of two sleepers is killed as the one post comes: the other must get it. */
TEST(semaphore, kill_loses_no_wakeup)
{
	for (unsigned round = 0; round < KILL_ROUNDS; round++) {
		struct process_end end;
		pid_t other;

		taken_by = 0;
		CHECK_ERROR(0, semaphore_init(&shared, 0));
		kill_pid = SPAWN(sleeps_on_it, 0, NULL);
		wait_for_a_waiter(&shared);
		other = SPAWN(sleeps_on_it, 0, NULL);
		while (!wait_queue_has_second(&shared.waiters))
			thread_yield();
		threads_start(1, kills);
		CHECK_ERROR(0, semaphore_post(&shared));
		threads_wait(1);
		CHECK_ERROR(0, process_wait(kill_pid, &end));
		if (__atomic_load_n(&taken_by, __ATOMIC_RELAXED) == kill_pid)
			CHECK_ERROR(0, semaphore_post(&shared)); /* one more, for the other */
		CHECK_ENDED(FAULT_OK, 0, other);
		CHECK_EQUAL(0, semaphore_value(&shared));
	}
}

/* ---- Mutexes ---------------------------------------------------------------------- */

static struct mutex mutex;
static volatile uint64_t guarded;

static void increments(void *argument)
{
	for (uint64_t i = 0; i < STORM_ROUNDS; i++) {
		uint64_t value;

		mutex_lock(&mutex);
		value = guarded;
		if ((i + (uint64_t)argument) % 16 == 0)
			thread_yield();
		guarded = value + 1;
		mutex_unlock(&mutex);
	}
	thread_done();
}

TEST(mutex, storm)
{
	mutex_init(&mutex, LOCK_TEST);
	guarded = 0;
	threads_start(STORM_THREADS, increments);
	threads_wait(STORM_THREADS);
	CHECK_EQUAL(STORM_THREADS * STORM_ROUNDS, guarded);
	CHECK(!mutex_is_locked(&mutex));
}

#define FAIR_THREADS 5

static uint64_t order[FAIR_THREADS];
static unsigned order_count;

static void notes_its_turn(void *argument)
{
	mutex_lock(&mutex);
	order[order_count++] = (uint64_t)argument;
	mutex_unlock(&mutex);
	thread_done();
}

static void count_waiter(struct thread *thread, void *count)
{
	*(unsigned *)count += thread->waiting == &mutex.waiters;
}

static unsigned mutex_waiters(void)
{
	unsigned count = 0;

	sched_visit_threads(count_waiter, &count);
	return count;
}

TEST(mutex, goes_to_who_waits_longest)
{
	mutex_init(&mutex, LOCK_TEST);
	order_count = 0;
	CHECK_ERROR(0, semaphore_init(&done, 0));
	mutex_lock(&mutex);
	for (uint64_t i = 0; i < FAIR_THREADS; i++) {
		CHECK_ERROR(0, kernel_thread_start("test", notes_its_turn, (void *)i));
		while (mutex_waiters() != i + 1)
			thread_yield();
	}
	CHECK(mutex_is_mine(&mutex));
	mutex_unlock(&mutex);
	threads_wait(FAIR_THREADS);
	for (uint64_t i = 0; i < FAIR_THREADS; i++)
		CHECK_EQUAL(i, order[i]);
}
