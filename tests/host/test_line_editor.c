/*
 * test_line_editor.c: kernel/monitor/line_editor.h, with a terminal's row that
 * does what the editor sends: the screen must always show prompt, text and
 * cursor where the editor says they are.
 */
#include "kernel/monitor/line_editor.h"

#include "lib/string.h"
#include "tests/host/host_test.h"

#define ROW 4096 /* columns: wider than any line, so that nothing wraps unseen */

struct screen {
	char row[ROW];
	unsigned column, length;
	unsigned lines;      /* line breaks sent */
	char last[ROW];      /* the row before the last line break */
	unsigned escape;     /* bytes of an escape sequence read so far */
	unsigned number;
};

static struct screen screen;
static struct line_history history;
static struct line_editor editor;

static void screen_byte(char c)
{
	if (screen.escape == 1) {
		screen.escape = c == '[' ? 2 : 0;
		screen.number = 0;
	} else if (screen.escape == 2 && c >= '0' && c <= '9') {
		screen.number = screen.number * 10 + (unsigned)(c - '0');
	} else if (screen.escape == 2) {
		screen.escape = 0;
		if (c == 'K')
			screen.length = screen.column;
		else if (c == 'D')
			screen.column -= MIN(screen.number, screen.column);
	} else if (c == '\x1b') {
		screen.escape = 1;
	} else if (c == '\r') {
		screen.column = 0;
	} else if (c == '\b') {
		screen.column -= screen.column > 0;
	} else if (c == '\n') {
		memcpy(screen.last, screen.row, screen.length);
		screen.last[screen.length] = '\0';
		screen.lines++;
		screen.column = screen.length = 0;
	} else if (((uint8_t)c & 0xc0) != 0x80 && screen.column < ROW - 1) {
		screen.row[screen.column++] = c;
		screen.length = MAX(screen.length, screen.column);
	}
}

static void screen_emit(void *context, const char *bytes, size_t count)
{
	(void)context;
	for (size_t i = 0; i < count; i++)
		screen_byte(bytes[i]);
}

static void begin(const char *prompt)
{
	memset(&screen, 0, sizeof(screen));
	editor.emit = screen_emit;
	editor.history = &history;
	screen_emit(NULL, prompt, strlen(prompt));
	line_editor_begin(&editor, prompt, (unsigned)strlen(prompt));
}

static enum line_event type(const char *keys)
{
	enum line_event event = LINE_MORE;

	while (*keys != '\0')
		event = line_editor_byte(&editor, *keys++);
	return event;
}

/* What a person sees of the row: without the blanks that erasing left. */
static const char *shown(void)
{
	unsigned length = screen.length;

	while (length > 0 && screen.row[length - 1] == ' ')
		length--;
	screen.row[length] = '\0';
	return screen.row;
}

struct edit_case {
	const char *keys;
	const char *text;
	unsigned cursor;
};

static const struct edit_case edit_cases[] = {
	{ "abc", "abc", 3 },
	{ "abc\b", "ab", 2 },
	{ "abc\x7f\x7f\x7f\x7f", "", 0 },
	{ "abc\x1b[DX", "abXc", 3 },
	{ "abc\x1b[D\x1b[D\x1b[3~", "ac", 1 },
	{ "abc\x01X\x05Y", "XabcY", 5 },
	{ "abc\x1b[HX\x1b[FY", "XabcY", 5 },
	{ "abc\x1bOHX\x1b[4~Y", "XabcY", 5 },
	{ "one two\x17", "one ", 4 },
	{ "one two  \x17", "one ", 4 },
	{ "one two\x15", "", 0 },
	{ "one two\x1b[D\x1b[D\x1b[D\x15", "two", 0 },
	{ "one two\x1b[D\x1b[D\x1b[D\x0b", "one ", 4 },
	{ "abc\x1b[D\x04", "ab", 2 },
	{ "ab\x1b[1;5CX\x1b[200~Y", "abXY", 4 },
	{ "a\x06\x02\x02" "b", "ba", 1 },
	{ "gr\xc3\xbc\xc3\x9f" "e\x1b[D\x1b[D\b", "gr\xc3\x9f" "e", 2 },
	{ "a\x1b" "zb\x07\x0f\x1c", "ab", 2 },
};

TEST(line_editor, edits)
{
	for (unsigned i = 0; i < ARRAY_SIZE(edit_cases); i++) {
		begin("> ");
		CHECK_EQUAL(LINE_MORE, type(edit_cases[i].keys));
		CHECK_TEXT(edit_cases[i].text, editor.text);
		CHECK_EQUAL(edit_cases[i].cursor, editor.cursor);
		CHECK_EQUAL(LINE_DONE, type("\r"));
		CHECK_TEXT(edit_cases[i].text, editor.text);
	}
}

TEST(line_editor, ends)
{
	begin("> ");
	CHECK_EQUAL(LINE_DONE, type("x\r"));
	begin("> ");
	CHECK_EQUAL(LINE_MORE, type("\n")); /* of the CR LF */
	CHECK_EQUAL(LINE_DONE, type("\n"));
	begin("> ");
	CHECK_EQUAL(LINE_INTERRUPTED, type("ab\x03"));
	CHECK_TEXT("> ab^C", screen.last);
	begin("> ");
	CHECK_EQUAL(LINE_MORE, type("ab\x04"));
	CHECK_EQUAL(LINE_END, type("\b\b\x04"));
	CHECK_EQUAL(0, screen.lines);
}

TEST(line_editor, plain_echo_of_what_fits)
{
	begin("quire> ");
	CHECK_EQUAL(LINE_DONE, type("as 1 malloc 64\n"));
	CHECK_TEXT("quire> as 1 malloc 64", screen.last);
	CHECK_EQUAL(1, screen.lines);
}

TEST(line_editor, long_lines)
{
	begin("> ");
	for (unsigned i = 0; i < LINE_MAX_BYTES; i++)
		CHECK_EQUAL(LINE_MORE, line_editor_byte(&editor, (char)('a' + i % 26)));
	CHECK(screen.length < 80);
	CHECK_EQUAL(LINE_DONE, type("\n"));
	CHECK_EQUAL(LINE_MAX_BYTES, editor.length);
	CHECK_EQUAL(LINE_MAX_BYTES + 2, strlen(screen.last)); /* left whole on the screen */
	begin("> ");
	for (unsigned i = 0; i <= LINE_MAX_BYTES; i++)
		(void)line_editor_byte(&editor, 'x');
	CHECK_EQUAL(LINE_MORE, type("more\b\b\b\x15"));
	CHECK_EQUAL(LINE_TOO_LONG, type("\n"));
	begin("> ");
	CHECK_EQUAL(LINE_DONE, type("short\n"));
}

TEST(line_editor, history)
{
	memset(&history, 0, sizeof(history));
	begin("> ");
	CHECK_EQUAL(LINE_DONE, type("one\n"));
	begin("> ");
	CHECK_EQUAL(LINE_DONE, type("two\n"));
	begin("> ");
	CHECK_EQUAL(LINE_DONE, type("two\n"));
	begin("> ");
	(void)type("new\x1b[A");
	CHECK_TEXT("two", editor.text);
	(void)type("\x10\x10\x10");
	CHECK_TEXT("one", editor.text);
	CHECK_TEXT("> one", shown());
	(void)type("\x1b[B\x0e");
	CHECK_TEXT("new", editor.text);
	for (unsigned i = 0; i < 2 * LINE_HISTORY_MAX; i++) {
		char line[] = { (char)('A' + i % 26), (char)('a' + i / 26), '\n', '\0' };

		begin("> ");
		CHECK_EQUAL(LINE_DONE, type(line));
	}
	begin("> ");
	for (unsigned i = 0; i < 2 * LINE_HISTORY_MAX; i++)
		(void)type("\x1b[A");
	CHECK_EQUAL(LINE_HISTORY_MAX, editor.recalled);
}

static const char *candidate(void *context, const char *line, size_t line_bytes, unsigned index)
{
	static const char *const words[] = { "help", "hexdump", "spawn", NULL };

	(void)context, (void)line;
	return line_bytes == 0 ? words[MIN(index, 3u)] : NULL;
}

TEST(line_editor, completion)
{
	editor.candidate = candidate;
	begin("> ");
	(void)type("s\t");
	CHECK_TEXT("spawn ", editor.text);
	(void)type("s\t");
	CHECK_TEXT("spawn s", editor.text);
	begin("> ");
	(void)type("h\t");
	CHECK_TEXT("he", editor.text);
	CHECK_EQUAL(0, screen.lines);
	(void)type("\t");
	CHECK_TEXT("help  hexdump", screen.last);
	CHECK_TEXT("> he", shown());
	editor.candidate = NULL;
}

TEST(line_editor, hide_and_show)
{
	begin("> ");
	(void)type("abc\x1b[D");
	line_editor_hide(&editor);
	CHECK_EQUAL(0, screen.length);
	screen_emit(NULL, "[1] line\n", 9);
	line_editor_show(&editor);
	CHECK_TEXT("> abc", shown());
	CHECK_EQUAL(4, screen.column);
}

/* Any bytes at all: the screen agrees with the text after each. */
TEST(line_editor, random_keys)
{
	static const char *const keys[] = { "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[D",
					    "\x1b[H", "\x1b[F", "\x1b[3~", "\b", "\x17",
					    "\x0b", "\x15", "abcdefghijklmnopqrstuvwxyz" };
	struct random random;

	host_random(&random);
	begin("quire> ");
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t choice = random_below(&random, 40);
		enum line_event event;

		if (choice < ARRAY_SIZE(keys))
			event = type(keys[choice]);
		else if (choice < 38)
			event = line_editor_byte(&editor, (char)(' ' + random_below(&random, 95)));
		else
			event = line_editor_byte(&editor, (char)random_next(&random));
		if (event != LINE_MORE) {
			begin("quire> ");
			continue;
		}
		if (!CHECK(editor.first <= editor.cursor && editor.cursor <= editor.length) ||
		    !CHECK_EQUAL(editor.length, strlen(editor.text)))
			return;
		/* Columns of ASCII are bytes; a line with others is only checked for its bounds. */
		for (unsigned at = 0; at < editor.length; at++)
			if ((uint8_t)editor.text[at] >= 0x80)
				goto next;
		if (!CHECK(screen.length < 80) ||
		    !CHECK_EQUAL(7 + editor.cursor - editor.first, screen.column) ||
		    !CHECK_EQUAL(0, memcmp(screen.row + 7, editor.text + editor.first,
					   MIN(editor.length - editor.first, 72u))))
			return;
next:;
	}
}
