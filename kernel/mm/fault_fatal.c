/*
 * fault_fatal.c: a page fault that could not be served, with all registers saved.
 *
 *   our own bug: a reserved bit, a lock held, a kernel thread   panic
 *   in a copy for a program (copy.c)                             the copy returns an error
 *   elsewhere in a service                                       panic
 *   in a program that has a handler (proc/signal.c)              the handler
 *   in any other                                                 its process ends
 *
 * fault_handle() of fault.c has found out why, and left it in the thread (`unserved`). But
 * for our own bugs the gate is entered.
 *
 * No locks: interrupts are off from there to here, and the thread is the current one.
 */
#include "arch/x86_64/trap.h"
#include "kernel/mm/copy.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/stack.h"
#include "kernel/panic.h"
#include "kernel/sched/gate.h"
#include "kernel/sched/spinlock.h"

void (*fault_fatal_hook)(const struct trap_frame *frame, vaddr_t address, enum fault_reason reason,
			 const char *detail);
bool (*fault_signal_hook)(struct trap_frame *frame, vaddr_t address, enum fault_reason reason);

static NORETURN void panic_of_ours(const struct trap_frame *frame, vaddr_t address)
{
	const void *caller = NULL;
	const char *lock = lock_debug_held(&caller);

	if (frame->error & FAULT_RESERVED)
		fault_reserved_bit(frame, address);
	if (lock)
		panic_trap(frame, "page fault at %p with lock %s held (taken at %p)",
			   (void *)address, lock, caller);
	if (!(frame->rflags & RFLAGS_IF))
		panic_trap(frame, "page fault at %p with interrupts off", (void *)address);
	panic_trap(frame, "page fault at %p in a kernel thread", (void *)address);
}

/* The copy that caused it returns an error, or the program's own handler sees to it. False:
 * neither. */
static bool fault_excuse(struct trap_frame *frame, vaddr_t address, enum fault_reason reason,
			 const char *detail)
{
	struct thread *thread = thread_current();

	if (copy_fix_up(frame)) {
		/* Its page is lost, so the process ends as soon as it leaves the gate. */
		if (thread->process && reason == FAULT_SWAP_LOST)
			fault_fatal_hook(frame, address, reason, detail);
		return true;
	}
	if (!thread->process || thread->gate_depth > 1)
		panic_trap(frame, "page fault at %p (%s) in the kernel", (void *)address,
			   fault_reason_name(reason));
	return fault_signal_hook && fault_signal_hook(frame, address, reason);
}

COLD void fault_handle_fatal(struct trap_frame *frame)
{
	struct thread *thread = thread_current();
	vaddr_t address = thread->unserved.address;
	enum fault_reason reason = (enum fault_reason)thread->unserved.reason;
	const char *detail = thread->unserved.detail;

	if (fault_is_ours(frame))
		panic_of_ours(frame, cpu_fault_address());
	if (reason == FAULT_BAD_ADDRESS && stack_is_guard(thread->stack_base, address)) {
		reason = FAULT_STACK;
		detail = "it is in the guard page below the thread's stack";
	}
	if (!fault_excuse(frame, address, reason, detail))
		fault_fatal_hook(frame, address, reason, detail);
	fault_leave(thread);
}
