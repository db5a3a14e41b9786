/*
 * semaphore.h: a counting semaphore (Dijkstra's P and V; POSIX sem_wait, sem_post).
 *
 * Invariant: count >= 0, and threads wait only while it is 0.
 */
#pragma once

#include "kernel/sched/thread.h"

#define SEMAPHORE_MAX 0x7fffffff

struct semaphore {
	struct spinlock lock;
	int count;
	struct wait_queue waiters;
};

/* -EINVAL for a negative count or one above SEMAPHORE_MAX. */
int semaphore_init(struct semaphore *semaphore, int64_t count) MUST_CHECK;

/*
 * P: takes one, waits while there is none; passes the gate. -EINTR if the thread
 * is killed meanwhile (seen by a caller that is inside the gate itself).
 */
int semaphore_wait(struct semaphore *semaphore) MUST_CHECK;

/* P without waiting: -EAGAIN if there is none. */
int semaphore_try_wait(struct semaphore *semaphore) MUST_CHECK;

/* V: gives one, wakes the thread that waits longest. -EOVERFLOW at SEMAPHORE_MAX. */
int semaphore_post(struct semaphore *semaphore) MUST_CHECK;

/* -EBUSY while threads wait; else the semaphore may go away. */
int semaphore_destroy(struct semaphore *semaphore) MUST_CHECK;
