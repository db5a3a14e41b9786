/*
 * process_internal.h: what the files of proc share.
 */
#pragma once

#include "kernel/proc/process.h"

struct process_table {
	struct spinlock lock;
	struct process *slots[PROCESS_MAX + 1] GUARDED_BY(lock); /* slot 0 is never given */
	uint16_t slot_of[PID_LIMIT] GUARDED_BY(lock);            /* by PID; 0: nobody has it */
	unsigned highest GUARDED_BY(lock);                       /* no process in a slot above */
	unsigned hint GUARDED_BY(lock); /* where the search for a free slot begins */
	unsigned count GUARDED_BY(lock);
	pid_t next_pid GUARDED_BY(lock);
};

extern struct process_table process_table;

/* The process with a PID, of any state, or NULL. The table's lock is held. */
struct process *process_find_locked(pid_t pid) REQUIRES(process_table.lock);

/* A NEW thread on a new stack; NULL if there is no memory. Not yet listed in the process. */
struct thread *process_thread_make(struct process *process, const char *name,
				   void (*body)(void *argument), void *argument);

/* Ends the current thread of a process; the last one takes the process down. Does not return. */
NORETURN void process_thread_leave(void);

/*
 * Waits while many dead threads' stacks are still to be freed, so that threads
 * are not started faster than that. Not inside the gate, as the reaper passes it.
 */
void process_wait_for_stacks(void);

/* Before thread_exit(): the reaper will see one more. */
void process_thread_dying(void);

/*
 * Marks the current process as killed and its other threads to end; this one
 * goes on. False if the process was ending already.
 */
bool process_end_by(enum fault_reason reason);

/* The hook of fatal faults: report.c. */
struct trap_frame;
void process_fault(const struct trap_frame *frame, vaddr_t address, enum fault_reason reason,
		   const char *detail);

/* Takes the process out of the table: slot and PID are free. The table's lock is held. */
void process_remove_locked(struct process *process) REQUIRES(process_table.lock);

struct start;
typedef int process_prepare(struct process *process, const struct start *start);

/*
 * As process_spawn_function(), inside the gate; prepare() gets the process before it
 * runs, and its error is the result. NULL: nothing to prepare.
 */
pid_t process_spawn_prepared(const char *name, int (*main)(int argc, char **argv), int argc,
			     char *const *argv, enum process_place place, process_prepare *prepare,
			     const struct start *start);

/* The process ends: so do those that process_start() started for it. */
void process_end_children(struct process *process);

/* What the process still has of process_start() and of semaphores.h is given back. */
void process_release_inherited(struct process *process);

/* Tells every thread but this one to end. The table's lock is held. */
void process_kill_threads_locked(struct process *process) REQUIRES(process_table.lock);
