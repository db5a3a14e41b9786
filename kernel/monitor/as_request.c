/*
 * as_request.c: the grammar of `as`:
 *
 *	PID [of OTHER] COMMAND ARGUMENT... [&]
 *
 * Pure but for the error that is printed.
 */
#include "kernel/monitor/as_request.h"

#include "kernel/monitor/command.h"
#include "lib/string.h"
#include "lib/words.h"

struct verb {
	const char *name;
	const char *arguments;
	enum work_kind kind;
	bool of_other;   /* may follow `of OTHER` */
	/* Reads the arguments. 0 or a negative errno after command_fail(). */
	int (*parse)(struct work *work, char **words);
	unsigned count;  /* words; for copyto the last one is the rest of the line */
};

static int parse_size(struct work *work, char **words)
{
	return argument_size(words[0], "SIZE", INT32_MIN, INT32_MAX, &work->size);
}

static int parse_address(struct work *work, char **words)
{
	return argument_address(words[0], "ADDR", &work->address);
}

static int parse_store(struct work *work, char **words)
{
	int error = parse_address(work, words);

	return error != 0 ? error : argument_value(words[1], "VALUE", &work->value);
}

static int parse_range(struct work *work, char **words)
{
	int error = parse_address(work, words);

	if (error == 0)
		error = argument_size(words[1], "LEN", 0, INT64_MAX, &work->size);
	if (error == 0)
		error = argument_value(words[2], "SEED", &work->value);
	if (error == 0 && work->address + (uint64_t)work->size < work->address)
		error = command_fail(EINVAL, "ADDR + LEN is beyond 64 bits");
	return error;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One character of TEXT, at least one byte; moves *text behind it. -1 for a bad escape. */
static int text_byte(const char **text)
{
	const char *at = *text;
	int high, low;

	if (*at != '\\') {
		*text = at + 1;
		return (uint8_t)*at;
	}
	if (at[1] == '\\') {
		*text = at + 2;
		return '\\';
	}
	high = at[1] == 'x' ? digit_value(at[2]) : -1;
	low = high >= 0 ? digit_value(at[3]) : -1;
	*text = at + 4;
	return low >= 0 ? high << 4 | low : -1;
}

static int parse_copy_to(struct work *work, char **words)
{
	const char *text = words[1];
	int error = parse_address(work, words);

	if (error != 0)
		return error;
	work->byte_count = 0;
	while (*text != '\0') {
		int byte = text_byte(&text);

		if (byte < 0)
			return command_fail(EINVAL, "in TEXT a backslash begins \\\\ or \\xNN");
		work->bytes[work->byte_count++] = (char)byte; /* never more bytes than text */
	}
	return 0;
}

static int parse_copy_from(struct work *work, char **words)
{
	int error = parse_address(work, words);

	if (error != 0)
		return error;
	return argument_size(words[1], "LEN", INT32_MIN, INT32_MAX, &work->size);
}

static const struct verb verbs[] = {
	{ "malloc", "SIZE", WORK_MALLOC, true, parse_size, 1 },
	{ "free", "ADDR", WORK_FREE, true, parse_address, 1 },
	{ "store", "ADDR VALUE", WORK_STORE, false, parse_store, 2 },
	{ "load", "ADDR", WORK_LOAD, false, parse_address, 1 },
	{ "fill", "ADDR LEN SEED", WORK_FILL, false, parse_range, 3 },
	{ "verify", "ADDR LEN SEED", WORK_VERIFY, false, parse_range, 3 },
	{ "copyto", "ADDR TEXT", WORK_COPY_TO, true, parse_copy_to, 2 },
	{ "copyfrom", "ADDR LEN", WORK_COPY_FROM, true, parse_copy_from, 2 },
};

static const struct verb *verb_find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* Takes a last word `&` off the line; true if there was one. */
static bool take_ampersand(char *line)
{
	size_t length = strlen(line);

	while (length > 0 && line[length - 1] == ' ')
		length--;
	if (length < 2 || line[length - 1] != '&' || line[length - 2] != ' ')
		return false;
	length--;
	while (length > 0 && line[length - 1] == ' ')
		length--;
	line[length] = '\0';
	return true;
}

static int parse_arguments(struct work *work, const struct verb *verb, char *rest)
{
	char *words[3];
	unsigned count = 0;

	while (count < verb->count && *rest != '\0') {
		bool is_text = verb->kind == WORK_COPY_TO && count == 1;

		words[count++] = is_text ? rest : word_next(&rest);
		if (is_text)
			rest = "";
	}
	if (count < verb->count || *rest != '\0')
		return command_fail(EINVAL, "usage: as PID %s %s", verb->name, verb->arguments);
	return verb->parse(work, words);
}

int as_request_parse(struct work *work, char *line)
{
	const struct verb *verb;
	char *word;
	int error;

	work->other = 0;
	work->apart = take_ampersand(line);
	word = word_next(&line);
	if (!word)
		return command_fail(EINVAL, "usage: as PID [of OTHER] COMMAND [ARG...] [&]");
	error = argument_pid(word, &work->pid);
	if (error != 0)
		return error;
	word = word_next(&line);
	if (word && strcmp(word, "of") == 0) {
		word = word_next(&line);
		if (!word)
			return command_fail(EINVAL, "usage: as PID of OTHER COMMAND [ARG...]");
		error = argument_pid(word, &work->other);
		if (error != 0)
			return error;
		word = word_next(&line);
	}
	verb = word ? verb_find(word) : NULL;
	if (!verb)
		return command_fail(EINVAL, "as PID malloc, free, store, load, fill, verify, "
					    "copyto or copyfrom, not '%s'", word ? word : "");
	if (work->other != 0 && !verb->of_other)
		return command_fail(EINVAL, "`of OTHER` goes with malloc, free, copyto and "
					    "copyfrom");
	work->kind = verb->kind;
	return parse_arguments(work, verb, line);
}
