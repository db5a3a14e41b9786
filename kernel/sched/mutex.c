/*
 * mutex.c: the paths of a mutex where somebody waits.
 *
 * `owner` is 0 or the owning thread, with MUTEX_WAITED set while threads wait.
 * The bit changes only under the mutex's spinlock; unlocking by a plain
 * exchange fails while it is set, so no waiter is overlooked. Unlocking hands
 * the mutex to the first waiter, which thus owns it when it wakes.
 */
#include "kernel/sched/mutex.h"

void mutex_init(struct mutex *mutex, enum lock_class lock_class)
{
	mutex->owner = 0;
	mutex->lock_class = lock_class;
	mutex->lock = (struct spinlock)SPINLOCK(MUTEX);
	wait_queue_init(&mutex->waiters);
}

void mutex_lock_contended(struct mutex *mutex)
{
	struct thread *thread = thread_current();
	uint64_t self = (uint64_t)thread;
	uint64_t flags, owner;

	/* Who waits for a mutex must not keep others from their pages: they may hold it. */
	if (UNLIKELY(thread->turn))
		sched_retired_hook(thread);
	flags = spin_lock_irq(&mutex->lock);
	owner = __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED);
	ASSERT((owner & ~MUTEX_WAITED) != self);
	__atomic_fetch_add(&lock_contended[mutex->lock_class], 1, __ATOMIC_RELAXED);
	for (;;) {
		if (owner == 0) {
			if (__atomic_compare_exchange_n(&mutex->owner, &owner, self, false,
							__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				break;
		} else if (__atomic_compare_exchange_n(&mutex->owner, &owner, owner | MUTEX_WAITED,
						       false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			(void)wait_queue_sleep(&mutex->waiters, &mutex->lock, WAIT_UNINTERRUPTIBLE);
			ASSERT(mutex_is_mine(mutex));
			break;
		}
	}
	spin_unlock_irq(&mutex->lock, flags);
}

void mutex_unlock_contended(struct mutex *mutex)
{
	uint64_t flags = spin_lock_irq(&mutex->lock);
	struct thread *next;

	ASSERT(mutex_is_mine(mutex));
	next = wait_queue_first(&mutex->waiters);
	ASSERT(next);
	__atomic_store_n(&mutex->owner,
			 (uint64_t)next |
				 (wait_queue_has_second(&mutex->waiters) ? MUTEX_WAITED : 0),
			 __ATOMIC_RELEASE);
	(void)wait_queue_wake_one(&mutex->waiters);
	spin_unlock_irq(&mutex->lock, flags);
}
