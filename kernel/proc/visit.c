/*
 * visit.c: looking at processes without being in their way.
 */
#include "kernel/mm/check.h"
#include "kernel/proc/process_internal.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"
#include "lib/string.h"

/* A reference to a running process, so that it cannot end; NULL if there is none. */
static struct process *reference_take(pid_t pid)
{
	uint64_t flags = spin_lock_irq(&process_table.lock);
	struct process *process = process_find_locked(pid);

	if (process && process->state == PROCESS_RUNNING)
		process->references++;
	else
		process = NULL;
	spin_unlock_irq(&process_table.lock, flags);
	return process;
}

static void reference_drop(struct process *process)
{
	uint64_t flags = spin_lock_irq(&process_table.lock);

	if (--process->references == 0)
		wait_queue_wake_all(&process->unvisited);
	spin_unlock_irq(&process_table.lock, flags);
}

int process_with(pid_t pid, void (*visit)(struct process *process, void *context), void *context)
{
	struct process *process;
	int result = -ESRCH;

	gate_enter();
	process = reference_take(pid);
	if (process) {
		visit(process, context);
		reference_drop(process);
		result = 0;
	}
	gate_leave();
	return result;
}

static void usage_visit(struct process *process, void *context)
{
	vmap_usage(&process->vmap, context);
}

bool process_next(pid_t pid, struct process_info *info)
{
	const struct process *best = NULL;
	uint64_t flags = spin_lock_irq(&process_table.lock);

	for (unsigned slot = 1; slot <= process_table.highest; slot++) {
		const struct process *process = READ_ONCE(process_table.slots[slot]);

		if (process && process->pid >= pid && (!best || process->pid < best->pid))
			best = process;
	}
	if (best) {
		info->pid = best->pid;
		info->state = best->state;
		info->threads = best->thread_count;
		string_copy(info->name, best->name, sizeof(info->name));
	}
	spin_unlock_irq(&process_table.lock, flags);
	if (!best)
		return false;
	memset(&info->usage, 0, sizeof(info->usage));
	if (info->state == PROCESS_RUNNING && process_with(info->pid, usage_visit, &info->usage))
		info->state = PROCESS_ENDING;
	return true;
}

pid_t process_of_address(vaddr_t address)
{
	unsigned slot = address < PROCESS_END ? vmap_slice(address) : 0;
	uint64_t flags = spin_lock_irq(&process_table.lock);
	const struct process *process = slot ? process_table.slots[slot] : NULL;
	pid_t pid = process && process->state == PROCESS_RUNNING ? process->pid : 0;

	spin_unlock_irq(&process_table.lock, flags);
	return pid;
}

unsigned process_count(void)
{
	return READ_ONCE(process_table.count);
}

void process_visit_quiet(void (*visit)(struct process *process, void *context), void *context)
{
	for (unsigned slot = 1; slot <= READ_ONCE(process_table.highest); slot++) {
		struct process *process = READ_ONCE(process_table.slots[slot]);

		if (process)
			visit(process, context);
	}
}

/* How often a blocked thread is on its queue. The sched lock is held. */
static unsigned times_queued(const struct thread *thread)
{
	const struct thread *other;
	unsigned times = 0;

	TAILQ_FOREACH (other, &thread->waiting->threads, link)
		times += other == thread;
	return times;
}

static void check_thread(struct thread *thread, void *context)
{
	struct check *check = context;

	if (thread->state == THREAD_BLOCKED && !thread->waiting)
		check_fail(check, 13, "thread %d (%s) is blocked on no queue", thread->tid,
			   thread->name);
	else if (thread->state == THREAD_BLOCKED && times_queued(thread) != 1)
		check_fail(check, 13, "thread %d (%s) is blocked and %u times on its queue",
			   thread->tid, thread->name, times_queued(thread));
	if (thread->state != THREAD_BLOCKED && thread->waiting)
		check_fail(check, 13, "thread %d (%s) is on a queue but not blocked", thread->tid,
			   thread->name);
	if (thread->process && thread->space != &thread->process->vmap.space)
		check_fail(check, 11, "thread %d (%s) has another address space than its process",
			   thread->tid, thread->name);
}

/* A PID leads to the process that has it, or to no slot. */
static void check_pids(struct check *check)
{
	for (pid_t pid = 1; pid < PID_LIMIT; pid++) {
		unsigned slot = READ_ONCE(process_table.slot_of[pid]);
		const struct process *process = READ_ONCE(process_table.slots[slot]);

		if (slot && (!process || process->pid != pid))
			check_fail(check, 11, "pid %d leads to slot %u, which has %s", pid, slot,
				   process ? "another" : "no process");
	}
}

void process_check(struct check *check)
{
	sched_visit_threads(check_thread, check);
	check_pids(check);
	for (unsigned slot = 1; slot <= PROCESS_MAX; slot++) {
		const struct process *process = READ_ONCE(process_table.slots[slot]);
		bool lives = process && process->state != PROCESS_ZOMBIE;

		if (lives != (vmap_by_slot[slot] != NULL))
			check_fail(check, 11, "slot %u has %s process and %s address space", slot,
				   lives ? "a" : "no", vmap_by_slot[slot] ? "an" : "no");
	}
}
