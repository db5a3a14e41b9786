/*
 * gate.h: every service of the kernel that a program calls enters and leaves
 * its thread's gate; so does every page fault.
 *
 * A kill acts outside the gate, or ends an interruptible sleep inside it. A
 * bad access inside becomes EFAULT, outside it ends the process. And check
 * closes all gates, so that it sees a system in which nothing is half done.
 */
#pragma once

#include "kernel/sched/thread.h"

extern bool gate_closed;

/* Out of line: waits until the gates are open again, then enters. Interrupts as they were. */
void gate_enter_closed(struct thread *thread);

/* Out of line: a kill or a turn to give up came meanwhile. May not return. */
void gate_leave_slow(struct thread *thread);

ALWAYS_INLINE void gate_enter(void)
{
	struct thread *thread = thread_current();

	/* The raise is seen before the gate is looked at; gate_close_all() does it the other way round. */
	if (__atomic_fetch_add(&thread->gate_depth, 1, __ATOMIC_SEQ_CST) == 0 &&
	    UNLIKELY(READ_ONCE(gate_closed)))
		gate_enter_closed(thread);
}

ALWAYS_INLINE void gate_leave(void)
{
	struct thread *thread = thread_current();

	WRITE_ONCE(thread->gate_depth, thread->gate_depth - 1);
	if (UNLIKELY(READ_ONCE(thread->killed) | thread->turn))
		gate_leave_slow(thread);
}

/*
 * Closes the gates and waits until every other thread is outside them, or
 * inside and asleep interruptibly. The caller may itself be inside. Several
 * callers take turns. May sleep.
 */
void gate_close_all(void);
void gate_open_all(void);
