/*
 * job.c: see job.h.
 *
 *   program --- print() ---> job_write() --- foreground ---> console_write()
 *                                        --- background ---> process->line, then
 *                                                            console_background()
 *
 * A fault's report is printed at once, but that of the process in the
 * foreground waits in `report` until job_run_foreground() has printed the
 * shell's line.
 *
 * Locks: `lock`, of the semaphores' class, guards every process->line and `report`.
 */
#include "kernel/monitor/job.h"

#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/input.h"
#include "kernel/monitor/reader.h"
#include "kernel/monitor/variable.h"
#include "kernel/proc/work.h"
#include "lib/errno.h"
#include "lib/string.h"

#define REPORT_BYTES 4096 /* of a fault report: a backtrace and the registers */

static struct {
	struct spinlock lock;
	char report[REPORT_BYTES]; /* "" if none waits */
} job = {.lock = SPINLOCK(WAIT)};

/* ---- Output and input ------------------------------------------------------ */

/* Adds bytes to the process's line and prints it when it is whole, or full. */
static void line_add(struct process *process, char byte)
{
	if (byte != '\n')
		process->line[process->line_count++] = byte;
	if (byte == '\n' || process->line_count == PROCESS_LINE_BYTES) {
		console_background(process->pid, process->line, process->line_count);
		process->line_count = 0;
	}
}

static void job_write(struct process *process, const char *bytes, size_t count)
{
	uint64_t flags;

	if (process->foreground) {
		console_write(bytes, count);
		return;
	}
	while (count > 0) {
		size_t piece = 0;

		/* The lock is held, with interrupts off, for about a line. */
		flags = spin_lock_irq(&job.lock);
		while (piece < MIN(count, (size_t)PROCESS_LINE_BYTES)) {
			line_add(process, bytes[piece]);
			if (bytes[piece++] == '\n')
				break;
		}
		spin_unlock_irq(&job.lock, flags);
		bytes += piece;
		count -= piece;
	}
}

/* Prints a line that was begun. */
static void line_end(struct process *process)
{
	uint64_t flags = spin_lock_irq(&job.lock);

	if (process->line_count > 0)
		line_add(process, '\n');
	spin_unlock_irq(&job.lock, flags);
}

static void job_report(struct process *process, const char *text)
{
	if (work_is_awaited(process->pid)) {
		console_fresh_line();
		console_write(text, strlen(text));
	} else if (process->foreground) {
		uint64_t flags = spin_lock_irq(&job.lock);

		(void)string_copy(job.report, text, sizeof(job.report));
		spin_unlock_irq(&job.lock, flags);
	} else {
		line_end(process);
		console_background(process->pid, text, strlen(text));
	}
}

static void job_ended(struct process *process)
{
	line_end(process);
	work_process_ended(process->pid, process->killed);
	input_change();
}

void job_init(void)
{
	reader_init();
	process_write_hook = job_write;
	process_read_hook = reader_program_line;
	process_flush_hook = console_flush;
	process_report_hook = job_report;
	process_ended_hook = job_ended;
}

/* ---- Waiting ---------------------------------------------------------------- */

/* Once it is ENDING it needs nobody any more to become a zombie. */
static int wait_ending(pid_t pid, enum job_interrupt interrupt)
{
	struct process_info info;

	for (;;) {
		uint64_t seen = input_changes();

		if (!process_next(pid, &info) || info.pid != pid)
			return -ESRCH;
		if (info.state == PROCESS_ENDING || info.state == PROCESS_ZOMBIE)
			return 0;
		if (input_interrupted()) {
			if (interrupt == JOB_ABANDON)
				return -EINTR;
			input_interrupt_clear();
			console_interrupt();
			if (process_kill(pid) != 0)
				continue; /* it has just ended by itself */
		}
		if (input_wait_change(seen) != 0)
			return -EINTR;
	}
}

int job_wait(pid_t pid, enum job_interrupt interrupt, struct process_end *end)
{
	int error = wait_ending(pid, interrupt);

	return error != 0 ? error : process_wait(pid, end);
}

int job_status(const struct process_end *end)
{
	switch (end->killed) {
	case FAULT_OK:
		return end->exit_status;
	case FAULT_KILLED:
		return 128 + 9; /* SIGKILL */
	case FAULT_SWAP_LOST:
		return 128 + 7; /* SIGBUS */
	default:
		return 128 + 11; /* SIGSEGV */
	}
}

static bool is_bad_access(enum fault_reason reason)
{
	return reason == FAULT_BAD_ADDRESS || reason == FAULT_FORBIDDEN || reason == FAULT_STACK;
}

int job_run_foreground(pid_t pid, const char *name, struct process_end *end)
{
	int error = job_wait(pid, JOB_KILL, end);

	if (error != 0)
		return error;
	variable_set_status(job_status(end));
	console_fresh_line();
	if (is_bad_access(end->killed))
		console_print("[1]  segmentation fault  ./%s\n", name);
	console_write(job.report, strlen(job.report));
	job.report[0] = '\0';
	return 0;
}
