/*
 * monitor.c: the main loop.
 *
 *   reader_command() -> expand $NAME -> NAME = -> find the command -> cut into words -> run it
 *
 * One thread, the console's; no locks.
 */
#include "kernel/monitor/monitor.h"

#include "arch/x86_64/power.h"
#include "kernel/fs/file.h"
#include "kernel/fs/module.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/command_as.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/input.h"
#include "kernel/monitor/job.h"
#include "kernel/monitor/reader.h"
#include "kernel/monitor/startup.h"
#include "kernel/monitor/test_runner.h"
#include "kernel/monitor/variable.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/words.h"

STATIC_ASSERT(CONSOLE_WORD_BYTES == VARIABLE_VALUE_BYTES);

static bool strict;
static char command_line[LINE_MAX_BYTES + 1];
static char expanded[LINE_MAX_BYTES + 1];

void monitor_set_strict(void)
{
	strict = true;
	console_failed_clear();
}

void command_set_status(int status)
{
	variable_set_status(status);
}

/* Leaves the machine; what background processes have said by now is not lost. */
void monitor_leave(unsigned status)
{
	console_fresh_line();
	console_flush();
	power_off(status);
}

static int run_words(const struct command *command, char *rest)
{
	char *argv[COMMAND_WORDS_MAX + 1];
	int count;

	argv[0] = (char *)command->name;
	count = words_split(rest, argv + 1, COMMAND_WORDS_MAX - 1);
	if (count == -EINVAL)
		return command_fail(EINVAL, "the quotes do not end");
	if (count < 0 || (unsigned)count < command->min || (unsigned)count > command->max)
		return command_fail(EINVAL, "usage: %s%s%s", command->name,
				    *command->arguments != '\0' ? " " : "", command->arguments);
	argv[count + 1] = NULL;
	return command->run(count + 1, argv);
}

/* A command without its NAME =. */
static int run_command(char *line)
{
	const struct command *command;
	char *rest = line;
	char *name = word_next(&rest);

	if (!name)
		return command_fail(EINVAL, "a command is missing");
	if (strncmp(name, "./", 2) == 0)
		return command_run_program(name + 2, rest);
	command = command_find(name);
	if (!command)
		return command_fail(ENOENT, "there is no command '%s'; help lists them", name);
	return command->run_line ? command->run_line(rest) : run_words(command, rest);
}

/* Runs the command and keeps the last word of what it prints. */
static int run_assignment(const char *name, size_t name_length, char *line)
{
	const char *value;
	int error;

	variable_unset(name, name_length);
	console_capture_begin();
	error = run_command(line);
	if (error != 0)
		return error;
	value = console_capture_end();
	if (!value)
		return command_fail(EINVAL, "the command printed nothing to keep");
	error = variable_set(name, name_length, value);
	if (error == -E2BIG)
		return command_fail(E2BIG, "the name or the last word is too long to keep");
	if (error != 0)
		return command_fail(error, "there are %d names already", VARIABLE_MAX);
	return 0;
}

/* Does the line begin with NAME = ? Returns what follows, or NULL. */
static char *assignment(char *line, const char **name, size_t *name_length)
{
	while (*line == ' ' || *line == '\t')
		line++;
	*name = line;
	*name_length = variable_name_length(line);
	line += *name_length;
	if (*name_length == 0 || (*line != ' ' && *line != '\t'))
		return NULL;
	while (*line == ' ' || *line == '\t')
		line++;
	return line[0] == '=' && (line[1] == ' ' || line[1] == '\t' || line[1] == '\0') ? line + 1
											: NULL;
}

int monitor_execute(char *line)
{
	const char *problem, *name;
	size_t name_length;
	char *command;
	int error = variable_expand(line, expanded, sizeof(expanded), &problem);

	if (error != 0) {
		/* The name it would have set must not keep an old value. */
		if (assignment(line, &name, &name_length))
			variable_unset(name, name_length);
		if (error == -E2BIG)
			return command_fail(EINVAL,
					    "the line is longer than %d bytes with its "
					    "names replaced",
					    LINE_MAX_BYTES);
		return command_fail(EINVAL, "no value, or no number, at '%.40s'", problem);
	}
	input_job_begin();
	command = assignment(expanded, &name, &name_length);
	error = command ? run_assignment(name, name_length, command) : run_command(expanded);
	input_job_end();
	return error;
}

/* Runs lines until the script or the input ends. */
static void run_lines(void)
{
	for (;;) {
		int error = reader_command(command_line);
		const char *first = command_line;

		if (error == READER_END)
			return;
		if (error == -E2BIG)
			(void)command_fail(EINVAL, "the line is longer than %d bytes",
					   LINE_MAX_BYTES);
		else if (error == -EINVAL)
			(void)command_fail(EINVAL, "the line has a control character in it");
		while (*first == ' ' || *first == '\t')
			first++;
		if (error == 0 && *first != '\0' && *first != '#')
			(void)monitor_execute(command_line);
		if (strict && console_failed())
			monitor_leave(1);
	}
}

/* What run= says: as if typed. Returns the program's exit status, 0 .. 127. */
static unsigned run_at_boot(const char *program)
{
	const char *status;
	unsigned result = 0;

	(void)format(command_line, sizeof(command_line), "run %s", program);
	console_prompt("quire> ");
	console_echo(command_line, strlen(command_line));
	console_echo("\n", 1);
	if (monitor_execute(command_line) != 0)
		return 1;
	if (variable_expand("$?", expanded, sizeof(expanded), &status) == 0)
		for (const char *at = expanded; *at >= '0' && *at <= '9' && result < 1000; at++)
			result = result * 10 + (unsigned)(*at - '0');
	return expanded[0] == '-' ? 127 : MIN(result, 127u);
}

void monitor_run(const struct boot_info *info, struct options *options)
{
	const struct module *script = NULL;
	unsigned status = 0;

	if (options->seed != 0)
		test_seed = options->seed;
	job_init();
	as_init();
	module_init(info);
	file_init();
	input_init();
	startup_report(info, options);
	if (options->script[0] != '\0') {
		script = module_find(options->script);
		if (!script)
			console_print("command line: script=%s: there is no such module\n",
				      options->script);
	}
	if (options->run[0] != '\0') {
		console_set_mode(options->then == THEN_POWEROFF || script ? CONSOLE_SCRIPT
									  : CONSOLE_TERMINAL);
		status = run_at_boot(options->run);
		console_flush();
		console_set_mode(CONSOLE_TERMINAL);
	}
	if (script) {
		reader_open_script(script);
		run_lines();
	}
	if (options->then == THEN_POWEROFF || (script && options->then != THEN_CONSOLE))
		monitor_leave(status);
	run_lines();
	monitor_leave(0);
}
