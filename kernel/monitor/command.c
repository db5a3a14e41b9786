/*
 * command.c: what commands share: errors and arguments. No state, no locks.
 */
#include "kernel/monitor/command.h"

#include <stdarg.h>

#include "kernel/monitor/console.h"
#include "kernel/monitor/input.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "lib/format.h"
#include "lib/number.h"
#include "lib/string.h"

const struct command *command_find(const char *name)
{
	for (const struct command *const *at = table_commands_start; at < table_commands_end; at++)
		if (strcmp((*at)->name, name) == 0)
			return *at;
	return NULL;
}

/* The candidate of that number for a command's name, then for a program's. */
static const char *name_candidate(bool want_commands, bool want_programs, unsigned index)
{
	unsigned command_count = (unsigned)(table_commands_end - table_commands_start);
	unsigned program_count = (unsigned)(table_programs_end - table_programs_start);

	if (want_commands && index < command_count)
		return table_commands_start[index]->name;
	if (want_commands)
		index -= command_count;
	return want_programs && index < program_count ? table_programs_start[index]->name : NULL;
}

const char *command_candidate(void *context, const char *line, size_t line_bytes, unsigned index)
{
	(void)context;
	if (line_bytes == 0)
		return name_candidate(true, false, index);
	if ((line_bytes == 4 && memcmp(line, "run ", 4) == 0) ||
	    (line_bytes == 6 && memcmp(line, "spawn ", 6) == 0))
		return name_candidate(false, true, index);
	if (line_bytes == 5 && memcmp(line, "help ", 5) == 0)
		return name_candidate(true, true, index);
	return NULL;
}

int command_fail(int error, const char *fmt, ...)
{
	char text[CONSOLE_PRINT_BYTES - 32];
	va_list arguments;

	va_start(arguments, fmt);
	(void)format_v(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	console_fresh_line();
	console_print("error: %s: %s\n", errno_name(error), text);
	return error < 0 ? error : -error;
}

int command_errno(int error)
{
	return error == 0 ? 0 : command_fail(error, "%s", errno_text(error));
}

int command_ok(void)
{
	console_print("ok\n");
	return 0;
}

int argument_pid(const char *word, pid_t *value)
{
	int64_t number;

	if (number_parse(word, 1, INT32_MAX, &number) != 0)
		return command_fail(EINVAL, "PID is a number from 1, not '%s'", word);
	*value = (pid_t)number;
	return 0;
}

int argument_address(const char *word, const char *what, uint64_t *value)
{
	if (number_parse_u64(word, value) != 0)
		return command_fail(EINVAL, "%s is a number of 64 bits, not '%s'", what, word);
	return 0;
}

int argument_value(const char *word, const char *what, uint64_t *value)
{
	int64_t number;

	if (*word != '-')
		return argument_address(word, what, value);
	if (number_parse(word, INT64_MIN, -1, &number) != 0)
		return command_fail(EINVAL, "%s is a number of 64 bits, not '%s'", what, word);
	*value = (uint64_t)number;
	return 0;
}

int argument_size(const char *word, const char *what, int64_t min, int64_t max, int64_t *value)
{
	int error = number_parse_size(word, min, max, value);

	if (error == -ERANGE)
		return command_fail(EINVAL, "%s is from %ld to %ld, not %s", what, min, max, word);
	if (error != 0)
		return command_fail(EINVAL, "%s is a number, perhaps with K, M or G, not '%s'",
				    what, word);
	return 0;
}

bool command_pid_exists(pid_t pid)
{
	struct process_info info;

	return process_next(pid, &info) && info.pid == pid;
}

bool command_interrupted(void)
{
	if (!input_interrupted())
		return false;
	(void)command_fail(EINTR, "%s", errno_text(EINTR));
	return true;
}
