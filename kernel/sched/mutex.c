/*
 * mutex.c: the paths of a mutex where somebody waits.
 *
 * `owner` is 0 or the owning thread, with MUTEX_WAITED set while threads wait.
 * The bit changes only under the sched lock, which guards the waiters too;
 * unlocking by a plain exchange fails while it is set, so no waiter is
 * overlooked. Unlocking hands the mutex to the first waiter, which thus owns it
 * when it wakes.
 */
#include "kernel/sched/mutex.h"

#include "kernel/sched/sched_internal.h"

void mutex_init(struct mutex *mutex, enum lock_class lock_class)
{
	mutex->owner = 0;
	mutex->lock_class = lock_class;
	wait_queue_init(&mutex->waiters);
}

/*
 * Most holders are on another CPU and about to let go: waiting for that a moment is
 * shorter than to sleep and be woken. Not where others sleep already: they are first.
 */
static bool spin_a_moment(struct mutex *mutex, uint64_t self)
{
	for (unsigned i = 1; i <= MUTEX_SPINS && cpu_count > 1; i++) {
		uint64_t owner = READ_ONCE(mutex->owner);

		if (owner == 0 && __atomic_compare_exchange_n(&mutex->owner, &owner, self, false,
							      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
		if (owner & MUTEX_WAITED || THIS_CPU->need_resched)
			return false;
		if (i % SPIN_LOOKS == 0)
			schedule_wait();
	}
	return false;
}

void mutex_lock_contended(struct mutex *mutex)
{
	struct thread *thread = thread_current();
	uint64_t self = (uint64_t)thread;
	uint64_t flags, owner;

	/* Who waits for a mutex must not keep others from their pages: they may hold it. */
	if (UNLIKELY(thread->turn))
		sched_retired_hook(thread);
	ASSERT((READ_ONCE(mutex->owner) & ~MUTEX_WAITED) != self);
	__atomic_fetch_add(&lock_contended[mutex->lock_class], 1, __ATOMIC_RELAXED);
	if (spin_a_moment(mutex, self))
		return;
	flags = spin_lock_irq(&sched_lock);
	owner = __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED);
	for (;;) {
		if (owner == 0) {
			if (__atomic_compare_exchange_n(&mutex->owner, &owner, self, false,
							__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				break;
		} else if (__atomic_compare_exchange_n(&mutex->owner, &owner, owner | MUTEX_WAITED,
						       false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			(void)wait_queue_sleep_locked(&mutex->waiters, WAIT_UNINTERRUPTIBLE);
			ASSERT(mutex_is_mine(mutex));
			break;
		}
	}
	spin_unlock_irq(&sched_lock, flags);
}

void mutex_unlock_contended(struct mutex *mutex)
{
	uint64_t flags = spin_lock_irq(&sched_lock);
	const struct thread *next = TAILQ_FIRST(&mutex->waiters.threads);
	uint64_t waited;

	ASSERT(mutex_is_mine(mutex));
	ASSERT(next);
	waited = wait_queue_wake_locked(&mutex->waiters) ? MUTEX_WAITED : 0;
	__atomic_store_n(&mutex->owner, (uint64_t)next | waited, __ATOMIC_RELEASE);
	spin_unlock_irq(&sched_lock, flags);
}
