/*
 * line_editor.h: one line being typed: bytes in, edits and echo out.
 *
 * Keys: printable bytes insert; Left Right Home End, Ctrl-B F A E move;
 * Backspace, Ctrl-H, Delete delete a character, Ctrl-W a word, Ctrl-K and
 * Ctrl-U to the line's end and start; Up Down, Ctrl-P N walk the history;
 * Ctrl-L clears the screen; Tab completes; Ctrl-D deletes, or ends the input
 * on an empty line; Ctrl-C gives the line up; CR, LF or CR LF ends it. Other
 * control bytes and unknown escape sequences do nothing.
 *
 * The terminal has 80 columns or more and understands \r, \b, ESC [ K and
 * ESC [ n D. A line that does not fit scrolls sideways; the screen then has a
 * part of it. What is appended to a line that fits is echoed as it is, and
 * nothing else, so the copy of a session that came through a pipe is plain.
 *
 * Pure logic: no locks, no sleep; the caller serialises.
 */
#pragma once

#include "kernel/config.h"
#include "lib/types.h"

#define LINE_HISTORY_MAX 32 /* lines remembered: what a person walks back at most */

enum line_event {
	LINE_MORE,        /* the line goes on */
	LINE_DONE,        /* ended: text and length are good until line_editor_begin() */
	LINE_INTERRUPTED, /* Ctrl-C */
	LINE_END,         /* Ctrl-D on an empty line */
	LINE_TOO_LONG,    /* ended, but was longer than LINE_MAX_BYTES; text is its beginning */
};

struct line_history {
	unsigned count;
	unsigned next; /* where the next one goes */
	char lines[LINE_HISTORY_MAX][LINE_MAX_BYTES + 1];
};

struct line_editor {
	/* Set by the owner before line_editor_begin(). */
	void (*emit)(void *context, const char *bytes, size_t count);
	/*
	 * The candidates for a word: number `index` of those that may stand there, NULL at the
	 * end; line: what stands before the word. NULL: no completion.
	 */
	const char *(*candidate)(void *context, const char *line, size_t line_bytes,
				 unsigned index);
	void *context;
	struct line_history *history; /* NULL: none */

	char text[LINE_MAX_BYTES + 1]; /* NUL-terminated, but may hold no NUL itself */
	unsigned length;
	unsigned cursor; /* index of the byte before which the next one goes */

	/* Its own. */
	const char *prompt; /* what stands on the screen before the text */
	unsigned prompt_bytes;
	unsigned first;      /* index of the first byte shown */
	unsigned recalled;   /* lines back in the history; 0: the new one */
	bool too_long;
	bool after_cr;       /* swallow the LF of a CR LF */
	enum { KEY_PLAIN, KEY_ESCAPE, KEY_BRACKET } state;
	unsigned parameter;  /* of an escape sequence */
	char kept[LINE_MAX_BYTES + 1]; /* the new line, while an old one is shown */
};

/* An empty line after a prompt that stands on the screen and stays in memory until the end. */
void line_editor_begin(struct line_editor *editor, const char *prompt, unsigned prompt_bytes);

/* One byte typed. Echoes; when the line is over the cursor is on a new one, but for LINE_END. */
enum line_event line_editor_byte(struct line_editor *editor, char byte);

/* Takes prompt and line off the screen, for output above; puts them there again, perhaps anew. */
void line_editor_hide(struct line_editor *editor);
void line_editor_show(struct line_editor *editor);

/* The prompt has changed, while hidden. */
void line_editor_set_prompt(struct line_editor *editor, const char *prompt, unsigned prompt_bytes);
