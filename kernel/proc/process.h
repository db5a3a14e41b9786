/*
 * process.h: processes: a PID, a VMap, threads, an end that somebody collects.
 *
 *   process_spawn()            last thread gone             process_wait()
 *   ---------------> RUNNING ------------------> ZOMBIE ------------------> gone
 *
 * A process ends when its first thread returns, when a thread calls
 * process_exit(), when it is killed, or by a fault of its own. All its threads
 * are then told to end; the last one takes the address space down.
 */
#pragma once

#include "kernel/mm/fault.h"
#include "kernel/mm/vmap.h"
#include "kernel/proc/signal.h"
#include "kernel/sched/thread.h"

struct descriptors;
struct object;

enum process_state { PROCESS_STARTING, PROCESS_RUNNING, PROCESS_ENDING, PROCESS_ZOMBIE };

#define PROCESS_NAME_BYTES 32
#define PROCESS_ARGUMENT_BYTES 1024
#define PROCESS_LINE_BYTES 256

struct process {
	/* Constant after process_spawn(). */
	pid_t pid;
	uint16_t slot;
	bool foreground; /* its output and input are the console's own */
	char name[PROCESS_NAME_BYTES];
	int (*main)(int argc, char **argv);
	int argc;
	char *argv[PROGRAM_ARGS_MAX + 1]; /* into arguments[] */

	struct VMap vmap;
	struct descriptors *descriptors; /* fs: its open files; set once, atomically; or NULL */

	/* Started by process_start(); constant from there on, but variables: its own. */
	int (*function)(void *argument);
	void *argument;
	struct object *variables; /* the other's, until it has copied them */
	uint64_t semaphores;      /* that it holds; see semaphores.h */

	/* Guarded by the process_table lock. */
	enum process_state state;
	struct process *parent; /* ends with it; NULL: nobody does */
	LIST_HEAD(, process) children;
	LIST_ENTRY(process) sibling; /* on the parent's list, if it has one */
	struct thread_list threads;
	unsigned thread_count;
	int exit_status;
	enum fault_reason killed;       /* FAULT_OK: it exited by itself */
	struct signal_action action;    /* its own handler of faults, if any */
	bool exiting;                   /* no further threads, no other end */
	unsigned references;            /* visitors: the address space stays */
	struct wait_queue unvisited;    /* the last thread waits for them to leave */
	struct wait_queue ended;        /* who waits for it to become a zombie */
	struct wait_queue thread_ended; /* its own threads that join others */

	/* Output not yet ended by a newline, of a background process. Guarded by the console lock.
	 */
	unsigned line_count;
	char line[PROCESS_LINE_BYTES];

	char arguments[PROCESS_ARGUMENT_BYTES];
};

/* How a process ended. */
struct process_end {
	int exit_status;
	enum fault_reason killed; /* FAULT_OK: exited with exit_status */
};

enum process_place { PROCESS_BACKGROUND, PROCESS_FOREGROUND };

/*
 * Starts a program. argv[0] is its name. Returns the PID, or -ENOENT (no such
 * program), -E2BIG (too many arguments), -EAGAIN (no slot), -ENOMEM. May sleep.
 */
pid_t process_spawn(int argc, char *const *argv, enum process_place place) MUST_CHECK;

/* The same for a function instead of a named program; name is for `ps`. */
pid_t process_spawn_function(const char *name, int (*main)(int argc, char **argv), int argc,
			     char *const *argv, enum process_place place) MUST_CHECK;

/*
 * Starts a process that runs function(argument), for a program: what fork() is
 * elsewhere, as far as it goes for a thread of the kernel, whose stack cannot
 * be copied. The new one has
 *   - a copy of the caller's global variables, at the same addresses,
 *   - its MAP_SHARED mappings, at the same addresses (as every process has that
 *     another starts),
 *   - its open files, each with an offset of its own from here on, and semaphores;
 * but nothing of its stack and of its vmap_malloc blocks. Its exit status is what
 * the function returns. It ends, and is collected, at the latest with the caller:
 * so Ctrl-C ends all of them. PID, or -EAGAIN (no slot), -ENOMEM. May sleep.
 */
pid_t process_start(int (*function)(void *argument), void *argument) MUST_CHECK;

/*
 * Waits until the process has ended and collects it: frames, slots and PID are
 * free afterwards. 0, -ESRCH (no such process, or collected by another), -EINTR.
 */
int process_wait(pid_t pid, struct process_end *end) MUST_CHECK;

/* Waits until the process has ended, and leaves it to be collected. 0, -ESRCH, -EINTR. */
int process_join(pid_t pid) MUST_CHECK;

/* True when process_wait() would not wait; false also for an unknown PID. */
bool process_ended(pid_t pid);

/* Ends a process as `kill` does. 0 or -ESRCH (unknown, or a zombie). */
int process_kill(pid_t pid) MUST_CHECK;

/* Ends the current process; this thread does not return. Outside any gate. */
NORETURN void process_exit(int status);

/* The current thread's process; NULL in a kernel thread. */
ALWAYS_INLINE struct process *process_current(void)
{
	return thread_current()->process;
}

/* What `ps` shows. */
struct process_info {
	pid_t pid;
	enum process_state state;
	unsigned threads;
	struct vmap_usage usage;
	char name[PROCESS_NAME_BYTES];
};

/* The first live or uncollected process with a PID >= *pid; false if there is none. */
bool process_next(pid_t pid, struct process_info *info);

/*
 * Looks a process up and calls visit with it while it cannot end or be
 * collected (its address space may be read; the VMap's mutex may be taken).
 * 0 or -ESRCH (unknown or ended). May sleep.
 */
int process_with(pid_t pid, void (*visit)(struct process *process, void *context), void *context)
	MUST_CHECK;

/* The live process whose slice an address lies in; 0 if nobody's. For reports. */
pid_t process_of_address(vaddr_t address);

/*
 * For tests: the next process gets this PID and this slot, where nobody has
 * them. Otherwise it takes 32,767 processes until a PID comes again.
 */
void process_reuse(pid_t pid, uint16_t slot);

/* Processes that exist (running, ending or zombies). */
unsigned process_count(void);

/* Another thread in the current process, or a kernel thread if it has none. -ENOMEM, -EAGAIN. */
int process_thread_start(const char *name, void (*entry)(void *argument), void *argument,
			 tid_t *tid) MUST_CHECK;

/* Waits until a thread of the current process has ended. 0, or -EINTR. */
int process_thread_join(tid_t tid) MUST_CHECK;

/* A thread of the kernel itself. -ENOMEM. */
int kernel_thread_start(const char *name, void (*entry)(void *argument), void *argument) MUST_CHECK;

/* Boot: the table, the hooks, the reaper. */
void process_init(void);

/* Waits until every dead thread's stack has been freed: for counting leaks. */
void process_quiesce(void);

/* What a process prints and reads: set by the monitor. write: whole or partial lines. */
extern void (*process_write_hook)(struct process *process, const char *bytes, size_t count);
/* A line without its newline; its length, -1 at the end of input, -EINTR. */
extern int (*process_read_hook)(struct process *process, char *line, size_t size_bytes);
/* The process's output, though it waited for a quieter moment, is to be printed now. */
extern void (*process_flush_hook)(void);
/* A process is started by process_start(): it gets the parent's open files. 0 or -ENOMEM. */
extern int (*process_inherit_hook)(struct process *child, struct process *parent);
/* The last thread has gone: the process's open files are to be closed. May sleep. */
extern void (*process_close_hook)(struct process *process);
/* A process is about to become a zombie: all its output is out. Called without locks. */
extern void (*process_ended_hook)(struct process *process);
/* The report of a fatal fault, several lines. Called before the process becomes a zombie. */
extern void (*process_report_hook)(struct process *process, const char *text);

/* For check, while the gates are closed: every process, zombies included. */
void process_visit_quiet(void (*visit)(struct process *process, void *context), void *context);

/* Invariants 11 and 13 as far as processes and threads are concerned. */
struct check;
void process_check(struct check *check);
