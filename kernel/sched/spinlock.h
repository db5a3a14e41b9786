/*
 * spinlock.h: test-and-set with PAUSE, 8 bytes.
 *
 * Rules of use. A spinlock is held with interrupts off, for a bounded time,
 * and nobody waits for anything but another spinlock while holding one: not
 * for a frame, I/O, a shootdown or a sleeping lock. Locks are taken in the
 * order of their classes below, outermost first; of one class only one at a
 * time; but in any order by spin_try_lock(), which does not wait. Debug builds check the order
 * and the owner, and panic naming both.
 *
 * spin_lock() is for code that has interrupts off already (traps); others
 * use spin_lock_irq().
 */
#pragma once

#include "arch/x86_64/cpu.h"
#include "kernel/schedule_point.h"
#include "lib/assert.h"
#include "lib/thread_safety.h"
#include "lib/types.h"

/* X(identifier, name): the lock order, outermost first. Mutexes stand in it too. */
#define LOCK_CLASSES(X)                                                                      \
	X(GATE, "gate")                   /* sched/gate.c: a mutex: one check at a time */   \
	X(GATE_WAIT, "gate_wait")         /* sched/gate.c: who waits for open gates */       \
	X(PROCESS_TABLE, "process_table") /* proc/process.c: the table, states, exit */      \
	X(DESCRIPTORS, "descriptors")     /* fs/descriptor.c: a mutex: a process's files */  \
	X(FILES, "files")                 /* fs/file.c: a mutex: the names of files */       \
	X(VMAP, "vmap")                   /* mm/vmap.c: a mutex: blocks, arenas, tables */   \
	X(OBJECT, "object")               /* mm/object.c: a mutex: size and pages */         \
	X(REPORT, "report")               /* proc/report.c: a mutex: one report at a time */ \
	X(TURN, "turn")                   /* mm/turn.c: a mutex: one thread's pages stay */  \
	X(TEST, "test")                   /* locks of tests and of programs' semaphores */   \
	X(WAIT, "wait")                   /* who waits for work, a job, a line */            \
	X(TRANSIT, "transit")             /* mm/fault.c: waiters for pages being read */     \
	X(OBJECT_PAGES, "object_pages")   /* mm/object.h: pages in memory, mappings */       \
	X(PAGE_TABLE, "page_table")       /* entries of one level-1 table */                 \
	X(OBJECTS, "objects")             /* mm/object.c: the list of all objects */         \
	X(MAPPINGS, "mappings")           /* mm/mapping.c: the table of mappings */          \
	X(LRU, "lru")                     /* mm/reclaim.c: lists of the policy */            \
	X(SWAP, "swap")                   /* mm/swap.c: slots */                             \
	X(COMMIT, "commit")               /* mm/commit.c: capacity */                        \
	X(FRAMES, "frames")               /* mm/frame.c: bitmap and groups */                \
	X(STACK, "stack")                 /* mm/stack.c: slots of the stack area */          \
	X(SCHED, "sched")                 /* sched/sched.c: run queue, all wait queues */    \
	X(CONSOLE, "console")             /* monitor/console.c: lines waiting, input */      \
	X(SERIAL, "serial")               /* monitor/console.c: the line itself */

enum lock_class {
#define LOCK_ENUM(identifier, name) LOCK_##identifier,
	LOCK_CLASSES(LOCK_ENUM)
#undef LOCK_ENUM
		LOCK_CLASS_COUNT
};

struct CAPABILITY("spinlock") spinlock {
	uint32_t owner;      /* 0: free, else the CPU's id + 1 */
	uint32_t lock_class; /* enum lock_class: rank, name, contention */
};

#define SPINLOCK(identifier)                                \
	{                                                   \
		.owner = 0, .lock_class = LOCK_##identifier \
	}

/* How often somebody had to wait for a lock of the class. */
extern uint64_t lock_contended[LOCK_CLASS_COUNT];

const char *lock_class_name(enum lock_class lock_class);

/*
 * Waits for a lock that another CPU holds; counts that it had to. Called
 * through spin_lock_contended_saving (kernel/saving.S).
 */
void spin_lock_contended(struct spinlock *lock);

#ifdef DEBUG
void lock_debug_acquire(const void *lock, enum lock_class lock_class, const void *caller);
/* The same of a lock that was only tried: in any order, as nobody waited. */
void lock_debug_record(const void *lock, enum lock_class lock_class, const void *caller);
void lock_debug_release(const void *lock, enum lock_class lock_class);
/* The innermost spinlock this CPU holds, as "swap", or NULL. */
const char *lock_debug_held(const void **caller);
/* Locks held by this CPU; for check. */
unsigned lock_debug_count(void);
#else
ALWAYS_INLINE void lock_debug_acquire(const void *lock, enum lock_class lock_class,
				      const void *caller)
{
	(void)lock, (void)lock_class, (void)caller;
}

ALWAYS_INLINE void lock_debug_record(const void *lock, enum lock_class lock_class,
				     const void *caller)
{
	(void)lock, (void)lock_class, (void)caller;
}

ALWAYS_INLINE void lock_debug_release(const void *lock, enum lock_class lock_class)
{
	(void)lock, (void)lock_class;
}

ALWAYS_INLINE const char *lock_debug_held(const void **caller)
{
	(void)caller;
	return NULL;
}

ALWAYS_INLINE unsigned lock_debug_count(void)
{
	return 0;
}
#endif

ALWAYS_INLINE bool spin_is_locked(const struct spinlock *lock)
{
	return READ_ONCE(lock->owner);
}

ALWAYS_INLINE bool spin_is_mine(const struct spinlock *lock)
{
	return READ_ONCE(lock->owner) == THIS_CPU->lock_owner;
}

/*
 * For the analysis alone (lib/thread_safety.h), where a lock changes hands
 * unseen: in the primitives below, and over a context switch. No code.
 */
ALWAYS_INLINE void spin_taken(const struct spinlock *lock) ASSERTS_HELD(lock)
{
	(void)lock;
}

ALWAYS_INLINE void spin_given(const struct spinlock *lock) RELEASES(lock) NOT_ANALYZED
{
	(void)lock;
}

/* Takes the lock. Interrupts are off. */
ALWAYS_INLINE void spin_lock(struct spinlock *lock) ACQUIRES(lock)
{
	uint32_t expected = 0;

	DEBUG_ASSERT(!irq_enabled());
	schedule_point();
	lock_debug_acquire(lock, lock->lock_class, __builtin_return_address(0));
	/* In one piece, so that the lock's address is made only where somebody else has it. */
	__asm__ volatile("lock cmpxchgl %2, %0\n\t"
			 "je 1f\n\t"
			 "leaq %0, %%rdi\n\t"
			 "call spin_lock_contended_saving\n"
			 "1:"
			 : "+m"(lock->owner), "+a"(expected)
			 : "r"(THIS_CPU->lock_owner)
			 : "rdi", "memory", "cc");
	spin_taken(lock);
}

/* Takes the lock if it is free. Interrupts are off. */
ALWAYS_INLINE bool spin_try_lock(struct spinlock *lock) TRY_ACQUIRES(true, lock)
{
	uint32_t expected = 0;
	bool taken;

	DEBUG_ASSERT(!irq_enabled());
	schedule_point();
	__asm__ volatile("lock cmpxchgl %3, %1"
			 : "=@ccz"(taken), "+m"(lock->owner), "+a"(expected)
			 : "r"(THIS_CPU->lock_owner)
			 : "memory");
	if (!taken)
		return false;
	lock_debug_record(lock, lock->lock_class, __builtin_return_address(0));
	return true;
}

ALWAYS_INLINE void spin_unlock(struct spinlock *lock) RELEASES(lock)
{
	DEBUG_ASSERT(spin_is_mine(lock));
	lock_debug_release(lock, lock->lock_class);
	__atomic_store_n(&lock->owner, 0, __ATOMIC_RELEASE);
	spin_given(lock);
	schedule_point();
}

/* Interrupts off, then the lock; returns the flags that spin_unlock_irq() restores. */
ALWAYS_INLINE uint64_t spin_lock_irq(struct spinlock *lock) ACQUIRES(lock)
{
	uint64_t flags = irq_save();

	spin_lock(lock);
	return flags;
}

ALWAYS_INLINE void spin_unlock_irq(struct spinlock *lock, uint64_t flags) RELEASES(lock)
{
	spin_unlock(lock);
	irq_restore(flags);
}
