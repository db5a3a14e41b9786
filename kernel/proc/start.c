/*
 * start.c: a process that begins in a function of a running program.
 *
 *   parent: its variables --> object --> child: its own copy, then the function
 *
 * A thread works in one address space only, so the variables go by way of an
 * object: the parent writes it, the child reads it before it does anything else.
 *
 * A child's record names its parent, under the process_table lock; the parent's
 * record stays until every child is gone, so the name is good.
 */
#include "arch/x86_64/layout.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/object.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/semaphores.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"

#define PIECE_BYTES 512 /* at a time; on the thread's stack */

int (*process_inherit_hook)(struct process *child, struct process *parent);

/* The calling program's variables, or NULL. */
static struct object *variables_save(void)
{
	struct object *object = object_create();
	uint64_t size_bytes = program_data_bytes();
	char piece[PIECE_BYTES];

	for (uint64_t at = 0; object && at < size_bytes; at += sizeof(piece)) {
		size_t count = MIN(sizeof(piece), size_bytes - at);

		if (vmap_buffer_read(piece, (char *)PROGRAM_BASE + at, count) ||
		    object_write(object, at, piece, count) != (int64_t)count) {
			object_release(object);
			object = NULL;
		}
	}
	return object;
}

/* The other's variables become this program's. 0 or -errno. */
static int variables_load(struct object *object)
{
	uint64_t size_bytes = program_data_bytes();
	char piece[PIECE_BYTES];
	int error = 0;

	for (uint64_t at = 0; error == 0 && at < size_bytes; at += sizeof(piece)) {
		size_t count = MIN(sizeof(piece), size_bytes - at);

		error = object_read(object, at, piece, count) == (int64_t)count ? 0 : -EIO;
		if (error == 0)
			error = vmap_buffer_write((char *)PROGRAM_BASE + at, piece, count);
	}
	return error;
}

/* The main function of a process that was started so. */
static int started_main(int argc, char **argv)
{
	struct process *process = process_current();
	int error;

	(void)argc, (void)argv;
	gate_enter();
	error = variables_load(process->variables);
	object_release(process->variables);
	process->variables = NULL;
	if (error) { /* a page of them was lost in swap */
		(void)process_end_by(FAULT_SWAP_LOST);
		thread_current()->killed = true;
	}
	gate_leave();
	return process->function(process->argument);
}

struct start {
	int (*function)(void *argument);
	void *argument;
	struct object *variables;
};

/* The child gets what it inherits. 0 or -ENOMEM. */
static int child_prepare(struct process *child, const struct start *start)
{
	struct process *parent = process_current();
	uint64_t flags;

	child->function = start->function;
	child->argument = start->argument;
	child->variables = start->variables;
	object_hold(child->variables);
	semaphores_inherit(child, parent);
	flags = spin_lock_irq(&process_table.lock);
	child->parent = parent;
	LIST_INSERT_HEAD(&parent->children, child, sibling);
	spin_unlock_irq(&process_table.lock, flags);
	return process_inherit_hook ? process_inherit_hook(child, parent) : 0;
}

pid_t process_start(int (*function)(void *argument), void *argument)
{
	struct process *parent = process_current();
	struct start start = {.function = function, .argument = argument};
	pid_t pid = -ENOMEM;

	process_wait_for_stacks();
	gate_enter();
	start.variables = variables_save();
	if (start.variables) {
		pid = process_spawn_prepared(parent->name, started_main, parent->argc, parent->argv,
					     PROCESS_BACKGROUND, child_prepare, &start);
		object_release(start.variables);
	}
	gate_leave();
	return pid;
}

void process_release_inherited(struct process *process)
{
	if (process->variables)
		object_release(process->variables);
	process->variables = NULL;
	semaphores_release(process);
}

static void children_kill_locked(const struct process *process) REQUIRES(process_table.lock)
{
	struct process *child;

	LIST_FOREACH (child, &process->children, sibling)
		if (child->state == PROCESS_RUNNING && !child->exiting) {
			child->killed = FAULT_KILLED;
			process_kill_threads_locked(child);
		}
}

void process_end_children(struct process *process)
{
	uint64_t flags = spin_lock_irq(&process_table.lock);
	struct process *child;

	children_kill_locked(process);
	while ((child = LIST_FIRST(&process->children)) != NULL) {
		if (child->state != PROCESS_ZOMBIE) {
			/* Interruptible, so that nobody waits for this thread to leave its gate. */
			(void)wait_queue_sleep(&child->ended, &process_table.lock,
					       WAIT_INTERRUPTIBLE);
			continue;
		}
		process_remove_locked(child);
		spin_unlock_irq(&process_table.lock, flags);
		kernel_page_free(child);
		flags = spin_lock_irq(&process_table.lock);
	}
	spin_unlock_irq(&process_table.lock, flags);
}
