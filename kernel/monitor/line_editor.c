/*
 * line_editor.c: see line_editor.h.
 *
 *   screen:   prompt | text[first] ... text[cursor] ... | cleared
 *             <------ at most COLUMNS - 1 columns ----->
 *
 * Invariants:
 * 1. first <= cursor <= length <= LINE_MAX_BYTES, text[length] is NUL, and none
 *    of the three lies inside a UTF-8 character of the text.
 * 2. The cursor is on the screen; the last column is never written, because
 *    terminals differ in what happens then.
 *
 * A byte that continues a UTF-8 character takes no column; every other byte one.
 */
#include "kernel/monitor/line_editor.h"

#include "lib/format.h"
#include "lib/string.h"

#define COLUMNS 80u
#define ROOM_MIN 16u /* columns of text beside the longest prompt */

#define CTRL(letter) ((letter) & 0x1f)
#define ESCAPE 0x1b
#define DELETE 0x7f

static void emit(struct line_editor *editor, const char *bytes, size_t count)
{
	if (count > 0)
		editor->emit(editor->context, bytes, count);
}

static void emit_text(struct line_editor *editor, const char *text)
{
	emit(editor, text, strlen(text));
}

static bool continues(char byte)
{
	return ((uint8_t)byte & 0xc0) == 0x80;
}

static unsigned columns(const char *text, unsigned count)
{
	unsigned result = 0;

	for (unsigned i = 0; i < count; i++)
		result += !continues(text[i]);
	return result;
}

/* Columns there are for the text. */
static unsigned room(const struct line_editor *editor)
{
	unsigned prompt = columns(editor->prompt, editor->prompt_bytes);

	return prompt + ROOM_MIN < COLUMNS ? COLUMNS - 1 - prompt : ROOM_MIN;
}

static bool is_scrolled(const struct line_editor *editor)
{
	return editor->first > 0 || columns(editor->text, editor->length) > room(editor);
}

static unsigned before(const struct line_editor *editor, unsigned at)
{
	if (at > 0)
		at--;
	while (at > 0 && continues(editor->text[at]))
		at--;
	return at;
}

static unsigned after(const struct line_editor *editor, unsigned at)
{
	if (at < editor->length)
		at++;
	while (at < editor->length && continues(editor->text[at]))
		at++;
	return at;
}

/* Chooses `first` so that the cursor can be seen, by half a screen at a time. */
static void scroll(struct line_editor *editor)
{
	unsigned visible = room(editor);

	if (editor->cursor < editor->first ||
	    columns(editor->text + editor->first, editor->cursor - editor->first) > visible) {
		editor->first = editor->cursor;
		for (unsigned i = 0; i < visible / 2; i++)
			editor->first = before(editor, editor->first);
	}
	if (columns(editor->text, editor->length) <= visible)
		editor->first = 0;
}

/* The index behind the last byte that there is room for; the cursor is not behind it. */
static unsigned shown_end(const struct line_editor *editor)
{
	unsigned end = editor->first, left = room(editor);

	while (end < editor->length) {
		if (!continues(editor->text[end]) && left-- == 0)
			break;
		end++;
	}
	return end;
}

void line_editor_show(struct line_editor *editor)
{
	unsigned end, back;
	char move[16];

	scroll(editor);
	end = shown_end(editor);
	emit_text(editor, "\r");
	emit(editor, editor->prompt, editor->prompt_bytes);
	emit(editor, editor->text + editor->first, end - editor->first);
	emit_text(editor, "\x1b[K");
	back = columns(editor->text + editor->cursor, end - editor->cursor);
	if (back > 0) {
		(void)format(move, sizeof(move), "\x1b[%uD", back);
		emit_text(editor, move);
	}
}

void line_editor_hide(struct line_editor *editor)
{
	emit_text(editor, "\r\x1b[K");
}

void line_editor_set_prompt(struct line_editor *editor, const char *prompt, unsigned prompt_bytes)
{
	editor->prompt = prompt;
	editor->prompt_bytes = prompt_bytes;
}

void line_editor_begin(struct line_editor *editor, const char *prompt, unsigned prompt_bytes)
{
	line_editor_set_prompt(editor, prompt, prompt_bytes);
	editor->length = editor->cursor = editor->first = 0;
	editor->text[0] = '\0';
	editor->recalled = 0;
	editor->too_long = false;
	editor->state = KEY_PLAIN;
}

/* ---- Edits --------------------------------------------------------------- */

static void insert(struct line_editor *editor, const char *bytes, unsigned count)
{
	bool at_end = editor->cursor == editor->length;

	if (editor->length + count > LINE_MAX_BYTES) {
		editor->too_long = true;
		return;
	}
	memmove(editor->text + editor->cursor + count, editor->text + editor->cursor,
		editor->length - editor->cursor + 1);
	memcpy(editor->text + editor->cursor, bytes, count);
	editor->length += count;
	editor->cursor += count;
	if (at_end && columns(editor->text + editor->first, editor->length - editor->first) <=
			      room(editor))
		emit(editor, bytes, count);
	else
		line_editor_show(editor);
}

/* Takes [from, to) out. */
static void cut(struct line_editor *editor, unsigned from, unsigned to)
{
	bool last = to == editor->length && editor->cursor == to &&
		    columns(editor->text + from, to - from) == 1 && !is_scrolled(editor);

	if (from == to)
		return;
	memmove(editor->text + from, editor->text + to, editor->length - to + 1);
	editor->length -= to - from;
	editor->cursor = from;
	if (last)
		emit_text(editor, "\b \b");
	else
		line_editor_show(editor);
}

static void move_to(struct line_editor *editor, unsigned at)
{
	if (at == editor->cursor)
		return;
	editor->cursor = at;
	line_editor_show(editor);
}

static unsigned word_start(const struct line_editor *editor)
{
	unsigned at = editor->cursor;

	while (at > 0 && editor->text[at - 1] == ' ')
		at--;
	while (at > 0 && editor->text[at - 1] != ' ')
		at--;
	return at;
}

/* ---- History ------------------------------------------------------------- */

/* The line `back` lines ago, 1 is the last one. */
static char *history_line(struct line_history *history, unsigned back)
{
	return history->lines[(history->next + LINE_HISTORY_MAX - back) % LINE_HISTORY_MAX];
}

static void history_add(struct line_history *history, const char *text)
{
	if (*text == '\0' || (history->count > 0 && strcmp(history_line(history, 1), text) == 0))
		return;
	(void)string_copy(history->lines[history->next], text, LINE_MAX_BYTES + 1);
	history->next = (history->next + 1) % LINE_HISTORY_MAX;
	history->count = MIN(history->count + 1, (unsigned)LINE_HISTORY_MAX);
}

static void history_recall(struct line_editor *editor, unsigned back)
{
	const char *text = editor->kept;

	if (!editor->history || back > editor->history->count || back == editor->recalled)
		return;
	if (editor->recalled == 0)
		(void)string_copy(editor->kept, editor->text, sizeof(editor->kept));
	if (back > 0)
		text = history_line(editor->history, back);
	editor->recalled = back;
	editor->length = (unsigned)string_copy(editor->text, text, sizeof(editor->text));
	editor->cursor = editor->length;
	line_editor_show(editor);
}

/* ---- Completion ---------------------------------------------------------- */

struct completion {
	unsigned start; /* of the word in the text */
	unsigned count; /* of candidates that begin like it */
	unsigned common; /* bytes that all of them begin with */
	const char *first;
};

static const char *candidate(const struct line_editor *editor, const struct completion *completion,
			     unsigned *index)
{
	unsigned typed = editor->cursor - completion->start;
	const char *word;

	while ((word = editor->candidate(editor->context, editor->text, completion->start,
					 (*index)++))) {
		if (strncmp(word, editor->text + completion->start, typed) == 0)
			return word;
	}
	return NULL;
}

static void complete_list(struct line_editor *editor, const struct completion *completion)
{
	const char *word;
	unsigned index = 0, column = 0;

	emit_text(editor, "\n");
	while ((word = candidate(editor, completion, &index))) {
		if (column > 0 && column + strlen(word) + 2 >= COLUMNS) {
			emit_text(editor, "\n");
			column = 0;
		}
		emit_text(editor, column > 0 ? "  " : "");
		emit_text(editor, word);
		column += (unsigned)strlen(word) + 2;
	}
	emit_text(editor, "\n");
	line_editor_show(editor);
}

static void complete(struct line_editor *editor)
{
	struct completion completion = { .start = editor->cursor };
	const char *word;
	unsigned index = 0, typed;

	if (!editor->candidate)
		return;
	while (completion.start > 0 && editor->text[completion.start - 1] != ' ')
		completion.start--;
	typed = editor->cursor - completion.start;
	while ((word = candidate(editor, &completion, &index))) {
		unsigned same = 0;

		if (completion.count++ == 0) {
			completion.first = word;
			completion.common = (unsigned)strlen(word);
		}
		while (same < completion.common && word[same] == completion.first[same])
			same++;
		completion.common = same;
	}
	if (completion.count == 0)
		return;
	if (completion.common > typed)
		insert(editor, completion.first + typed, completion.common - typed);
	else if (completion.count > 1)
		complete_list(editor, &completion);
	if (completion.count == 1 && editor->cursor == editor->length)
		insert(editor, " ", 1);
}

/* ---- Keys ---------------------------------------------------------------- */

static enum line_event finish(struct line_editor *editor)
{
	if (is_scrolled(editor)) {
		/* Leave the whole line on the screen, as it was typed. */
		emit_text(editor, "\r");
		emit(editor, editor->prompt, editor->prompt_bytes);
		emit(editor, editor->text, editor->length);
	}
	emit_text(editor, "\n");
	if (editor->too_long)
		return LINE_TOO_LONG;
	if (editor->history)
		history_add(editor->history, editor->text);
	return LINE_DONE;
}

static void escape_key(struct line_editor *editor, char byte)
{
	switch (byte) {
	case 'A':
		history_recall(editor, editor->recalled + 1);
		break;
	case 'B':
		history_recall(editor, editor->recalled > 0 ? editor->recalled - 1 : 0);
		break;
	case 'C':
		move_to(editor, after(editor, editor->cursor));
		break;
	case 'D':
		move_to(editor, before(editor, editor->cursor));
		break;
	case 'H':
		move_to(editor, 0);
		break;
	case 'F':
		move_to(editor, editor->length);
		break;
	case '~':
		if (editor->parameter == 1 || editor->parameter == 7)
			move_to(editor, 0);
		else if (editor->parameter == 4 || editor->parameter == 8)
			move_to(editor, editor->length);
		else if (editor->parameter == 3 && editor->cursor < editor->length)
			cut(editor, editor->cursor, after(editor, editor->cursor));
		break;
	default:
		break;
	}
}

/* A byte of an escape sequence: ESC x, ESC [ or O, digits and ;, a final byte (ECMA-48, 5.4). */
static void escape_byte(struct line_editor *editor, char byte)
{
	if (editor->state == KEY_ESCAPE) {
		editor->state = byte == '[' || byte == 'O' ? KEY_BRACKET : KEY_PLAIN;
		editor->parameter = 0;
		return;
	}
	if (byte >= 0x20 && byte < 0x40) { /* parameters and intermediate bytes */
		if (byte >= '0' && byte <= '9')
			editor->parameter = (editor->parameter * 10 + (byte - '0')) % 1000;
		return;
	}
	editor->state = KEY_PLAIN;
	escape_key(editor, byte);
}

static void control_key(struct line_editor *editor, char byte)
{
	switch (byte) {
	case CTRL('A'):
		move_to(editor, 0);
		break;
	case CTRL('B'):
		escape_key(editor, 'D');
		break;
	case CTRL('E'):
		move_to(editor, editor->length);
		break;
	case CTRL('F'):
		escape_key(editor, 'C');
		break;
	case CTRL('H'):
	case DELETE:
		cut(editor, before(editor, editor->cursor), editor->cursor);
		break;
	case '\t':
		complete(editor);
		break;
	case CTRL('K'):
		cut(editor, editor->cursor, editor->length);
		break;
	case CTRL('L'):
		emit_text(editor, "\x1b[H\x1b[2J");
		line_editor_show(editor);
		break;
	case CTRL('N'):
		escape_key(editor, 'B');
		break;
	case CTRL('P'):
		escape_key(editor, 'A');
		break;
	case CTRL('U'):
		cut(editor, 0, editor->cursor);
		break;
	case CTRL('W'):
		cut(editor, word_start(editor), editor->cursor);
		break;
	case ESCAPE:
		editor->state = KEY_ESCAPE;
		break;
	default:
		break;
	}
}

enum line_event line_editor_byte(struct line_editor *editor, char byte)
{
	bool after_cr = editor->after_cr;

	editor->after_cr = byte == '\r';
	if (byte == '\n' && after_cr)
		return LINE_MORE;
	if (byte == '\r' || byte == '\n')
		return finish(editor);
	if (byte == CTRL('C')) {
		emit_text(editor, "^C\n");
		return LINE_INTERRUPTED;
	}
	if (byte == ESCAPE) {
		editor->state = KEY_ESCAPE;
	} else if (editor->state != KEY_PLAIN) {
		escape_byte(editor, byte);
	} else if (editor->too_long) {
		/* Nothing more of it is wanted, only its end. */
	} else if (byte == CTRL('D')) {
		if (editor->length == 0)
			return LINE_END;
		if (editor->cursor < editor->length)
			cut(editor, editor->cursor, after(editor, editor->cursor));
	} else if ((uint8_t)byte >= ' ' && byte != DELETE) {
		insert(editor, &byte, 1);
	} else {
		control_key(editor, byte);
	}
	return LINE_MORE;
}
