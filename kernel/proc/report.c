/*
 * report.c: what is told of a fault that ends a process.
 *
 *   fault: pid 3 worker tid 9 cpu 0: write 0x0000006000001000 at worker_store+0x8: bad-address
 *     the address lies in the slice of pid 4 (demo)
 *     rax 0000000000000001 ...
 *     #0  0xffffffffc0101234 worker_store+0x8
 */
#include "arch/x86_64/trap.h"
#include "kernel/backtrace.h"
#include "kernel/proc/process_internal.h"
#include "kernel/sched/mutex.h"
#include "kernel/symbols.h"
#include "lib/format.h"
#include "lib/string.h"

#define REPORT_BYTES 2048

void (*process_report_hook)(struct process *process, const char *text);

/* One report at a time is composed: it is too large for a stack. */
static struct {
	struct mutex mutex;
	char text[REPORT_BYTES] GUARDED_BY(mutex);
	size_t length GUARDED_BY(mutex);
} report = {
	.mutex = {.lock_class = LOCK_REPORT,
		  .waiters = WAIT_QUEUE(report.mutex.waiters)},
};

static void PRINTF_LIKE(1, 2) add(const char *fmt, ...) REQUIRES(report.mutex)
{
	va_list arguments;

	va_start(arguments, fmt);
	report.length += (size_t)format_v(report.text + report.length, REPORT_BYTES - report.length,
					  fmt, arguments);
	va_end(arguments);
	report.length = MIN(report.length, REPORT_BYTES - 1);
}

static void add_backtrace_line(const char *text) REQUIRES(report.mutex)
{
	add("  %s\n", text);
}

static const char *access_name(const struct trap_frame *frame)
{
	if (frame->vector != TRAP_PAGE_FAULT && frame->vector != TRAP_DOUBLE_FAULT)
		return "exec";
	if (frame->vector == TRAP_DOUBLE_FAULT || frame->error & FAULT_WRITE)
		return "write";
	return frame->error & FAULT_EXECUTE ? "exec" : "read";
}

/* Whose the address is, in a sentence. */
static void add_owner(vaddr_t address, const char *detail) REQUIRES(report.mutex)
{
	pid_t owner = process_of_address(address);

	if (detail && (owner == 0 || owner == process_current()->pid))
		add("  %s\n", detail);
	if (address < PROCESS_FIRST)
		add("  nothing is ever mapped below %p: a null pointer\n", (void *)PROCESS_FIRST);
	else if (address >= PROCESS_END)
		add("  the address is in the kernel's half\n");
	else if (owner && owner != process_current()->pid)
		add("  the address lies in the slice of pid %d\n", owner);
}

static void compose(const struct trap_frame *frame, vaddr_t address, enum fault_reason reason,
		    const char *detail) REQUIRES(report.mutex)
{
	const struct thread *thread = thread_current();
	const struct process *process = thread->process;
	uint64_t offset = 0;
	const char *symbol = symbol_find(frame->rip, &offset);

	report.length = 0;
	add("fault: pid %d %s tid %d cpu %u: %s %p at %s+0x%lx: %s\n", process->pid, process->name,
	    thread->tid, THIS_CPU->id, access_name(frame), (void *)address, symbol ? symbol : "?",
	    offset, fault_reason_name(reason));
	if (reason == FAULT_TRAP)
		add("  %s\n", detail);
	else
		add_owner(address, detail);
	add("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", frame->rax, frame->rbx, frame->rcx,
	    frame->rdx);
	add("  rsi %016lx rdi %016lx rsp %016lx rip %016lx\n", frame->rsi, frame->rdi, frame->rsp,
	    frame->rip);
	backtrace_trap(frame, add_backtrace_line);
}

void process_fault(const struct trap_frame *frame, vaddr_t address, enum fault_reason reason,
		   const char *detail)
{
	struct thread *thread = thread_current();
	struct process *process = thread->process;
	bool inside = thread->gate_depth > 1;

	irq_enable();
	/* What a process does that is ending already is not worth a report. */
	if (process_end_by(reason)) {
		mutex_lock(&report.mutex);
		compose(frame, address, reason, detail);
		if (process_report_hook)
			process_report_hook(process, report.text);
		mutex_unlock(&report.mutex);
	}
	thread->killed = true;
	if (inside) {
		irq_disable();
		return; /* inside a service, which gets an error: the thread ends at the gate */
	}
	thread->gate_depth = 0;
	process_thread_leave();
}
