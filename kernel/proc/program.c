/*
 * program.c: the services of program.h: each a call through the gate.
 *
 * What the program points to, in its own memory, is read and written outside
 * the gate: a bad pointer or a lost page is then the program's own fault, and
 * inside it would be the kernel's.
 */
#include "kernel/proc/program.h"

#include "kernel/proc/process.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"

void (*process_write_hook)(struct process *process, const char *bytes, size_t count);
int (*process_read_hook)(struct process *process, char *line, size_t size_bytes);
void (*process_flush_hook)(void);

const struct program *program_find(const char *name)
{
	for (const struct program *const *at = table_programs_start; at < table_programs_end; at++)
		if (strcmp((*at)->name, name) == 0)
			return *at;
	return NULL;
}

void print(const char *fmt, ...)
{
	char text[512];
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = format_v(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	gate_enter();
	if (process_write_hook)
		process_write_hook(process_current(), text, MIN((size_t)length, sizeof(text) - 1));
	gate_leave();
}

int read_line(char *line, size_t size_bytes)
{
	char text[LINE_MAX_BYTES + 1];
	int result = -1;

	gate_enter();
	if (process_read_hook)
		result = process_read_hook(process_current(), text, MIN(size_bytes, sizeof(text)));
	gate_leave();
	if (result >= 0)
		memcpy(line, text, (size_t)result + 1);
	return result;
}

struct VMap *self_vmap(void)
{
	return &process_current()->vmap;
}

pid_t self_pid(void)
{
	return process_current()->pid;
}

int thread_start(void (*entry)(void *argument), void *argument, tid_t *tid)
{
	return process_thread_start(process_current()->name, entry, argument, tid);
}

int thread_join(tid_t tid)
{
	return process_thread_join(tid);
}

pid_t spawn(int argc, char *const *argv)
{
	char text[PROCESS_ARGUMENT_BYTES];
	char *words[PROGRAM_ARGS_MAX];
	size_t used = 0;

	if (argc > PROGRAM_ARGS_MAX)
		return -E2BIG;
	for (int i = 0; i < argc; i++) {
		size_t length = string_copy(text + used, argv[i], sizeof(text) - used);

		if (length >= sizeof(text) - used)
			return -E2BIG;
		words[i] = text + used;
		used += length + 1;
	}
	return process_spawn(argc, words, PROCESS_BACKGROUND);
}

int wait_for(pid_t pid)
{
	struct process_end end;
	int error = process_wait(pid, &end);

	if (error)
		return error;
	/* What it said comes before what its parent, who speaks here, will say of it. */
	if (process_current()->foreground && process_flush_hook) {
		gate_enter();
		process_flush_hook();
		gate_leave();
	}
	return end.killed ? -1 : end.exit_status;
}

void yield(void)
{
	gate_enter();
	thread_yield();
	gate_leave();
}

void exit(int status)
{
	process_exit(status);
}
