/*
 * process.c: the process table, from spawn to wait.
 *
 *   STARTING --> RUNNING --> ENDING --> ZOMBIE --> gone
 *     process_     |           |          |   process_wait()
 *     create()     | exit,     | last thread has left: visitors gone,
 *                  | kill,     | address space destroyed
 *                  | fault
 *
 * Invariants, under the process_table lock:
 *  1. table[slot] is a process from its creation to its collection; its VMap
 *     has the same slot.
 *  2. A RUNNING process has at least one thread; `exiting` never goes back.
 *  3. References keep a process from ENDING on; a ZOMBIE has none, and owns
 *     nothing but this record.
 * Lock: process_table is a spinlock and the outermost one; making and
 * destroying address spaces and stacks happens outside it.
 */
#include "kernel/proc/process.h"

#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/turn.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"
#include "lib/string.h"

STATIC_ASSERT(sizeof(struct process) <= PAGE_SIZE);

struct process_table process_table = {.lock = SPINLOCK(PROCESS_TABLE), .next_pid = 1, .hint = 1};

void (*process_close_hook)(struct process *process);
void (*process_ended_hook)(struct process *process);

struct process *process_find_locked(pid_t pid)
{
	return pid > 0 && pid < PID_LIMIT ? process_table.slots[process_table.slot_of[pid]] : NULL;
}

/* The next PID that nobody has: they grow and wrap. */
static pid_t pid_take_locked(void) REQUIRES(process_table.lock)
{
	pid_t pid;

	do {
		pid = process_table.next_pid;
		process_table.next_pid = pid + 1 < PID_LIMIT ? pid + 1 : 1;
	} while (process_find_locked(pid));
	return pid;
}

/* Gives the process a slot and a PID. 0 or -EAGAIN. */
static int table_enter(struct process *process)
{
	uint64_t flags = spin_lock_irq(&process_table.lock);
	int result = -EAGAIN;

	for (unsigned i = 0; i < PROCESS_MAX; i++) {
		/* The lowest free slot at or after the one after the last given: slices rest a
		 * while. */
		unsigned slot = 1 + (process_table.hint - 1 + i) % PROCESS_MAX;

		if (process_table.slots[slot])
			continue;
		process->pid = pid_take_locked();
		process->slot = (uint16_t)slot;
		process_table.slots[slot] = process;
		process_table.slot_of[process->pid] = process->slot;
		process_table.hint = slot % PROCESS_MAX + 1;
		process_table.highest = MAX(process_table.highest, slot);
		process_table.count++;
		result = 0;
		break;
	}
	spin_unlock_irq(&process_table.lock, flags);
	return result;
}

void process_reuse(pid_t pid, uint16_t slot)
{
	uint64_t flags = spin_lock_irq(&process_table.lock);

	process_table.next_pid = pid;
	process_table.hint = slot;
	spin_unlock_irq(&process_table.lock, flags);
}

void process_remove_locked(struct process *process)
{
	process_table.slots[process->slot] = NULL;
	process_table.slot_of[process->pid] = 0;
	process_table.count--;
	if (process->parent)
		LIST_REMOVE(process, sibling);
}

static void table_leave(struct process *process)
{
	uint64_t flags = spin_lock_irq(&process_table.lock);

	process_remove_locked(process);
	wait_queue_wake_all(&process->ended); /* who waits looks it up anew */
	spin_unlock_irq(&process_table.lock, flags);
}

/* Copies the arguments into the process. 0 or -E2BIG. */
static int arguments_copy(struct process *process, int argc, char *const *argv)
{
	size_t used = 0;

	if (argc > PROGRAM_ARGS_MAX)
		return -E2BIG;
	for (int i = 0; i < argc; i++) {
		size_t size = strlen(argv[i]) + 1;

		if (size > sizeof(process->arguments) - used)
			return -E2BIG;
		process->argv[i] = memcpy(process->arguments + used, argv[i], size);
		used += size;
	}
	process->argc = argc;
	return 0;
}

static void main_thread(void *argument)
{
	struct process *process = argument;

	process_exit(process->main(process->argc, process->argv));
}

/* A process that is STARTING, with its address space; NULL and *error. */
static struct process *process_create(const char *name, int argc, char *const *argv, int *error)
{
	struct process *process = kernel_page_alloc();

	*error = -ENOMEM;
	if (!process)
		return NULL;
	TAILQ_INIT(&process->threads);
	LIST_INIT(&process->children);
	wait_queue_init(&process->ended);
	wait_queue_init(&process->thread_ended);
	wait_queue_init(&process->unvisited);
	string_copy(process->name, name, sizeof(process->name));
	*error = arguments_copy(process, argc, argv);
	if (*error == 0)
		*error = table_enter(process);
	if (*error) {
		kernel_page_free(process);
		return NULL;
	}
	*error = vmap_create(&process->vmap, process->pid, process->slot);
	if (*error) {
		table_leave(process);
		kernel_page_free(process);
		return NULL;
	}
	return process;
}

/* Undoes process_create(). */
static void process_uncreate(struct process *process)
{
	if (process_close_hook)
		process_close_hook(process);
	process_release_inherited(process);
	vmap_destroy(&process->vmap);
	table_leave(process);
	kernel_page_free(process);
}

/* What it gets from the process that starts it. 0 or -errno. */
static int inherit(struct process *process, process_prepare *prepare, const struct start *start)
{
	int error = 0;

	if (process_current())
		error = mapping_inherit(&process->vmap, &process_current()->vmap);
	if (error == 0 && prepare)
		error = prepare(process, start);
	return error;
}

pid_t process_spawn_prepared(const char *name, int (*main)(int argc, char **argv), int argc,
			     char *const *argv, enum process_place place, process_prepare *prepare,
			     const struct start *start)
{
	int error;
	struct process *process = process_create(name, argc, argv, &error);
	struct thread *thread = NULL;
	uint64_t flags;
	pid_t pid;

	if (!process)
		return error;
	pid = process->pid;
	process->main = main;
	process->foreground = place == PROCESS_FOREGROUND;
	error = inherit(process, prepare, start);
	if (error == 0)
		thread = process_thread_make(process, name, main_thread, process);
	if (!thread) {
		process_uncreate(process);
		return error ? error : -ENOMEM;
	}
	flags = spin_lock_irq(&process_table.lock);
	process->state = PROCESS_RUNNING;
	TAILQ_INSERT_TAIL(&process->threads, thread, sibling);
	process->thread_count = 1;
	spin_unlock_irq(&process_table.lock, flags);
	thread_ready(thread);
	return pid;
}

pid_t process_spawn_function(const char *name, int (*main)(int argc, char **argv), int argc,
			     char *const *argv, enum process_place place)
{
	pid_t pid;

	process_wait_for_stacks();
	gate_enter();
	pid = process_spawn_prepared(name, main, argc, argv, place, NULL, NULL);
	gate_leave();
	return pid;
}

pid_t process_spawn(int argc, char *const *argv, enum process_place place)
{
	const struct program *program = argc > 0 ? program_find(argv[0]) : NULL;

	if (!program)
		return -ENOENT;
	return process_spawn_function(program->name, program->main, argc, argv, place);
}

void process_kill_threads_locked(struct process *process)
{
	struct thread *thread;

	process->exiting = true;
	TAILQ_FOREACH (thread, &process->threads, sibling)
		if (thread != thread_current())
			thread_kill(thread);
}

/* The process has no thread any more but this one, which is not listed: takes it down. */
static void process_finish(struct process *process)
{
	struct thread *thread = thread_current();
	uint64_t flags = spin_lock_irq(&process_table.lock);

	process->state = PROCESS_ENDING;
	while (process->references)
		(void)wait_queue_sleep(&process->unvisited, &process_table.lock,
				       WAIT_UNINTERRUPTIBLE);
	/* From here this is a thread of the kernel. */
	thread->space = NULL;
	thread->process = NULL;
	thread->killed = false;
	address_space_load(NULL);
	spin_unlock_irq(&process_table.lock, flags);
	process_end_children(process);
	if (process_close_hook)
		process_close_hook(process);
	process_release_inherited(process);
	vmap_destroy(&process->vmap);
	if (process_ended_hook)
		process_ended_hook(process);
	/* Before anybody can collect it: who then waits for the dead waits for this thread too. */
	process_thread_dying();
	flags = spin_lock_irq(&process_table.lock);
	process->state = PROCESS_ZOMBIE;
	wait_queue_wake_all(&process->ended);
	spin_unlock_irq(&process_table.lock, flags);
}

void process_thread_leave(void)
{
	struct thread *thread = thread_current();
	struct process *process = thread->process;
	uint64_t flags;
	bool last;

	gate_enter_anyhow();
	turn_release(thread);
	flags = spin_lock_irq(&process_table.lock);
	TAILQ_REMOVE(&process->threads, thread, sibling);
	last = --process->thread_count == 0;
	wait_queue_wake_all(&process->thread_ended);
	if (!last) {
		/* Others may take the process down from now on. */
		thread->space = NULL;
		thread->process = NULL;
		address_space_load(NULL);
	}
	spin_unlock_irq(&process_table.lock, flags);
	if (last)
		process_finish(process);
	else
		process_thread_dying();
	thread->gate_depth = 0;
	thread_exit();
}

void process_exit(int status)
{
	struct process *process = process_current();
	uint64_t flags = spin_lock_irq(&process_table.lock);

	if (!process->exiting) {
		process->exit_status = status;
		process_kill_threads_locked(process);
	}
	spin_unlock_irq(&process_table.lock, flags);
	process_thread_leave();
}

bool process_end_by(enum fault_reason reason)
{
	struct process *process = process_current();
	uint64_t flags = spin_lock_irq(&process_table.lock);
	bool first = !process->exiting;

	if (first) {
		process->killed = reason;
		process_kill_threads_locked(process);
	}
	spin_unlock_irq(&process_table.lock, flags);
	return first;
}

int process_kill(pid_t pid)
{
	uint64_t flags = spin_lock_irq(&process_table.lock);
	struct process *process = process_find_locked(pid);
	int result = process && process->state == PROCESS_RUNNING ? 0 : -ESRCH;

	if (result == 0 && !process->exiting) {
		process->killed = FAULT_KILLED;
		process_kill_threads_locked(process);
		if (process == process_current())
			thread_current()->killed = true;
	}
	spin_unlock_irq(&process_table.lock, flags);
	return result;
}

/* Waits until the process is a zombie; NULL and *error. The table's lock is held. */
static struct process *zombie_wait_locked(pid_t pid, int *error) REQUIRES(process_table.lock)
{
	struct process *process;

	for (;;) {
		/* Looked up anew after each sleep: another may have collected it. */
		process = process_find_locked(pid);
		*error = process ? 0 : -ESRCH;
		if (!process || process->state == PROCESS_ZOMBIE)
			return process;
		*error = wait_queue_sleep(&process->ended, &process_table.lock, WAIT_INTERRUPTIBLE);
		if (*error)
			return NULL;
	}
}

/* Waits for the zombie and takes it out of the table; NULL and *error. */
static struct process *zombie_take(pid_t pid, int *error)
{
	uint64_t flags = spin_lock_irq(&process_table.lock);
	struct process *process = zombie_wait_locked(pid, error);

	if (process)
		process_remove_locked(process);
	spin_unlock_irq(&process_table.lock, flags);
	return process;
}

int process_join(pid_t pid)
{
	uint64_t flags;
	int error;

	gate_enter();
	flags = spin_lock_irq(&process_table.lock);
	(void)zombie_wait_locked(pid, &error);
	spin_unlock_irq(&process_table.lock, flags);
	gate_leave();
	return error;
}

int process_wait(pid_t pid, struct process_end *end)
{
	struct process *process;
	int error;

	gate_enter();
	process = zombie_take(pid, &error);
	if (process) {
		end->exit_status = process->exit_status;
		end->killed = process->killed;
		kernel_page_free(process);
	}
	gate_leave();
	return error;
}

bool process_ended(pid_t pid)
{
	uint64_t flags = spin_lock_irq(&process_table.lock);
	const struct process *process = process_find_locked(pid);
	bool ended = process && process->state == PROCESS_ZOMBIE;

	spin_unlock_irq(&process_table.lock, flags);
	return ended;
}

int process_thread_start(const char *name, void (*entry)(void *argument), void *argument,
			 tid_t *tid)
{
	struct process *process = process_current();
	struct thread *thread;
	uint64_t flags;
	int result = 0;

	if (!process)
		return kernel_thread_start(name, entry, argument);
	process_wait_for_stacks();
	gate_enter();
	thread = process_thread_make(process, name, entry, argument);
	if (!thread) {
		gate_leave();
		return -ENOMEM;
	}
	*tid = thread->tid;
	flags = spin_lock_irq(&process_table.lock);
	TAILQ_INSERT_TAIL(&process->threads, thread, sibling);
	process->thread_count++;
	if (process->exiting)
		thread_kill(thread); /* it ends as soon as it runs */
	spin_unlock_irq(&process_table.lock, flags);
	thread_ready(thread);
	gate_leave();
	return result;
}

static bool has_thread_locked(const struct process *process, tid_t tid)
{
	const struct thread *thread;

	TAILQ_FOREACH (thread, &process->threads, sibling)
		if (thread->tid == tid)
			return true;
	return false;
}

int process_thread_join(tid_t tid)
{
	struct process *process = process_current();
	uint64_t flags;
	int result = 0;

	gate_enter();
	flags = spin_lock_irq(&process_table.lock);
	while (result == 0 && has_thread_locked(process, tid))
		result = wait_queue_sleep(&process->thread_ended, &process_table.lock,
					  WAIT_INTERRUPTIBLE);
	spin_unlock_irq(&process_table.lock, flags);
	gate_leave();
	return result;
}
