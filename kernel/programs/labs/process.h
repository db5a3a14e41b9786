/*
 * process.h: starting a process, for the labs: what fork() and this have in
 * common, so that the same source runs on Linux and on quire.
 *
 * The new process runs function(argument) and ends with the status that it
 * returns. It has copies of the global variables, and shares with its parent
 * what was mapped with MAP_SHARED, open files and semaphores. A function may
 * not count on the rest: variables of another function, or what malloc() gave.
 *
 * On quire (kernel/proc/process.h) a stack cannot be copied, so there is no fork().
 */
#pragma once

#include <sys/types.h>

#if __STDC_HOSTED__

#include <sys/wait.h>
#include <unistd.h>

/* The PID, or -1. */
static inline pid_t process_start(int (*function)(void *argument), void *argument)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(function(argument));
	return pid;
}

/* Waits until the process has ended: its exit status, or -1 if it was killed. */
static inline int wait_for(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#else

pid_t process_start(int (*function)(void *argument), void *argument);
int wait_for(pid_t pid);

#endif
