/*
 * monitor.h: the console's main loop: reads a line, runs the command.
 */
#pragma once

#include "arch/x86_64/boot_info.h"
#include "kernel/options.h"
#include "lib/types.h"

/*
 * Runs what the options say (run=, script=), then the console; in a kernel
 * thread. Sets the hooks of kernel/proc/process.h first. Both must stay.
 */
NORETURN void monitor_run(const struct boot_info *info, struct options *options);

/* Runs one command line, as typed; the line is taken apart. 0 or a negative errno. */
int monitor_execute(char *line);

/* The next error or mismatch ends the run with status 1: `strict`. */
void monitor_set_strict(void);

/* Powers off with a status, 0 .. 127, when everything that waits has been printed. */
NORETURN void monitor_leave(unsigned status);
