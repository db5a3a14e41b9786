/*
 * semaphores.c: semaphores of programs: names, handles, each wrong argument, who
 * may use one, and what the end of a process leaves.
 */
#include "kernel/proc/semaphores.h"

#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "kernel/sched/semaphore.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"

#define NAME "/test semaphore"

PROCESS_TEST(semaphores, names)
{
	int64_t first, second;
	char name[SEMAPHORE_NAME_BYTES + 1];
	int count = -1;

	CHECK_EQUAL(-ENOENT, semaphore_open(NAME, 0, 0));
	first = semaphore_open(NAME, SEMAPHORE_CREATE, 3);
	CHECK(first >= 0);
	CHECK_EQUAL(first, semaphore_open(NAME, SEMAPHORE_CREATE, 9)); /* the same, as it is */
	CHECK_EQUAL(first, semaphore_open(NAME, 0, 0));
	CHECK_ERROR(0, semaphore_count(first, &count));
	CHECK_EQUAL(3, count);
	CHECK_EQUAL(-EEXIST, semaphore_open(NAME, SEMAPHORE_CREATE | SEMAPHORE_EXCLUSIVE, 0));
	CHECK_ERROR(0, semaphore_unlink(NAME));
	CHECK_ERROR(ENOENT, semaphore_unlink(NAME));
	second = semaphore_open(NAME, SEMAPHORE_CREATE | SEMAPHORE_EXCLUSIVE, 1);
	CHECK(second >= 0 && second != first);
	CHECK_ERROR(0, semaphore_unlink(NAME));
	CHECK_ERROR(0, semaphore_down(first)); /* without a name, as long as it is held */
	CHECK_ERROR(0, semaphore_close(first));
	CHECK_ERROR(EINVAL, semaphore_down(first));
	CHECK_ERROR(0, semaphore_close(second));
	CHECK_EQUAL(-EINVAL, semaphore_open("", SEMAPHORE_CREATE, 0));
	CHECK_EQUAL(-EINVAL, semaphore_open(NAME, 1, 0));
	CHECK_EQUAL(-EINVAL, semaphore_open(NAME, SEMAPHORE_CREATE, SEMAPHORE_MAX + 1ull));
	CHECK_EQUAL(-EFAULT, semaphore_open((const char *)16, SEMAPHORE_CREATE, 0));
	memset(name, 'n', sizeof(name));
	CHECK_EQUAL(-ENAMETOOLONG, semaphore_open(name, SEMAPHORE_CREATE, 0));
	CHECK_ERROR(ENAMETOOLONG, semaphore_unlink(name));
	CHECK_ERROR(EFAULT, semaphore_unlink(NULL));
}

PROCESS_TEST(semaphores, counts)
{
	int64_t most = semaphore_make(SEMAPHORE_MAX), none = semaphore_make(0);
	int count = -1;

	CHECK_EQUAL(-EINVAL, semaphore_make(SEMAPHORE_MAX + 1ull));
	CHECK_EQUAL(-EINVAL, semaphore_make(UINT64_MAX));
	CHECK_ERROR(EOVERFLOW, semaphore_up(most));
	CHECK_ERROR(EAGAIN, semaphore_try_down(none));
	CHECK_ERROR(0, semaphore_up(none));
	CHECK_ERROR(0, semaphore_try_down(none));
	CHECK_ERROR(0, semaphore_down(most));
	CHECK_ERROR(0, semaphore_count(most, &count));
	CHECK_EQUAL(SEMAPHORE_MAX - 1, count);
	CHECK_ERROR(EFAULT, semaphore_count(most, (int *)16));
	CHECK_ERROR(EFAULT, semaphore_count(most, NULL));
	CHECK_ERROR(0, semaphore_end(most));
	CHECK_ERROR(0, semaphore_end(none));
}

PROCESS_TEST(semaphores, wrong_handles)
{
	int64_t handle = semaphore_make(1), other;
	const int64_t wrong[] = {-1,
				 INT64_MIN,
				 INT64_MAX,
				 SEMAPHORES_MAX,
				 handle + 1,
				 handle + (1ll << 32),
				 handle - (1ll << 32)};
	int count;

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		CHECK_ERROR(EINVAL, semaphore_down(wrong[i]));
		CHECK_ERROR(EINVAL, semaphore_try_down(wrong[i]));
		CHECK_ERROR(EINVAL, semaphore_up(wrong[i]));
		CHECK_ERROR(EINVAL, semaphore_count(wrong[i], &count));
		CHECK_ERROR(EINVAL, semaphore_close(wrong[i]));
		CHECK_ERROR(EINVAL, semaphore_end(wrong[i]));
	}
	CHECK_ERROR(0, semaphore_end(handle));
	CHECK_ERROR(EINVAL, semaphore_end(handle));
	other = semaphore_make(1); /* in its place */
	CHECK_ERROR(EINVAL, semaphore_up(handle));
	CHECK_ERROR(0, semaphore_end(other));
}

static int64_t shown;

static int uses_another_s(int argc, char **argv)
{
	(void)argc, (void)argv;
	return -semaphore_up(shown);
}

/* A handle is no use to who does not hold it. */
PROCESS_TEST(semaphores, belong_to_their_holders)
{
	shown = semaphore_make(0);
	CHECK_EXITS(EINVAL, uses_another_s);
	CHECK_ERROR(EAGAIN, semaphore_try_down(shown));
	CHECK_ERROR(0, semaphore_end(shown));
}

PROCESS_TEST(semaphores, as_many_as_there_may_be)
{
	int64_t handles[SEMAPHORES_MAX];
	unsigned count = 0;
	int64_t handle;

	while ((handle = semaphore_make(count)) >= 0 && count < SEMAPHORES_MAX)
		handles[count++] = handle;
	CHECK_EQUAL(-ENFILE, handle);
	CHECK(count > SEMAPHORES_MAX / 2);
	while (count-- > 0)
		CHECK_ERROR(0, semaphore_end(handles[count]));
}

static struct thread *waiter;

static void waits(void *argument)
{
	__atomic_store_n(&waiter, thread_current(), __ATOMIC_RELEASE);
	CHECK_ERROR(0, semaphore_down(*(int64_t *)argument));
}

/* A semaphore at which somebody waits does not go. */
PROCESS_TEST(semaphores, not_while_somebody_waits)
{
	int64_t handle = semaphore_make(0);
	tid_t tid;

	waiter = NULL;
	CHECK_ERROR(0, thread_start(waits, &handle, &tid));
	while (!__atomic_load_n(&waiter, __ATOMIC_ACQUIRE) ||
	       READ_ONCE(waiter->state) != THREAD_BLOCKED)
		yield();
	CHECK_ERROR(EBUSY, semaphore_close(handle));
	CHECK_ERROR(EBUSY, semaphore_end(handle));
	CHECK_ERROR(0, semaphore_up(handle));
	CHECK_ERROR(0, thread_join(tid));
	CHECK_ERROR(0, semaphore_end(handle));
}

static int64_t left, ends;

static void waits_until_killed(void *argument)
{
	(void)argument;
	__atomic_store_n(&waiter, thread_current(), __ATOMIC_RELEASE);
	CHECK_ERROR(EINTR, semaphore_down(left));
}

static int holds_it_too(void *argument)
{
	(void)argument;
	return -semaphore_down(ends);
}

/* Nor if the thread's process closed it, and the last other holder has ended. */
PROCESS_TEST(semaphores, not_while_somebody_waits_whom_nobody_can_wake)
{
	struct process_end end;
	int64_t other;
	pid_t pid;
	tid_t tid;

	left = semaphore_make(0);
	ends = semaphore_make(0);
	pid = process_start(holds_it_too, NULL);
	CHECK(pid > 0);
	waiter = NULL;
	CHECK_ERROR(0, thread_start(waits_until_killed, NULL, &tid));
	while (!__atomic_load_n(&waiter, __ATOMIC_ACQUIRE) ||
	       READ_ONCE(waiter->state) != THREAD_BLOCKED)
		yield();
	CHECK_ERROR(0, semaphore_close(left));
	CHECK_ERROR(0, semaphore_up(ends));
	CHECK_ERROR(0, process_wait(pid, &end));
	other = semaphore_make(0);
	CHECK(other % SEMAPHORES_MAX != left % SEMAPHORES_MAX);
	CHECK_ERROR(0, semaphore_end(other));
	CHECK_ERROR(0, semaphore_end(ends));
}
