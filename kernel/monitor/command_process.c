/*
 * command_process.c: spawn, run, kill, wait, ps.
 */
#include "kernel/monitor/command.h"
#include "kernel/monitor/command_as.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/job.h"
#include "lib/words.h"

/* Starts argv[0] .. and says what is wrong. A PID or a negative errno. */
static pid_t start(int argc, char **argv, enum process_place place)
{
	pid_t pid = process_spawn(argc, argv, place);

	if (pid == -ENOENT)
		return command_fail(ENOENT, "there is no program '%s'; help programs lists them",
				    argv[0]);
	if (pid < 0)
		return command_errno(pid);
	return pid;
}

static int spawn_run(int argc, char **argv)
{
	pid_t pid = start(argc - 1, argv + 1, PROCESS_BACKGROUND);

	if (pid < 0)
		return pid;
	console_print("pid %d\n", pid);
	return 0;
}

COMMAND(10, spawn, .name = "spawn", .arguments = "PROGRAM [ARG...]",
	.summary = "starts a process in the background", .min = 1, .max = PROGRAM_ARGS_MAX,
	.run = spawn_run,
	.detail = "Prints `pid N`. Its output comes in whole lines, each after `[N] `.\n");

static int run_foreground(int argc, char **argv)
{
	struct process_end end;
	pid_t pid = start(argc, argv, PROCESS_FOREGROUND);

	if (pid < 0)
		return pid;
	return command_errno(job_run_foreground(pid, argv[0], &end));
}

static int run_run(int argc, char **argv)
{
	return run_foreground(argc - 1, argv + 1);
}

COMMAND(11, run, .name = "run", .arguments = "PROGRAM [ARG...]",
	.summary = "starts a process in the foreground; also ./PROGRAM", .min = 1,
	.max = PROGRAM_ARGS_MAX, .run = run_run,
	.detail = "It reads what is typed, or the script's next lines. Ctrl-C ends it; Ctrl-D\n"
		  "(in a script a line `^D`) ends its input. `$?` is its exit status.\n");

int command_run_program(char *name, char *rest)
{
	char *argv[PROGRAM_ARGS_MAX + 1];
	int count;

	argv[0] = name;
	count = words_split(rest, argv + 1, PROGRAM_ARGS_MAX - 1);
	if (count == -EINVAL)
		return command_fail(EINVAL, "the quotes do not end");
	if (count < 0)
		return command_fail(EINVAL, "usage: ./PROGRAM [ARG...], %d words at most",
				    PROGRAM_ARGS_MAX);
	argv[count + 1] = NULL;
	return run_foreground(count + 1, argv);
}

static int kill_run(int argc, char **argv)
{
	pid_t pid;
	int error = argument_pid(argv[1], &pid);

	(void)argc;
	if (error != 0)
		return error;
	error = process_kill(pid);
	return error != 0 ? command_errno(error) : command_ok();
}

COMMAND(12, kill, .name = "kill", .arguments = "PID", .summary = "ends a process", .min = 1,
	.max = 1, .run = kill_run);

static int wait_run(int argc, char **argv)
{
	struct process_end end;
	pid_t pid;
	int error = argument_pid(argv[1], &pid);

	(void)argc;
	if (error != 0)
		return error;
	console_drain(true);
	error = job_wait(pid, JOB_ABANDON, &end);
	console_drain(false);
	if (error != 0)
		return command_errno(error);
	command_set_status(job_status(&end));
	if (end.killed == FAULT_OK)
		console_print("pid %d exited %d\n", pid, end.exit_status);
	else
		console_print("pid %d killed: %s\n", pid, fault_reason_name(end.killed));
	return 0;
}

COMMAND(13, wait, .name = "wait", .arguments = "PID",
	.summary = "waits for a process to end and collects it", .min = 1, .max = 1,
	.run = wait_run,
	.detail = "Prints `pid N exited STATUS`, or `pid N killed: REASON`, REASON one of\n"
		  "bad-address, protection, swap-lost, stack, killed. Ctrl-C ends the waiting.\n");

static const char *state_name(enum process_state state)
{
	switch (state) {
	case PROCESS_ENDING:
		return "ending";
	case PROCESS_ZOMBIE:
		return "dead";
	default:
		return "running";
	}
}

static int ps_run(int argc, char **argv)
{
	struct process_info info;

	(void)argc, (void)argv;
	console_print("%5s %-7s %7s %9s %9s %9s %s\n", "PID", "STATE", "THREADS", "RESIDENT",
		      "SWAPPED", "COMMITTED", "NAME");
	for (pid_t pid = 1; process_next(pid, &info); pid = info.pid + 1) {
		if (command_interrupted())
			return -EINTR;
		console_print("%5d %-7s %7u %9lu %9lu %9lu %s\n", info.pid, state_name(info.state),
			      info.threads, info.usage.resident, info.usage.swapped,
			      info.usage.committed, info.name);
	}
	return 0;
}

COMMAND(14, ps, .name = "ps", .arguments = "", .summary = "lists the processes", .run = ps_run,
	.detail = "RESIDENT, SWAPPED and COMMITTED count pages. A dead one stays until `wait`.\n");
