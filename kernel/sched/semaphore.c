/*
 * semaphore.c: a count and a wait queue under one spinlock.
 *
 * A thread that sleeps was promised nothing: it takes its one from the count
 * after it woke, so a kill that comes with a wakeup loses no count. A woken
 * thread that was overtaken sleeps again; the waker of the overtaker's post
 * wakes it.
 */
#include "kernel/sched/semaphore.h"

#include "kernel/bugs.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"

int semaphore_init(struct semaphore *semaphore, int64_t count)
{
	if (count < 0 || count > SEMAPHORE_MAX)
		return -EINVAL;
	semaphore->lock = (struct spinlock)SPINLOCK(SEMAPHORE);
	semaphore->count = (int)count;
	wait_queue_init(&semaphore->waiters);
	return 0;
}

int semaphore_wait(struct semaphore *semaphore)
{
	uint64_t flags;
	int result = 0;

	gate_enter();
	flags = spin_lock_irq(&semaphore->lock);
	while (semaphore->count == 0 && result == 0) {
		if (BUG_PLANTED(BUG_LOSE_WAKEUP)) {
			spin_unlock(&semaphore->lock);
			spin_lock(&semaphore->lock);
		}
		result =
			wait_queue_sleep(&semaphore->waiters, &semaphore->lock, WAIT_INTERRUPTIBLE);
	}
	if (result == 0)
		semaphore->count--;
	spin_unlock_irq(&semaphore->lock, flags);
	gate_leave();
	return result;
}

int semaphore_try_wait(struct semaphore *semaphore)
{
	uint64_t flags = spin_lock_irq(&semaphore->lock);
	int result = semaphore->count > 0 ? 0 : -EAGAIN;

	if (result == 0)
		semaphore->count--;
	spin_unlock_irq(&semaphore->lock, flags);
	return result;
}

int semaphore_post(struct semaphore *semaphore)
{
	uint64_t flags = spin_lock_irq(&semaphore->lock);
	int result = semaphore->count < SEMAPHORE_MAX ? 0 : -EOVERFLOW;

	if (result == 0) {
		semaphore->count++;
		(void)wait_queue_wake_one(&semaphore->waiters);
	}
	spin_unlock_irq(&semaphore->lock, flags);
	return result;
}

int semaphore_destroy(struct semaphore *semaphore)
{
	uint64_t flags = spin_lock_irq(&semaphore->lock);
	int result = wait_queue_first(&semaphore->waiters) ? -EBUSY : 0;

	spin_unlock_irq(&semaphore->lock, flags);
	return result;
}
