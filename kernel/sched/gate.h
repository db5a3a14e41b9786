/*
 * gate.h: every service of the kernel that a program calls enters and leaves
 * its thread's gate; so does every page fault.
 *
 * A kill acts outside the gate, or ends an interruptible sleep inside it. A
 * bad access inside becomes EFAULT, outside it ends the process. And check
 * closes all gates, so that it sees a system in which nothing is half done.
 */
#pragma once

#include "kernel/config.h"
#include "kernel/detour.h"
#include "kernel/sched/thread.h"

ALWAYS_INLINE bool gate_is_closed(void)
{
	return READ_ONCE(detours) & DETOUR_GATE;
}

/* Out of line: waits until the gates are open again, then enters. Interrupts as they were. */
SLOW_PATH void gate_enter_closed(struct thread *thread);

/*
 * What else a service has to see to first: a thread that is short of stack ends
 * its process; one that has the turn gives it up, as it may wait for others.
 */
SLOW_PATH void gate_enter_slow(struct thread *thread);

/*
 * Out of line: a kill or a turn to give up came meanwhile. May not return.
 * Called through gate_leave_slow_saving (kernel/saving.S).
 */
void gate_leave_slow(struct thread *thread);

/* Is less stack left than a service may need? */
ALWAYS_INLINE bool gate_stack_is_short(const struct thread *thread)
{
	return cpu_stack_pointer() - thread->stack_base < STACK_SERVICE_BYTES;
}

/* At the door of a service. */
ALWAYS_INLINE void gate_enter(void)
{
	struct thread *thread = thread_current();

	/* The raise is seen before the gate is looked at; gate_close_all() does it the other way
	 * round. */
	if (__atomic_fetch_add(&thread->gate_depth, 1, __ATOMIC_SEQ_CST) == 0 &&
	    UNLIKELY(gate_is_closed() | gate_stack_is_short(thread) | thread->turn))
		gate_enter_slow(thread);
}

/* For a page fault and for a thread's end, which make do with the stack that is left. */
ALWAYS_INLINE void gate_enter_anyhow(void)
{
	struct thread *thread = thread_current();

	if (__atomic_fetch_add(&thread->gate_depth, 1, __ATOMIC_SEQ_CST) == 0 &&
	    UNLIKELY(gate_is_closed()))
		gate_enter_closed(thread);
}

/* Enters an open gate; false, and nothing is changed, if gate_enter() would have more to do. */
ALWAYS_INLINE bool gate_try_enter(struct thread *thread)
{
	__atomic_fetch_add(&thread->gate_depth, 1, __ATOMIC_SEQ_CST);
	if (LIKELY(!(gate_is_closed() | gate_stack_is_short(thread) | thread->turn)))
		return true;
	thread->gate_depth--;
	return false;
}

/* The thread is the current one. */
ALWAYS_INLINE void gate_leave_as(struct thread *thread)
{
	thread->gate_depth--;
	if (UNLIKELY(READ_ONCE(thread->attention)))
		__asm__ volatile("call gate_leave_slow_saving" : : "D"(thread) : "memory", "cc");
}

ALWAYS_INLINE void gate_leave(void)
{
	gate_leave_as(thread_current());
}

/* Whose gates are closed; one at a time. */
extern struct mutex gate_closer;

/* What the call gives, with the gate passed around it: a service whose work is one function. */
#define INSIDE_GATE(call)                \
	({                               \
		__typeof__(call) answer; \
		gate_enter();            \
		answer = (call);         \
		gate_leave();            \
		answer;                  \
	})

/*
 * Closes the gates and waits until every other thread is outside them, or
 * inside and asleep interruptibly. The caller may itself be inside. Several
 * callers take turns. May sleep.
 */
void gate_close_all(void) ACQUIRES(gate_closer);
void gate_open_all(void) RELEASES(gate_closer);
