/*
 * reader.c: see reader.h.
 *
 * Locks: `turn`, a mutex, lets one thread read at a time; the prompt needs it
 * too, so a program that is still reading when it is killed leaves first.
 */
#include "kernel/monitor/reader.h"

#include "kernel/fs/module.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/input.h"
#include "kernel/monitor/line_editor.h"
#include "kernel/monitor/script.h"
#include "kernel/proc/process.h"
#include "kernel/sched/mutex.h"
#include "lib/errno.h"
#include "lib/string.h"

#define PROMPT "quire> "

static struct {
	struct mutex turn;
	bool has_script;
	struct script script;
	/* What is left of a line that a program read with too small a buffer. */
	const char *rest;
	size_t rest_count;
	pid_t rest_pid;
	struct line_history history;
	struct line_editor editor;
} reader;

void reader_init(void)
{
	mutex_init(&reader.turn, LOCK_CONSOLE);
}

void reader_open_script(const struct module *script)
{
	script_open(&reader.script, script->data, script->size_bytes);
	reader.has_script = true;
	console_set_mode(CONSOLE_SCRIPT);
}

/* Reads a line with the editor; the prompt stands on the screen. As reader_command(). */
static int edit(void)
{
	console_edit_begin(&reader.editor);
	for (;;) {
		int byte = input_byte();

		if (byte < 0) {
			console_edit_end();
			return byte;
		}
		switch (console_edit((char)byte)) {
		case LINE_DONE:
			return 0;
		case LINE_INTERRUPTED:
			return -EINTR;
		case LINE_END:
			return READER_END;
		case LINE_TOO_LONG:
			return -E2BIG;
		default:
			break;
		}
	}
}

/* Prints a line of the script as it stands, control characters made visible. */
static void echo_line(const struct script_line *line)
{
	char buffer[64];
	size_t used = 0;

	for (size_t i = 0; i < line->count; i++) {
		uint8_t byte = (uint8_t)line->text[i];

		if (used + 2 > sizeof(buffer)) {
			console_echo(buffer, used);
			used = 0;
		}
		if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
			buffer[used++] = '^';
			byte ^= 0x40;
		}
		buffer[used++] = (char)byte;
	}
	console_echo(buffer, used);
	console_echo("\n", 1);
}

static bool has_control(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (((uint8_t)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
			return true;
	return false;
}

static int script_command(char *line)
{
	struct script_line next;

	if (!script_next_command(&reader.script, &next)) {
		console_fresh_line();
		console_flush();
		console_set_mode(CONSOLE_TERMINAL);
		reader.has_script = false;
		return READER_END;
	}
	console_prompt(PROMPT);
	echo_line(&next);
	if (next.count > LINE_MAX_BYTES)
		return -E2BIG;
	if (has_control(next.text, next.count))
		return -EINVAL;
	memcpy(line, next.text, next.count);
	line[next.count] = '\0';
	return 0;
}

static int typed_command(char *line)
{
	int error;

	reader.editor.history = &reader.history;
	reader.editor.candidate = command_candidate;
	console_prompt(PROMPT);
	error = edit();
	if (error == 0)
		memcpy(line, reader.editor.text, reader.editor.length + 1);
	return error;
}

int reader_command(char *line)
{
	int error;

	mutex_lock(&reader.turn);
	reader.rest_count = 0;
	error = reader.has_script ? script_command(line) : typed_command(line);
	mutex_unlock(&reader.turn);
	return error;
}

/* Makes a new line the rest. 0, READER_END or a negative errno. */
static int program_line_fetch(struct process *process)
{
	struct script_line next;
	int error;

	if (reader.has_script) {
		if (!script_next(&reader.script, &next) || script_is_end(&next))
			return READER_END;
		echo_line(&next);
		reader.rest = next.text;
		reader.rest_count = next.count;
	} else {
		reader.editor.history = NULL;
		reader.editor.candidate = NULL;
		while ((error = edit()) == -E2BIG)
			console_print("That line was too long and is dropped.\n");
		if (error != 0)
			return error;
		reader.rest = reader.editor.text;
		reader.rest_count = reader.editor.length;
	}
	reader.rest_pid = process->pid;
	return 0;
}

int reader_program_line(struct process *process, char *line, size_t size_bytes)
{
	size_t count;
	int error = 0;

	if (!process->foreground || size_bytes == 0)
		return -1;
	mutex_lock(&reader.turn);
	if (reader.rest_count == 0 || reader.rest_pid != process->pid)
		error = program_line_fetch(process);
	count = MIN(reader.rest_count, size_bytes - 1);
	if (error == 0) {
		memcpy(line, reader.rest, count);
		line[count] = '\0';
		reader.rest += count;
		reader.rest_count -= count;
	}
	mutex_unlock(&reader.turn);
	if (error == READER_END)
		return -1;
	return error != 0 ? error : (int)count;
}
