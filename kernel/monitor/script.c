/*
 * script.c: see script.h. Pure logic; the caller serialises.
 */
#include "kernel/monitor/script.h"

#include "lib/string.h"

void script_open(struct script *script, const char *data, size_t size_bytes)
{
	*script = (struct script){ .data = data, .size_bytes = size_bytes };
}

bool script_next(struct script *script, struct script_line *line)
{
	const char *at = script->data + script->offset;
	size_t left = script->size_bytes - script->offset;
	size_t count = 0;

	if (left == 0)
		return false;
	while (count < left && at[count] != '\n')
		count++;
	script->offset += count < left ? count + 1 : count;
	if (count > 0 && at[count - 1] == '\r')
		count--;
	*line = (struct script_line){ .text = at, .count = count };
	return true;
}

bool script_next_command(struct script *script, struct script_line *line)
{
	while (script_next(script, line)) {
		size_t at = 0;

		while (at < line->count && (line->text[at] == ' ' || line->text[at] == '\t'))
			at++;
		if (at < line->count && line->text[at] != '#')
			return true;
	}
	return false;
}

bool script_is_end(const struct script_line *line)
{
	return line->count == 2 && memcmp(line->text, "^D", 2) == 0;
}
