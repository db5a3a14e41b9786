/*
 * program.h: what a program includes: how it is registered and which services
 * of the kernel it may call. Each service passes the gate (kernel/proc/process.h).
 *
 * A program's functions run as kernel threads of its process. Its global and
 * static variables are its own copy in each process, and pageable.
 */
#pragma once

#include "kernel/mm/vmap.h"
#include "lib/errno.h"
#include "lib/types.h"

struct program {
	const char *name;
	const char *arguments; /* "[frames=N]", for help */
	const char *summary;   /* a line */
	int (*main)(int argc, char **argv);
};

/* PROGRAM(demo, "demo", "", "shows what the kernel is for", demo_main); */
#define PROGRAM(identifier, program_name, program_arguments, program_summary, function)      \
	static const struct program program_##identifier = {program_name, program_arguments, \
							    program_summary, function};      \
	static const struct program *const program_pointer_##identifier                      \
		__attribute__((used, section(".table.programs"))) = &program_##identifier

/* The table, between symbols of the linker script. */
extern const struct program *const table_programs_start[];
extern const struct program *const table_programs_end[];

/* The program of that name, or NULL. */
const struct program *program_find(const char *name);

/* Output: to the console in the foreground, in whole lines after `[PID] ` in the background. */
void print(const char *format, ...) PRINTF_LIKE(1, 2);

/* The next line of input, without its newline: its length, or -1 at the end of input. */
int read_line(char *line, size_t size_bytes);

/* This process's address space, for the lab's functions. */
struct VMap *self_vmap(void);
pid_t self_pid(void);

/* Another thread of this process. 0 or -errno. */
int thread_start(void (*entry)(void *argument), void *argument, tid_t *tid) MUST_CHECK;
int thread_join(tid_t tid) MUST_CHECK;

/* Another process. PID or -errno; then its exit status, or -1 if it was killed. */
pid_t spawn(int argc, char *const *argv) MUST_CHECK;
int wait_for(pid_t pid) MUST_CHECK;

void yield(void);
NORETURN void exit(int status);
