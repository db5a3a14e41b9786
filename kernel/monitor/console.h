/*
 * console.h: what is printed on the serial line, in order, by one owner at a
 * time.
 *
 * The foreground (the command or program that runs now) writes where the
 * cursor is. Everything else is background: whole lines. On a terminal a
 * background line appears at once; the open line (a prompt, a line being
 * typed, a line not yet ended) is taken off the screen and put back below. In
 * a script background lines wait for the next prompt; if too many wait, they
 * appear where a line of the foreground ends, or end it. So nobody ever waits
 * for the console, except for the line itself.
 *
 * Any context may print, whatever locks it holds: two leaf spinlocks, console
 * and serial.
 */
#pragma once

#include "kernel/sched/spinlock.h"
#include "lib/types.h"

/* The longest text of one console_print(): a console line and its line break. */
#define CONSOLE_PRINT_BYTES 512

enum console_mode {
	CONSOLE_TERMINAL, /* somebody may be typing: edited lines, progress */
	CONSOLE_SCRIPT,   /* a plain sequence of lines */
};

void console_set_mode(enum console_mode mode);
enum console_mode console_get_mode(void);

/* Foreground output. */
void console_write(const char *bytes, size_t count);
void console_print(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A line that is not the last command's output: the echo of a script's line. */
void console_echo(const char *bytes, size_t count);

/* Ends the open line, if there is one. */
void console_fresh_line(void);

/* Background output: one line or several, without the last newline. pid 0: no prefix. */
void console_background(pid_t pid, const char *text, size_t count);

/* Prints the background lines that wait. */
void console_flush(void);

/* While draining, background lines do not wait: for a command that only waits. */
void console_drain(bool draining);

/* A fresh line, what waits, then the prompt. */
void console_prompt(const char *prompt);

/* The time stamp counter when the first prompt was about to be printed; for `bench boot`. */
extern uint64_t console_first_prompt_tsc;

/*
 * A line that shows how far long work is, on a terminal; "" takes it away. The
 * next output replaces it.
 */
void console_progress(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * The last word of the foreground's output since console_capture_begin(), NULL if
 * there was none or it had more bytes than fit. Good until the next capture.
 */
#define CONSOLE_WORD_BYTES 256
void console_capture_begin(void);
const char *console_capture_end(void);

/* Has a line that begins with `error:` or `mismatch` been printed since console_failed_clear()? */
bool console_failed(void);
void console_failed_clear(void);

/*
 * The line being typed: while an editor is set, output goes around it. The
 * caller feeds it through console_edit(), which returns what the editor says.
 */
struct line_editor;
void console_edit_begin(struct line_editor *editor);
void console_edit_end(void);
/* Shows `^C` and a line break; a line that is being edited is given up. */
void console_interrupt(void);
int console_edit(char byte); /* enum line_event */
