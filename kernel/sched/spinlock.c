/*
 * spinlock.c: the slow path of a spinlock, and what debug builds record.
 *
 * Debug builds keep, for each CPU, the stack of spinlocks it holds with their
 * callers. Only that CPU touches its record, with interrupts off. Waiting for
 * a lock whose class is not inner to that of each one held is a panic; trying one is not.
 */
#include "kernel/sched/spinlock.h"

#include "arch/x86_64/tlb.h"
#include "kernel/panic.h"

uint64_t lock_contended[LOCK_CLASS_COUNT];

static const char *const class_names[LOCK_CLASS_COUNT] = {
#define LOCK_NAME(identifier, name) name,
	LOCK_CLASSES(LOCK_NAME)
#undef LOCK_NAME
};

const char *lock_class_name(enum lock_class lock_class)
{
	return lock_class < LOCK_CLASS_COUNT ? class_names[lock_class] : "?";
}

void spin_lock_contended(struct spinlock *lock)
{
	uint32_t me = THIS_CPU->id + 1;
	uint32_t expected;
	unsigned looks = 0;

	if (READ_ONCE(lock->owner) == me)
		panic("lock %s is taken twice by its own CPU", lock_class_name(lock->lock_class));
	__atomic_fetch_add(&lock_contended[lock->lock_class], 1, __ATOMIC_RELAXED);
	do {
		while (READ_ONCE(lock->owner)) {
			tlb_serve(); /* the holder may wait for nobody, but others do */
			if (++looks % SPIN_LOOKS == 0)
				schedule_wait();
		}
		expected = 0;
	} while (!__atomic_compare_exchange_n(&lock->owner, &expected, me, false, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
}

#ifdef DEBUG
#define HELD_MAX 8

struct held_locks {
	unsigned count;
	struct {
		const void *lock;
		enum lock_class lock_class;
		const void *caller;
	} locks[HELD_MAX];
};

static struct held_locks held[CPU_MAX];

void lock_debug_acquire(const void *lock, enum lock_class lock_class, const void *caller)
{
	const struct held_locks *mine = &held[THIS_CPU->id];

	for (unsigned i = 0; i < mine->count; i++)
		if (mine->locks[i].lock_class >= lock_class)
			panic("lock %s (at %p) is taken inside lock %s (at %p): out of order",
			      lock_class_name(lock_class), caller,
			      lock_class_name(mine->locks[i].lock_class), mine->locks[i].caller);
	lock_debug_record(lock, lock_class, caller);
}

void lock_debug_record(const void *lock, enum lock_class lock_class, const void *caller)
{
	struct held_locks *mine = &held[THIS_CPU->id];

	ASSERT(mine->count < HELD_MAX);
	mine->locks[mine->count].lock = lock;
	mine->locks[mine->count].lock_class = lock_class;
	mine->locks[mine->count].caller = caller;
	mine->count++;
}

void lock_debug_release(const void *lock, enum lock_class lock_class)
{
	struct held_locks *mine = &held[THIS_CPU->id];
	unsigned i;

	for (i = mine->count; i > 0; i--)
		if (mine->locks[i - 1].lock == lock)
			break;
	if (i == 0)
		panic("lock %s is released but was not held", lock_class_name(lock_class));
	for (; i < mine->count; i++)
		mine->locks[i - 1] = mine->locks[i];
	mine->count--;
}

const char *lock_debug_held(const void **caller)
{
	const struct held_locks *mine = &held[THIS_CPU->id];

	if (mine->count == 0)
		return NULL;
	*caller = mine->locks[mine->count - 1].caller;
	return lock_class_name(mine->locks[mine->count - 1].lock_class);
}

unsigned lock_debug_count(void)
{
	return held[THIS_CPU->id].count;
}
#endif
