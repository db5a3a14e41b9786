/*
 * thread.h: kernel threads, and the scheduler that runs them.
 *
 * One run queue for all CPUs, first in first out, and one lock, `sched`, that
 * guards it, every thread's state and every wait queue's list. So a wakeup, a
 * kill and a sleep of the same thread have one outcome: whichever gets the
 * lock first. The lock is held across the context switch and released by the
 * thread that runs next.
 *
 *             thread_ready()            sched_switch()
 *     NEW ---------------------> READY <---------------> RUNNING
 *                                  ^                        |
 *         wait_queue_wake_*(),     |                        | wait_queue_sleep()
 *         thread_kill()            +------- BLOCKED <-------+
 *                                                           | thread_exit()
 *                                  DEAD <-------------------+
 */
#pragma once

#include <sys/queue.h>

#include "arch/x86_64/tlb.h"
#include "kernel/sched/spinlock.h"
#include "lib/types.h"

enum thread_state { THREAD_NEW, THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED, THREAD_DEAD };

struct process;
struct wait_queue;

/* Pages that the thread's current instruction has had mapped (mm/turn.c, mm/exact.c). */
#define WINDOW_PAGES 4

struct fault_window {
	uint64_t registers;          /* of the last fault: see window_note() */
	uint64_t rip;                /* of the instruction that asked for the pages; 0: for none */
	uint32_t next;               /* place for its next page */
	uint16_t asked_again;        /* so often for pages that it had, ... */
	uint16_t asked_at;           /* ... and for no other since `next` was this */
	vaddr_t pages[WINDOW_PAGES]; /* 0: none */
};

/* Lies at the top of its own stack. */
struct thread {
	/* Constant after thread_init(). */
	tid_t tid;
	struct process *process;     /* NULL: a thread of the kernel itself */
	struct address_space *space; /* NULL: the kernel's own root */
	vaddr_t stack_base;          /* lowest address; the guard page lies below */
	vaddr_t stack_top;
	void (*entry)(void *argument);
	void *argument;
	void (*body)(void *argument); /* for proc: what entry calls */
	void *body_argument;
	char name[24];

	/* Guarded by the sched lock. */
	enum thread_state state;
	uint64_t stack_pointer;     /* while it does not run */
	TAILQ_ENTRY(thread) link;   /* run queue, or the wait queue it sleeps on, or the dead */
	TAILQ_ENTRY(thread) all;    /* every thread */
	struct wait_queue *waiting; /* NULL unless BLOCKED */
	bool interruptible;         /* of this sleep */
	int wake_result;
	uint32_t cpu; /* where it runs or ran last */

	/* What it has to see to when it leaves the gate. */
	union {
		struct {
			bool killed; /* set by others: it ends there, or before its next instruction
				      */
			bool turn;   /* its own: it has the turn (mm/turn.c) ... */
		};
		uint16_t attention; /* any of them */
	};
	unsigned turn_faults; /* ... since so many faults */
	/*
	 * Its own: a page fault whose trap frame is above has nothing to see to first (mm/fault.c):
	 * enough stack is left, and it has no turn.
	 */
	vaddr_t fault_floor;
	bool closing; /* its own: it closes the gates, or waits to: others do not wait for it */

	/* Its own. */
	unsigned gate_depth; /* services of the kernel it is inside of */
	bool copying;        /* in a copy that may fail half done (mm/copy.c) */
	int error_number;    /* the lab's errno */
	int fault_reason;    /* why a fault inside a gate could not be served */
	struct {             /* for the second handler of the fault, what the first found out */
		vaddr_t address;
		int reason; /* enum fault_reason */
		const char *detail;
	} unserved;
	struct fault_window window;
	uint64_t signals_blocked; /* a bit each (proc/signal.c) */
	struct fault_window
		retried;       /* what the program's handler returned to, and did not retire */
	unsigned mapped_count; /* pages that are mapped for it under lru-exact ... */
	vaddr_t mapped[WINDOW_PAGES]; /* ... the newest last (mm/exact.c) */
	TAILQ_ENTRY(thread) sibling;  /* threads of a process; guarded by process_table */
	uint64_t canary;
};

#define THREAD_CANARY 0x71756972655f7468ull

TAILQ_HEAD(thread_list, thread);

struct wait_queue {
	struct thread_list threads; /* guarded by the sched lock */
};

#define WAIT_QUEUE(name)                               \
	{                                              \
		TAILQ_HEAD_INITIALIZER((name).threads) \
	}

enum wait_kind {
	WAIT_UNINTERRUPTIBLE,
	WAIT_INTERRUPTIBLE, /* a kill ends the sleep with -EINTR */
};

ALWAYS_INLINE struct thread *thread_current(void)
{
	return THIS_CPU->current;
}

void wait_queue_init(struct wait_queue *queue);

/*
 * Sleeps on the queue. Called with `lock` held and interrupts off; the lock is
 * free while it sleeps, no wakeup between the two is lost, and it is held again
 * on return. Returns 0 when woken, -EINTR when killed (interruptible only).
 */
int wait_queue_sleep(struct wait_queue *queue, struct spinlock *lock, enum wait_kind kind)
	REQUIRES(lock);

/* Any spinlock outer to sched may be held. */
void wait_queue_wake_all(struct wait_queue *queue);

/*
 * The thread that waits longest, or NULL; and whether more than one waits.
 * Right only while the caller's lock keeps others from sleeping and waking on
 * the queue, and the sleeps on it are uninterruptible.
 */
struct thread *wait_queue_first(struct wait_queue *queue);
bool wait_queue_has_second(struct wait_queue *queue);

/*
 * Makes a thread out of a stack (STACK_PAGES, mapped, zeroed or not); it is NEW.
 * Returns the thread, which lies in the stack.
 */
struct thread *thread_init(vaddr_t stack_base, const char *name, struct process *process,
			   struct address_space *space, void (*entry)(void *), void *argument);

/* NEW -> READY. */
void thread_ready(struct thread *thread);

/*
 * Ends this thread; never returns. The thread_reaper hook gets it when no CPU
 * uses its stack any more.
 */
NORETURN void thread_exit(void);

/* Asks the thread to end: see `killed`. An interruptible sleep ends with -EINTR. */
void thread_kill(struct thread *thread);

/* Lets another thread run, if there is one. Interrupts on or off; no spinlock held. */
void thread_yield(void);

/* Called by handlers of interrupts at their end: switches if it is time, ends killed threads. */
void sched_preempt(bool may_switch);

/* Threads that are dead and wait for their stacks to be freed; blocks until there is one. */
struct thread *sched_wait_dead(void);

/* True if no thread is dead with its stack not yet given to sched_wait_dead(). */
bool sched_dead_empty(void);

/*
 * Called on each CPU once, on its idle thread's own stack, with interrupts off:
 * becomes the idle thread of this CPU; never returns.
 */
NORETURN void sched_idle_loop(struct thread *idle);

/* Boot, on the first CPU: goes over to the idle thread, whose entry is sched_idle_loop(). */
NORETURN void sched_start(struct thread *idle);

/* Installs the handlers of the tick and of TRAP_RESCHEDULE. */
void sched_init(void);

/* Gives up the turn of the current thread when its instruction has retired; set by mm/turn.c. */
extern void (*sched_retired_hook)(struct thread *thread);

/* What a killed thread calls when it is outside any gate; set by proc. */
extern void (*sched_killed_hook)(void);

/* Number of threads that are ready to run; for `cpus` and tests. */
unsigned sched_ready_count(void);

/* All threads alive, for `ps` and check: calls visit for each with the sched lock held. */
void sched_visit_threads(void (*visit)(struct thread *thread, void *context), void *context);
