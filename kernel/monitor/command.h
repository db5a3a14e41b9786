/*
 * command.h: what a console command is, and what its file needs.
 *
 * To add a command: write its function and a COMMAND() in any file of
 * kernel/monitor or to its right. `help` lists commands by their order.
 */
#pragma once

#include "kernel/config.h"
#include "lib/errno.h"
#include "lib/types.h"

/* Words of a command line, the command's own included. */
#define COMMAND_WORDS_MAX (PROGRAM_ARGS_MAX + 2)

struct command {
	const char *name;
	const char *arguments; /* "PID [FRAMES]", for help */
	const char *summary;   /* a line, lower case, no full stop */
	const char *detail;    /* more lines, each ended, for help COMMAND; NULL: none */
	/* Words after the name, at least and at most; others are EINVAL. */
	unsigned min, max;
	/* One of the two; 0, or a negative errno after command_fail(). argv[0] is the name. */
	int (*run)(int argc, char **argv);
	int (*run_line)(char *rest); /* takes the rest of the line as it was typed */
};

/* COMMAND(30, kill, .name = "kill", ...): two digits of order, an identifier, fields. */
#define COMMAND(order, identifier, ...)                                                     \
	static const struct command command_##identifier = { __VA_ARGS__ };                 \
	static const struct command *const command_pointer_##identifier                     \
		__attribute__((used, section(".table.commands." #order))) = &command_##identifier

/* The table, between symbols of the linker script. */
extern const struct command *const table_commands_start[];
extern const struct command *const table_commands_end[];

const struct command *command_find(const char *name);

/* For the line editor's completion. */
const char *command_candidate(void *context, const char *line, size_t line_bytes, unsigned index);

/* Prints `error: NAME: sentence` and returns the negative errno. */
int command_fail(int error, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The same with the error's own sentence; 0 for 0. */
int command_errno(int error);

/* Prints `ok`; returns 0. */
int command_ok(void);

/*
 * Arguments. Each reads one word into *value and returns 0, or fails as
 * command_fail() does; `what` names the argument.
 */
int argument_pid(const char *word, pid_t *value) MUST_CHECK;
int argument_address(const char *word, const char *what, uint64_t *value) MUST_CHECK;
/* 64 bits; a negative number is taken as its two's complement. */
int argument_value(const char *word, const char *what, uint64_t *value) MUST_CHECK;
/* A size or count with K, M, G, in [min, max]. */
int argument_size(const char *word, const char *what, int64_t min, int64_t max,
		  int64_t *value) MUST_CHECK;

/* Does the process exist (running or not yet collected)? */
bool command_pid_exists(pid_t pid);

/* True, after it has said so, when Ctrl-C was typed: a command that prints much ends then. */
bool command_interrupted(void);

/* The last program's exit status: `$?`. */
void command_set_status(int status);
