/*
 * options.c: see options.h. The line is walked word by word; each word is
 * copied into a buffer and unquoted there, so the length of the line does not
 * matter. A word that is too long for any key is skipped whole.
 */
#include "kernel/options.h"

#include <stdarg.h>

#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/number.h"
#include "lib/string.h"
#include "lib/words.h"

/* The longest useful word: run= with every byte of its value escaped. */
#define WORD_BYTES (2 * LINE_MAX_BYTES + 16)
#define SHOWN_BYTES 40 /* of a word, in a warning */
#define OPTIONS_LINE_BYTES 160

struct key {
	const char *name;
	const char *wanted; /* what a value looks like */
	/* Takes the value; 0 or a negative errno, and then nothing has changed. */
	int (*set)(struct options *options, const char *value);
};

static int cpus_set(struct options *options, const char *value)
{
	int64_t number;
	int error = number_parse(value, 1, CPU_MAX, &number);

	if (error == 0)
		options->cpus = (unsigned)number;
	return error;
}

static int frames_set(struct options *options, const char *value)
{
	int64_t number;
	int error = number_parse_size(value, RESIDENT_MIN, INT64_MAX, &number);

	if (error == 0)
		options->frames = (uint64_t)number;
	return error;
}

static int neighbours_set(struct options *options, const char *value)
{
	int64_t number;
	int error = number_parse(value, 1, NEIGHBOURS_MAX, &number);

	if (error == 0)
		options->neighbours = (unsigned)number;
	return error;
}

static int swap_set(struct options *options, const char *value)
{
	int64_t number;
	int error = number_parse_size(value, 0, INT64_MAX, &number);

	if (error == 0)
		options->swap_bytes = (uint64_t)number;
	return error;
}

static int seed_set(struct options *options, const char *value)
{
	return number_parse_u64(value, &options->seed);
}

static int text_set(char *to, size_t size_bytes, const char *value)
{
	if (*value == '\0')
		return -EINVAL;
	if (strlen(value) >= size_bytes)
		return -E2BIG;
	(void)string_copy(to, value, size_bytes);
	return 0;
}

static int policy_set(struct options *options, const char *value)
{
	return text_set(options->policy, sizeof(options->policy), value);
}

static int bug_set(struct options *options, const char *value)
{
	return text_set(options->bug, sizeof(options->bug), value);
}

static int script_set(struct options *options, const char *value)
{
	return text_set(options->script, sizeof(options->script), value);
}

static int run_set(struct options *options, const char *value)
{
	return text_set(options->run, sizeof(options->run), value);
}

static int then_set(struct options *options, const char *value)
{
	if (strcmp(value, "console") == 0)
		options->then = THEN_CONSOLE;
	else if (strcmp(value, "poweroff") == 0)
		options->then = THEN_POWEROFF;
	else
		return -EINVAL;
	return 0;
}

#define TEXT_OF(number) #number
#define TEXT(macro) TEXT_OF(macro)

static const struct key keys[] = {
	{"cpus", "a number from 1 to " TEXT(CPU_MAX), cpus_set},
	{"frames", "a number of frames from " TEXT(RESIDENT_MIN), frames_set},
	{"swap", "a size like 96M", swap_set},
	{"policy", "a policy's name", policy_set},
	{"neighbours", "a number from 1 to " TEXT(NEIGHBOURS_MAX), neighbours_set},
	{"seed", "a number of 64 bits", seed_set},
	{"run", "a program's name and arguments", run_set},
	{"script", "a module's name", script_set},
	{"bug", "a planted bug's name", bug_set},
	{"then", "console or poweroff", then_set},
};
STATIC_ASSERT(ARRAY_SIZE(keys) <= 32); /* bits of `seen` below */

void options_warn(struct options *options, const char *fmt, ...)
{
	size_t used = strlen(options->warnings);
	size_t room = sizeof(options->warnings) - used;
	char text[OPTIONS_LINE_BYTES];
	va_list arguments;

	va_start(arguments, fmt);
	(void)format_v(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	options->warning_count++;
	if (strlen(text) + sizeof("command line: \n") <= room)
		(void)format(options->warnings + used, room, "command line: %s\n", text);
}

/* The start of a word as it may be printed: what is not printable ASCII becomes '?'. */
static const char *shown(const char *word, size_t length, char buffer[SHOWN_BYTES])
{
	size_t count = MIN(length, (size_t)SHOWN_BYTES - 4);

	for (size_t i = 0; i < count; i++)
		buffer[i] = word[i] >= ' ' && word[i] <= '~' ? word[i] : '?';
	(void)string_copy(buffer + count, count < length ? "..." : "", 4);
	return buffer;
}

/* The length of the word at the start of a line, quotes and all. */
static size_t word_length(const char *line, size_t line_bytes)
{
	char quote = '\0';
	size_t i;

	for (i = 0; i < line_bytes && line[i] != '\0'; i++) {
		char c = line[i];

		if (quote == '\0' && strchr(" \t\r\n", c))
			break;
		if (c == '\\' && quote != '\'' && i + 1 < line_bytes && line[i + 1] != '\0')
			i++;
		else if (c == quote)
			quote = '\0';
		else if (quote == '\0' && (c == '"' || c == '\''))
			quote = c;
	}
	return i;
}

/* One KEY=VALUE, unquoted. */
static void word_apply(struct options *options, char *word, uint32_t *seen)
{
	char buffer[SHOWN_BYTES];
	char *value = strchr(word, '=');

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct key *key = &keys[i];
		size_t length = strlen(key->name);

		if (!value || (size_t)(value - word) != length ||
		    strncmp(word, key->name, length) != 0)
			continue;
		if (*seen & 1u << i)
			options_warn(options, "%s= is given again: the last good one counts",
				     key->name);
		*seen |= 1u << i;
		if (key->set(options, value + 1) != 0)
			options_warn(options, "%s is ignored: %s is wanted",
				     shown(word, strlen(word), buffer), key->wanted);
		return;
	}
	options_warn(options, "%s is ignored: there is no such key",
		     shown(word, strlen(word), buffer));
}

/* A word as it stands in the line. */
static void word_read(struct options *options, const char *line, size_t length, uint32_t *seen)
{
	char buffer[SHOWN_BYTES];
	char word[WORD_BYTES];
	char *words[1];

	if (length >= sizeof(word)) {
		options_warn(options, "%s is ignored: it is too long", shown(line, length, buffer));
		return;
	}
	memcpy(word, line, length);
	word[length] = '\0';
	if (words_split(word, words, 1) == 1)
		word_apply(options, words[0], seen);
	else
		options_warn(options, "%s is ignored: its quotes do not end",
			     shown(line, length, buffer));
}

void options_parse(struct options *options, const char *line, size_t line_bytes)
{
	uint32_t seen = 0;
	size_t at = 0;

	memset(options, 0, sizeof(*options));
	options->cpus = CPU_MAX;
	options->frames = UINT64_MAX;
	options->neighbours = NEIGHBOURS_MAX;
	options->swap_bytes = OPTIONS_SWAP_DEFAULT;
	if (!line)
		return;
	while (at < line_bytes && line[at] != '\0') {
		size_t length = word_length(line + at, line_bytes - at);

		if (length > 0)
			word_read(options, line + at, length, &seen);
		at += length > 0 ? length : 1;
	}
}
