/*
 * mutex.h: a lock that a thread may hold while it sleeps, faults or waits.
 *
 * Rules of use. Not from an interrupt, not with a spinlock held, not twice by
 * one thread. A contended mutex is handed to the thread that waits longest,
 * so nobody starves.
 */
#pragma once

#include "kernel/sched/thread.h"

struct CAPABILITY("mutex") mutex {
	uint64_t owner;             /* atomic: struct thread *, bit 0: somebody waits */
	enum lock_class lock_class; /* for `locks` */
	struct wait_queue waiters;
};

#define MUTEX_WAITED 1ull

void mutex_init(struct mutex *mutex, enum lock_class lock_class);

SLOW_PATH void mutex_lock_contended(struct mutex *mutex);
/* Called through mutex_unlock_contended_saving (kernel/saving.S). */
void mutex_unlock_contended(struct mutex *mutex);

/* As spin_taken() and spin_given(): no code. */
ALWAYS_INLINE void mutex_taken(const struct mutex *mutex) ASSERTS_HELD(mutex)
{
	(void)mutex;
}

ALWAYS_INLINE void mutex_given(const struct mutex *mutex) RELEASES(mutex) NOT_ANALYZED
{
	(void)mutex;
}

/* Uninterruptible: the wait is as long as somebody else's work under it. */
ALWAYS_INLINE void mutex_lock(struct mutex *mutex) ACQUIRES(mutex)
{
	uint64_t expected = 0;

	schedule_point();
	if (UNLIKELY(!__atomic_compare_exchange_n(&mutex->owner, &expected,
						  (uint64_t)thread_current(), false,
						  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		mutex_lock_contended(mutex);
	mutex_taken(mutex);
	schedule_point(); /* others may look at what is locked without asking */
}

/* True if the mutex was free and is the current thread's, which is `thread`, now. */
ALWAYS_INLINE bool mutex_try_lock_as(struct mutex *mutex, struct thread *thread)
	TRY_ACQUIRES(true, mutex)
{
	uint64_t expected = 0;

	schedule_point();
	return __atomic_compare_exchange_n(&mutex->owner, &expected, (uint64_t)thread, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

ALWAYS_INLINE void mutex_unlock_as(struct mutex *mutex, struct thread *thread) RELEASES(mutex)
{
	uint64_t expected = (uint64_t)thread;

	if (UNLIKELY(!__atomic_compare_exchange_n(&mutex->owner, &expected, 0, false,
						  __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
		__asm__ volatile("call mutex_unlock_contended_saving"
				 :
				 : "D"(mutex)
				 : "memory", "cc");
	mutex_given(mutex);
	schedule_point();
}

ALWAYS_INLINE void mutex_unlock(struct mutex *mutex) RELEASES(mutex)
{
	mutex_unlock_as(mutex, thread_current());
}

ALWAYS_INLINE bool mutex_is_locked(const struct mutex *mutex)
{
	return READ_ONCE(mutex->owner);
}

ALWAYS_INLINE bool mutex_is_mine(const struct mutex *mutex)
{
	return (READ_ONCE(mutex->owner) & ~MUTEX_WAITED) == (uint64_t)thread_current();
}
