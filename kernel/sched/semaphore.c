/*
 * semaphore.c: a semaphore where somebody waits, or may have to.
 *
 *               wait_quick: count--                   wait_slow: count--
 *                 +------+                              +------+
 *                 |      v     wait_slow, at count 0    |      v
 *               [ nobody ] --------------------------> [ waited ]
 *                 |      ^                              |      ^
 *                 +------+  <-------------------------- +------+
 *               post_quick: count++   post_slow,      post_slow: count++,
 *                                     none left       the longest waiter wakes
 *
 * The sched lock guards the list of waiters and each change of SEMAPHORE_WAITED.
 *  1. Who is on the list found a count of 0 and set the bit, under the lock that
 *     its sleep began with. While the bit is set no V takes the quick way, so
 *     none overlooks a waiter.
 *  2. A thread that sleeps was promised nothing: it takes its one from the count
 *     after it woke, so a kill that comes with a wakeup loses no count. A woken
 *     thread that was overtaken sleeps again; the overtaker's V wakes it.
 *  3. The exchange that adds one is the last touch of the semaphore in a V: who
 *     takes that one may do away with it.
 * After a kill the bit may be set with nobody on the list: the next V clears it.
 */
#include "kernel/sched/semaphore.h"

#include "kernel/bugs.h"
#include "kernel/sched/gate.h"
#include "kernel/sched/sched_internal.h"
#include "lib/errno.h"

int semaphore_init_marked(struct semaphore *semaphore, int64_t count, uint32_t mark)
{
	if (count < 0 || count > SEMAPHORE_MAX)
		return -EINVAL;
	wait_queue_init(&semaphore->waiters);
	__atomic_store_n(&semaphore->word, semaphore_word(mark, (uint32_t)count), __ATOMIC_RELEASE);
	return 0;
}

int semaphore_init(struct semaphore *semaphore, int64_t count)
{
	return semaphore_init_marked(semaphore, count, 0);
}

/* Takes one; or there is none, and now the word says that somebody waits. */
static bool take_or_mark(struct semaphore *semaphore) REQUIRES(sched_lock)
{
	for (;;) {
		uint64_t word = READ_ONCE(semaphore->word);

		if (semaphore_word_count(word)) {
			if (semaphore_exchange(semaphore, word, word - 1))
				return true;
		} else if (semaphore_exchange(semaphore, word, word | SEMAPHORE_WAITED)) {
			return false;
		}
	}
}

int semaphore_wait_slow(struct semaphore *semaphore)
{
	uint64_t flags;
	int result = 0;

	gate_enter();
	flags = spin_lock_irq(&sched_lock);
	while (result == 0 && !take_or_mark(semaphore)) {
		if (BUG_PLANTED(BUG_LOSE_WAKEUP)) {
			spin_unlock(&sched_lock);
			spin_lock(&sched_lock);
		}
		result = wait_queue_sleep_locked(&semaphore->waiters, WAIT_INTERRUPTIBLE);
	}
	spin_unlock_irq(&sched_lock, flags);
	gate_leave();
	return result;
}

int semaphore_try_wait(struct semaphore *semaphore)
{
	uint64_t word;

	while (semaphore_word_count(word = READ_ONCE(semaphore->word)))
		if (semaphore_wait_quick(semaphore, word))
			return 0;
	return -EAGAIN;
}

int semaphore_post_slow(struct semaphore *semaphore)
{
	uint64_t flags = spin_lock_irq(&sched_lock);
	uint64_t word = READ_ONCE(semaphore->word), clear = 0;
	int result = -EOVERFLOW;

	/* It does not run before the lock is free, and finds the count raised then. */
	if (word & SEMAPHORE_WAITED && !wait_queue_wake_locked(&semaphore->waiters))
		clear = SEMAPHORE_WAITED;
	while (semaphore_word_count(word) < SEMAPHORE_MAX) {
		if (semaphore_exchange(semaphore, word, (word + 1) & ~clear)) {
			result = 0;
			break;
		}
		word = READ_ONCE(semaphore->word);
	}
	spin_unlock_irq(&sched_lock, flags);
	return result;
}

int semaphore_destroy(struct semaphore *semaphore)
{
	return wait_queue_first(&semaphore->waiters) ? -EBUSY : 0;
}
