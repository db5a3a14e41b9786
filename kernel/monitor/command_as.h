/*
 * command_as.h: `as PID ...`; what the main loop needs of command_as.c and
 * command_process.c.
 */
#pragma once

/* Sets the hooks of kernel/proc/work.h. */
void as_init(void);

/* `./PROGRAM ARG...`; rest: the arguments as typed. 0 or a negative errno. */
int command_run_program(char *name, char *rest);
