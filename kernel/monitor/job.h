/*
 * job.h: processes as the console sees them: their output and input, their
 * fault reports, and waiting for them with Ctrl-C.
 */
#pragma once

#include "kernel/proc/process.h"

/* Sets the hooks of kernel/proc. Once, before any process starts. */
void job_init(void);

enum job_interrupt {
	JOB_KILL,    /* Ctrl-C ends the process */
	JOB_ABANDON, /* Ctrl-C ends the waiting: -EINTR */
};

/* Waits until the process has ended and collects it. 0, -ESRCH, -EINTR. */
int job_wait(pid_t pid, enum job_interrupt interrupt, struct process_end *end) MUST_CHECK;

/*
 * Waits for a process in the foreground; if it died of a bad access, prints the
 * shell's line and the fault report. Sets `$?` and *end. 0 or a negative errno.
 */
int job_run_foreground(pid_t pid, const char *name, struct process_end *end) MUST_CHECK;

/* What a shell would give as exit status. */
int job_status(const struct process_end *end);
