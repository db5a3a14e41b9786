/*
 * threads.c: stacks for threads, and the reaper that frees them.
 *
 * A thread cannot free the stack it stands on. It becomes DEAD, and the reaper,
 * a thread of the kernel, frees it. `dying` counts threads on that way, so that
 * check and tests can wait until none is.
 */
#include "kernel/mm/quarantine.h"
#include "kernel/mm/stack.h"
#include "kernel/proc/process_internal.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"

static uint64_t dying;     /* atomic */
static uint64_t quiescing; /* atomic: who waits until none is; no thread is started meanwhile */

static void body_of_process(void *argument)
{
	struct thread *thread = argument;

	thread->body(thread->body_argument);
	process_thread_leave();
}

static void body_of_kernel(void *argument)
{
	struct thread *thread = argument;

	thread->body(thread->body_argument);
	process_thread_dying();
	thread_exit();
}

struct thread *process_thread_make(struct process *process, const char *name,
				   void (*body)(void *argument), void *argument)
{
	vaddr_t stack = stack_alloc();
	struct thread *thread;

	if (!stack)
		return NULL;
	thread = thread_init(stack, name, process, process ? &process->vmap.space : NULL,
			     process ? body_of_process : body_of_kernel, NULL);
	thread->argument = thread;
	thread->body = body;
	thread->body_argument = argument;
	return thread;
}

int kernel_thread_start(const char *name, void (*entry)(void *argument), void *argument)
{
	struct thread *thread = process_thread_make(NULL, name, entry, argument);

	if (!thread)
		return -ENOMEM;
	thread_ready(thread);
	return 0;
}

void process_thread_dying(void)
{
	__atomic_fetch_add(&dying, 1, __ATOMIC_SEQ_CST);
}

void process_wait_for_stacks(void)
{
	/* Inside a gate that is closed the reaper waits for a check, and that for us. */
	while (thread_current()->gate_depth == 0 &&
	       (__atomic_load_n(&dying, __ATOMIC_RELAXED) > DYING_MAX ||
		__atomic_load_n(&quiescing, __ATOMIC_RELAXED)))
		thread_yield();
}

void process_quiesce(void)
{
	__atomic_fetch_add(&quiescing, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&dying, __ATOMIC_SEQ_CST))
		thread_yield();
	__atomic_fetch_sub(&quiescing, 1, __ATOMIC_SEQ_CST);
	(void)quarantine_drain();
}

static void reaper(void *argument)
{
	(void)argument;
	for (;;) {
		struct thread *thread = sched_wait_dead();

		gate_enter();
		stack_free(thread->stack_base);
		__atomic_fetch_sub(&dying, 1, __ATOMIC_SEQ_CST);
		gate_leave();
	}
}

/* A killed thread, outside any gate. */
static void killed(void)
{
	process_thread_leave();
}

void process_init(void)
{
	sched_killed_hook = killed;
	fault_fatal_hook = process_fault;
	if (kernel_thread_start("reaper", reaper, NULL))
		ASSERT(!"memory for the first thread");
}
