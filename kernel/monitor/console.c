/*
 * console.c: see console.h.
 *
 * The screen's last line is in one of these states:
 *
 *   closed   nothing on it
 *   open     console.open: the start of a line of the foreground, or a prompt
 *   edited   open, then the text of console.editor
 *   progress console.progress: to be wiped by whatever comes next
 *
 *               foreground_write()
 *     closed <---------------------> open <---- console_edit_begin(), _end() ----> edited
 *        ^                                                                             |
 *        +--- console_progress() ---> progress          background_line(): hide, print, show
 *
 * Invariants:
 * 1. What the serial line was sent and what `open` says agree whenever the
 *    console lock is free.
 * 2. Background lines leave in the order they came, and before any of them
 *    that comes later.
 *
 * Locks: console guards everything here; it is held, with interrupts off, for
 * about a line of output. No other lock is taken inside.
 */
#include "kernel/monitor/console.h"

#include <stdarg.h>

#include "arch/x86_64/serial.h"
#include "kernel/monitor/line_editor.h"
#include "lib/format.h"
#include "lib/string.h"

#define OPEN_BYTES 256       /* of an open line that can be put back; of a longer one its end */
#define QUEUE_BYTES 16384    /* background lines that wait in a script */
#define HEAD_BYTES 16        /* of each line: enough for `error:` */
#define PREFIX_BYTES 16      /* "[32767] " */

/* Follows lines as they pass, for `error:` at the start of one. */
struct head {
	unsigned count;
	char bytes[HEAD_BYTES];
};

static struct {
	struct spinlock lock;
	enum console_mode mode;
	bool draining;
	bool failed;
	bool progress;               /* a progress line is on the screen */
	struct line_editor *editor;
	unsigned open_count;
	char open[OPEN_BYTES];
	struct head head;            /* of the foreground's line */
	uint32_t queue_head, queue_tail; /* bytes ever taken and ever put; they wrap */
	char queue[QUEUE_BYTES];     /* whole lines with their newlines */
	/* The capture: the word that grows, the last one that ended, and whether they were cut. */
	unsigned word_count, last_count;
	char word[CONSOLE_WORD_BYTES], last[CONSOLE_WORD_BYTES];
} console = { .lock = SPINLOCK(CONSOLE) };
STATIC_ASSERT((QUEUE_BYTES & (QUEUE_BYTES - 1)) == 0);

/* ---- What passes --------------------------------------------------------- */

static void head_note(struct head *head, char byte)
{
	static const char *const failures[] = { "error:", "mismatch " };

	if (byte == '\n') {
		head->count = 0;
		return;
	}
	if (head->count >= HEAD_BYTES - 1)
		return;
	head->bytes[head->count++] = byte;
	for (unsigned i = 0; i < ARRAY_SIZE(failures); i++)
		if (head->count == strlen(failures[i]) &&
		    memcmp(head->bytes, failures[i], head->count) == 0)
			console.failed = true;
}

static void capture_note(char byte)
{
	if (byte == ' ' || byte == '\n' || byte == '\t') {
		console.word_count = 0;
		return;
	}
	if (console.word_count < CONSOLE_WORD_BYTES - 1)
		console.word[console.word_count] = byte;
	console.word_count++;
	console.last_count = console.word_count;
	if (console.word_count < CONSOLE_WORD_BYTES)
		console.last[console.word_count - 1] = byte;
}

static void open_note(char byte)
{
	if (byte == '\n') {
		console.open_count = 0;
		return;
	}
	if (console.open_count == OPEN_BYTES) {
		memmove(console.open, console.open + OPEN_BYTES / 2, OPEN_BYTES / 2);
		console.open_count = OPEN_BYTES / 2;
	}
	console.open[console.open_count++] = byte;
}

/* ---- The screen's last line. The console lock is held. -------------------- */

static void raw(const char *bytes, size_t count)
{
	serial_write(bytes, count);
}

static void raw_text(const char *text)
{
	raw(text, strlen(text));
}

static void progress_wipe(void)
{
	if (!console.progress)
		return;
	console.progress = false;
	raw_text("\r\x1b[K");
}

/* Makes the last line empty, to print whole lines above the open one. */
static void open_hide(void)
{
	progress_wipe();
	if (console.editor) {
		line_editor_hide(console.editor);
	} else if (console.open_count > 0 && console.mode == CONSOLE_TERMINAL) {
		raw_text("\r\x1b[K");
	} else if (console.open_count > 0) {
		raw_text("\n");
		console.open_count = 0;
	}
}

static void open_show(void)
{
	if (console.editor)
		line_editor_show(console.editor);
	else
		raw(console.open, console.open_count);
}

enum foreground_kind { FOREGROUND_OUTPUT, FOREGROUND_ECHO };

static void foreground_write(const char *bytes, size_t count, enum foreground_kind kind)
{
	progress_wipe();
	if (console.editor) {
		line_editor_hide(console.editor);
		raw(console.open, console.open_count);
	}
	raw(bytes, count);
	for (size_t i = 0; i < count; i++) {
		open_note(bytes[i]);
		if (kind == FOREGROUND_OUTPUT) {
			head_note(&console.head, bytes[i]);
			capture_note(bytes[i]);
		}
	}
	if (kind == FOREGROUND_ECHO)
		console.head.count = console.open_count > 0 ? HEAD_BYTES : 0;
	if (console.editor) {
		line_editor_set_prompt(console.editor, console.open, console.open_count);
		line_editor_show(console.editor);
	}
}

/* Writes in pieces that end where lines do, so that the lock is held for a line at most. */
static void write_pieces(const char *bytes, size_t count, enum foreground_kind kind)
{
	while (count > 0) {
		size_t piece = 0;
		uint64_t flags;

		while (piece < MIN(count, (size_t)CONSOLE_PRINT_BYTES))
			if (bytes[piece++] == '\n')
				break;
		flags = spin_lock_irq(&console.lock);
		foreground_write(bytes, piece, kind);
		spin_unlock_irq(&console.lock, flags);
		bytes += piece;
		count -= piece;
	}
}

/* ---- Background. The console lock is held. -------------------------------- */

/* The length of the first line of a text, its newline included if it has one. */
static size_t line_bytes(const char *text, size_t count)
{
	size_t length = 0;

	while (length < count && text[length++] != '\n')
		;
	return length;
}

static void background_note(const char *line, size_t count)
{
	struct head head = { .count = 0 };

	for (size_t i = 0; i < count; i++)
		head_note(&head, line[i]);
}

/* One line that waits leaves the queue. False if none waits. */
static bool queue_print_one(void)
{
	char byte = '\0';

	if (console.queue_head == console.queue_tail)
		return false;
	open_hide();
	while (byte != '\n') {
		byte = console.queue[console.queue_head++ % QUEUE_BYTES];
		raw(&byte, 1);
	}
	return true;
}

static void queue_put(const char *bytes, size_t count)
{
	while (count-- > 0)
		console.queue[console.queue_tail++ % QUEUE_BYTES] = *bytes++;
}

static void background_line(const char *prefix, const char *text, size_t count)
{
	size_t prefix_count = strlen(prefix);
	size_t total = prefix_count + count + 1;
	bool waits = console.mode == CONSOLE_SCRIPT && !console.draining;

	background_note(text, count);
	if (waits && total <= QUEUE_BYTES) {
		while (console.queue_tail - console.queue_head + total > QUEUE_BYTES)
			(void)queue_print_one();
		queue_put(prefix, prefix_count);
		queue_put(text, count);
		queue_put("\n", 1);
		return;
	}
	while (queue_print_one())
		;
	open_hide();
	raw(prefix, prefix_count);
	raw(text, count);
	raw_text("\n");
	open_show();
}

/* ---- Interface ------------------------------------------------------------ */

void console_set_mode(enum console_mode mode)
{
	WRITE_ONCE(console.mode, mode);
}

enum console_mode console_get_mode(void)
{
	return READ_ONCE(console.mode);
}

void console_write(const char *bytes, size_t count)
{
	write_pieces(bytes, count, FOREGROUND_OUTPUT);
}

void console_echo(const char *bytes, size_t count)
{
	write_pieces(bytes, count, FOREGROUND_ECHO);
}

void console_print(const char *fmt, ...)
{
	char text[CONSOLE_PRINT_BYTES];
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = format_v(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	console_write(text, MIN((size_t)length, sizeof(text) - 1));
}

void console_fresh_line(void)
{
	uint64_t flags = spin_lock_irq(&console.lock);

	progress_wipe();
	if (console.open_count > 0)
		foreground_write("\n", 1, FOREGROUND_ECHO);
	spin_unlock_irq(&console.lock, flags);
}

void console_background(pid_t pid, const char *text, size_t count)
{
	char prefix[PREFIX_BYTES] = "";

	if (pid != 0)
		(void)format(prefix, sizeof(prefix), "[%d] ", pid);
	do {
		size_t length = line_bytes(text, count);
		size_t shown = length > 0 && text[length - 1] == '\n' ? length - 1 : length;
		uint64_t flags = spin_lock_irq(&console.lock);

		background_line(prefix, text, shown);
		spin_unlock_irq(&console.lock, flags);
		text += length;
		count -= length;
	} while (count > 0);
}

void console_flush(void)
{
	bool more;

	do {
		uint64_t flags = spin_lock_irq(&console.lock);

		more = queue_print_one();
		spin_unlock_irq(&console.lock, flags);
	} while (more);
}

void console_drain(bool draining)
{
	WRITE_ONCE(console.draining, draining);
	if (draining)
		console_flush();
}

uint64_t console_first_prompt_tsc;

void console_prompt(const char *prompt)
{
	if (console_first_prompt_tsc == 0)
		console_first_prompt_tsc = cpu_tsc();
	console_fresh_line();
	console_flush();
	console_echo(prompt, strlen(prompt));
}

void console_progress(const char *fmt, ...)
{
	char text[80];
	va_list arguments;
	uint64_t flags;

	va_start(arguments, fmt);
	(void)format_v(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	flags = spin_lock_irq(&console.lock);
	if (console.mode == CONSOLE_TERMINAL && console.open_count == 0 && !console.editor) {
		progress_wipe();
		raw_text(text);
		console.progress = *text != '\0';
	}
	spin_unlock_irq(&console.lock, flags);
}

void console_capture_begin(void)
{
	uint64_t flags = spin_lock_irq(&console.lock);

	console.word_count = console.last_count = 0;
	spin_unlock_irq(&console.lock, flags);
}

const char *console_capture_end(void)
{
	if (console.last_count == 0 || console.last_count >= CONSOLE_WORD_BYTES)
		return NULL;
	console.last[console.last_count] = '\0';
	return console.last;
}

bool console_failed(void)
{
	return READ_ONCE(console.failed);
}

void console_failed_clear(void)
{
	WRITE_ONCE(console.failed, false);
}

static void emit(void *context, const char *bytes, size_t count)
{
	(void)context;
	raw(bytes, count);
}

void console_edit_begin(struct line_editor *editor)
{
	uint64_t flags = spin_lock_irq(&console.lock);

	progress_wipe();
	editor->emit = emit;
	line_editor_begin(editor, console.open, console.open_count);
	console.editor = editor;
	spin_unlock_irq(&console.lock, flags);
}

/* What was typed so far stays on the screen: it belongs to the open line now. */
static void edit_end(void)
{
	for (unsigned i = 0; console.editor && i < console.editor->length; i++)
		open_note(console.editor->text[i]);
	console.editor = NULL;
}

void console_edit_end(void)
{
	uint64_t flags = spin_lock_irq(&console.lock);

	edit_end();
	spin_unlock_irq(&console.lock, flags);
}

void console_interrupt(void)
{
	uint64_t flags = spin_lock_irq(&console.lock);

	edit_end();
	foreground_write("^C\n", 3, FOREGROUND_ECHO);
	spin_unlock_irq(&console.lock, flags);
}

int console_edit(char byte)
{
	uint64_t flags = spin_lock_irq(&console.lock);
	enum line_event event = LINE_MORE;

	if (console.editor) {
		event = line_editor_byte(console.editor, byte);
		if (event == LINE_DONE || event == LINE_TOO_LONG || event == LINE_INTERRUPTED) {
			console.open_count = 0;
			console.head.count = 0;
		}
		if (event != LINE_MORE)
			console.editor = NULL;
	}
	spin_unlock_irq(&console.lock, flags);
	return event;
}
