/*
 * script.h: a script's lines, for the prompt and for programs that read.
 */
#pragma once

#include "lib/types.h"

struct script {
	const char *data;
	size_t size_bytes;
	size_t offset; /* of the next line */
};

struct script_line {
	const char *text; /* no line break, no NUL */
	size_t count;
};

void script_open(struct script *script, const char *data, size_t size_bytes);

/* The next line, LF or CR LF taken off; the last one may lack both. False at the end. */
bool script_next(struct script *script, struct script_line *line);

/* The next line that is a command: neither blank nor a comment. */
bool script_next_command(struct script *script, struct script_line *line);

/* Is it the `^D` that ends a program's input? */
bool script_is_end(const struct script_line *line);
