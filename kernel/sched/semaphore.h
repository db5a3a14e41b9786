/*
 * semaphore.h: a counting semaphore (Dijkstra's P and V; POSIX sem_wait, sem_post).
 *
 * One word is all there is to it as long as nobody has to wait:
 *
 *   63                32  31      30                0
 *   [ its owner's mark ][waited][       count        ]
 *
 * P takes one from the count and V adds one by an exchange of the word. P at a
 * count of 0 sets `waited` and sleeps; V goes the long way while that is set.
 * The mark is kept as it is: proc/semaphores.c has a generation there.
 *
 * Invariant: threads wait only while `waited` is set; a V wakes one of them, so
 * no count is left to threads that sleep.
 */
#pragma once

#include "kernel/sched/thread.h"

#define SEMAPHORE_MAX 0x7fffffff
#define SEMAPHORE_WAITED 0x80000000ull

struct semaphore {
	uint64_t word; /* atomic */
	struct wait_queue waiters;
};

/* Its count, and its owner's mark, in a word that was read; and such a word. */
ALWAYS_INLINE int semaphore_word_count(uint64_t word)
{
	return (int)(word & SEMAPHORE_MAX);
}

ALWAYS_INLINE uint32_t semaphore_word_mark(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

ALWAYS_INLINE uint64_t semaphore_word(uint32_t mark, uint32_t waited_and_count)
{
	return (uint64_t)mark << 32 | waited_and_count;
}

ALWAYS_INLINE int semaphore_value(const struct semaphore *semaphore)
{
	return semaphore_word_count(READ_ONCE(semaphore->word));
}

/* -EINVAL for a negative count or one above SEMAPHORE_MAX. */
int semaphore_init(struct semaphore *semaphore, int64_t count) MUST_CHECK;
int semaphore_init_marked(struct semaphore *semaphore, int64_t count, uint32_t mark) MUST_CHECK;

/* The long ways, with a lock, a wait, a wakeup. A wait passes the gate. */
SLOW_PATH int semaphore_wait_slow(struct semaphore *semaphore) MUST_CHECK;
SLOW_PATH int semaphore_post_slow(struct semaphore *semaphore) MUST_CHECK;

ALWAYS_INLINE bool semaphore_exchange(struct semaphore *semaphore, uint64_t word, uint64_t next)
{
	bool done;

	schedule_point();
	done = __atomic_compare_exchange_n(&semaphore->word, &word, next, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
	schedule_point(); /* others may look at what is counted without asking */
	return LIKELY(done);
}

/* P and V in one step, if the word still is as it was read; false, and nothing is changed, if not
 * or if there is more to do. A V that succeeds does not touch the semaphore any more. */
ALWAYS_INLINE bool semaphore_wait_quick(struct semaphore *semaphore, uint64_t word)
{
	return LIKELY(semaphore_word_count(word)) && semaphore_exchange(semaphore, word, word - 1);
}

ALWAYS_INLINE bool semaphore_post_quick(struct semaphore *semaphore, uint64_t word)
{
	/* Neither waited for nor at its most. */
	return LIKELY((uint32_t)word < SEMAPHORE_MAX) &&
	       semaphore_exchange(semaphore, word, word + 1);
}

/*
 * P: takes one, waits while there is none. -EINTR if the thread is killed while
 * it waits (seen by a caller that is inside the gate itself).
 */
MUST_CHECK ALWAYS_INLINE int semaphore_wait(struct semaphore *semaphore)
{
	if (LIKELY(semaphore_wait_quick(semaphore, READ_ONCE(semaphore->word))))
		return 0;
	return semaphore_wait_slow(semaphore);
}

/* P without waiting: -EAGAIN if there is none. */
int semaphore_try_wait(struct semaphore *semaphore) MUST_CHECK;

/* V: gives one, wakes the thread that waits longest. -EOVERFLOW at SEMAPHORE_MAX. */
MUST_CHECK ALWAYS_INLINE int semaphore_post(struct semaphore *semaphore)
{
	if (LIKELY(semaphore_post_quick(semaphore, READ_ONCE(semaphore->word))))
		return 0;
	return semaphore_post_slow(semaphore);
}

/* -EBUSY while threads wait; else the semaphore may go away. */
int semaphore_destroy(struct semaphore *semaphore) MUST_CHECK;
