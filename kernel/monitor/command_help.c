/*
 * command_help.c: help. Lists come from the tables that do the work, so they
 * are never behind.
 */
#include "kernel/bugs.h"
#include "kernel/fs/file.h"
#include "kernel/mm/policy.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/proc/program.h"
#include "lib/format.h"
#include "lib/string.h"

#define BUG_ENTRY(name, identifier, summary) {name, summary},

static const struct {
	const char *name;
	const char *summary;
} bugs[] = {BUGS(BUG_ENTRY)};

#define SYNOPSIS_COLUMNS 38 /* names and arguments; longer ones push their line's rest */

static void print_entry(const char *name, const char *arguments, const char *summary)
{
	char synopsis[128];

	(void)format(synopsis, sizeof(synopsis), "%s%s%s", name, *arguments != '\0' ? " " : "",
		     arguments);
	console_print("  %-*s  %s\n", SYNOPSIS_COLUMNS, synopsis, summary);
}

static void help_commands(void)
{
	for (const struct command *const *at = table_commands_start; at < table_commands_end; at++)
		print_entry((*at)->name, (*at)->arguments, (*at)->summary);
	print_entry("NAME = COMMAND", "", "keeps the last word that COMMAND prints");
	print_entry("$NAME $NAME+OFFSET $?", "", "stand for it, for a sum, for the exit status");
	console_print("also: help COMMAND, help programs, policies, files, bugs\n");
}

static void help_programs(void)
{
	for (const struct program *const *at = table_programs_start; at < table_programs_end; at++)
		print_entry((*at)->name, (*at)->arguments, (*at)->summary);
}

static void help_policies(void)
{
	for (unsigned i = 0; i < policy_count; i++)
		print_entry(policies[i]->name, "", policies[i]->summary);
}

static void help_files(void)
{
	unsigned place = 0;
	struct file_info info;
	char summary[64];
	bool any = false;

	while (file_next(&place, &info)) {
		any = true;
		(void)format(summary, sizeof(summary), "%lu bytes%s", info.size_bytes,
			     strcmp(info.kind, "trace") == 0 ? ", a trace for `replay`" : "");
		print_entry(info.name, "", summary);
	}
	if (!any)
		console_print("  no files: SCRIPT= and TRACE= bring some\n");
}

static void help_bugs(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(bugs); i++)
		print_entry(bugs[i].name, "", bugs[i].summary);
	console_print("  `make run BUG=NAME` builds and boots a quire with that bug\n");
}

static void print_one(const char *name, const char *arguments, const char *summary)
{
	console_print("%s%s%s: %s\n", name, *arguments != '\0' ? " " : "", arguments, summary);
}

/* Of a command, or of a program. */
static int help_name(const char *name)
{
	const struct command *command = command_find(name);
	const struct program *program = program_find(name);

	if (command) {
		print_one(command->name, command->arguments, command->summary);
		if (command->detail)
			console_write(command->detail, strlen(command->detail));
		return 0;
	}
	if (!program)
		return command_fail(ENOENT, "there is no command or program '%s'", name);
	print_one(program->name, program->arguments, program->summary);
	console_print("A program: `run %s` runs it, `spawn %s` in the background.\n", name, name);
	return 0;
}

static int help_run(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} topics[] = {
		{"programs", help_programs},
		{"policies", help_policies},
		{"files", help_files},
		{"bugs", help_bugs},
	};

	if (argc == 1) {
		help_commands();
		return 0;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(topics); i++) {
		if (strcmp(topics[i].name, argv[1]) == 0) {
			topics[i].print();
			return 0;
		}
	}
	return help_name(argv[1]);
}

COMMAND(00, help, .name = "help", .arguments = "[COMMAND]",
	.summary = "lists the commands, or explains one", .max = 1, .run = help_run,
	.detail = "Also help PROGRAM; help programs, policies, files, bugs.\n");
