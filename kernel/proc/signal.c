/*
 * signal.c: see signal.h.
 *
 * The fault is the thread's own and happened outside every service, so the
 * handler is simply called, above the trap's frame on the same stack, with the
 * fault's gate left for the time being. Leaving it by a jump leaves the trap
 * behind with it: nothing of it is held.
 *
 *     program            trap frame    fault_handle_fatal ..      handler
 *   ----------------- | ------------ | ----------------------- | ----------->  (stack, down)
 *
 * Invariants:
 *  1. A handler runs with gate_depth 0 and interrupts on.
 *  2. An instruction that a handler returned to retires, which a single-step
 *     trap tells (exact.c), or each address that it faults at again is another
 *     one, and they are WINDOW_PAGES at most; else the fault is fatal.
 * Lock: process_table guards a process's action.
 */
#include "kernel/proc/signal.h"

#include "arch/x86_64/trap.h"
#include "kernel/bugs.h"
#include "kernel/mm/turn.h"
#include "kernel/proc/process_internal.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"

int signal_set_action(int signal, const struct signal_action *action, struct signal_action *before)
{
	struct process *process = process_current();
	struct signal_action old, new;
	uint64_t flags;

	if (signal != SIGNAL_SEGV)
		return -EINVAL;
	new = *action; /* the program's memory: touched before and after, not inside */
	gate_enter();
	flags = spin_lock_irq(&process_table.lock);
	old = process->action;
	process->action = new;
	spin_unlock_irq(&process_table.lock, flags);
	gate_leave();
	if (before)
		*before = old;
	return 0;
}

static struct signal_action action_read(struct process *process)
{
	uint64_t flags = spin_lock_irq(&process_table.lock);
	struct signal_action action = process->action;

	spin_unlock_irq(&process_table.lock, flags);
	return action;
}

int signal_get_action(int signal, struct signal_action *action)
{
	struct signal_action current;

	if (signal != SIGNAL_SEGV)
		return -EINVAL;
	gate_enter();
	current = action_read(process_current());
	gate_leave();
	*action = current;
	return 0;
}

uint64_t signal_blocked(void)
{
	return thread_current()->signals_blocked;
}

void signal_set_blocked(uint64_t mask)
{
	thread_current()->signals_blocked = mask;
}

/* Did a handler return to this very access, and it has not retired since? */
static bool is_repeated(const struct fault_window *retried, uint64_t rip, vaddr_t address)
{
	if (retried->rip != rip)
		return false;
	for (unsigned i = 0; i < retried->next; i++)
		if (retried->pages[i] == address)
			return true;
	return retried->next == WINDOW_PAGES;
}

/* A handler has returned to the access. */
static void retry_note(struct thread *thread, struct fault_window before, uint64_t rip,
		       vaddr_t address)
{
	if (before.rip != rip)
		before = (struct fault_window){.rip = rip};
	before.pages[before.next++] = address;
	thread->retried = before;
}

/* Calls the handler outside the gate, and comes back into it if it returns. */
static void deliver(const struct signal_action *action, const struct signal_info *info)
{
	struct thread *thread = thread_current();
	uint64_t blocked = thread->signals_blocked;

	if (!action->stay_open && !BUG_PLANTED(BUG_UNBLOCKED_FAULT))
		thread->signals_blocked |= SIGNAL_BIT(SIGNAL_SEGV);
	irq_enable();
	gate_leave(); /* where a kill that came meanwhile ends the thread */
	action->handler(info);
	gate_enter_anyhow();
	irq_disable();
	thread->signals_blocked = blocked;
}

static bool signal_fault(struct trap_frame *frame, vaddr_t address, enum fault_reason reason)
{
	struct thread *thread = thread_current();
	const struct signal_info info = {
		.number = SIGNAL_SEGV,
		.code = reason == FAULT_FORBIDDEN ? SIGNAL_FORBIDDEN : SIGNAL_UNMAPPED,
		.address = address,
		.program = frame->rip,
	};
	struct signal_action action = action_read(thread->process);
	struct fault_window before = thread->retried;

	if (reason != FAULT_BAD_ADDRESS && reason != FAULT_FORBIDDEN)
		return false;
	if (!action.handler || thread->signals_blocked & SIGNAL_BIT(SIGNAL_SEGV) ||
	    gate_stack_is_short(thread) || is_repeated(&before, frame->rip, address))
		return false;
	thread->retried.rip = 0; /* a handler that jumps away begins anew */
	deliver(&action, &info);
	retry_note(thread, before, frame->rip, address);
	thread->window.rip = 0; /* the handler's own faults came between */
	frame->rflags |= RFLAGS_TF;
	return true;
}

void signal_init(void)
{
	fault_signal_hook = signal_fault;
}
