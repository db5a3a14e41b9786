/*
 * replay_trace.c: see replay_trace.h.
 *
 * replay_trace_open() looks for the line that decides the format and starts
 * over; replay_trace_next() takes lines until one holds a reference. A line is
 * read by a struct cursor that never goes beyond the data's end; what reads it is
 * inlined, so that the cursor stays in registers (a third of the time).
 *
 * 1. trace->offset is at the beginning of a line (or at the end).
 * 2. trace->line counts the lines that were begun before trace->offset.
 * 3. After a problem, trace->offset stays at the line that has it.
 */
#include "kernel/programs/replay_trace.h"

#include "lib/errno.h"

struct cursor {
	const char *at;
	const char *end;
};

/* The character at the cursor, a LF at the data's end. */
ALWAYS_INLINE char peek(const struct cursor *cursor)
{
	return LIKELY(cursor->at < cursor->end) ? *cursor->at : '\n';
}

ALWAYS_INLINE void blanks_skip(struct cursor *cursor)
{
	while (peek(cursor) == ' ' || peek(cursor) == '\t' || peek(cursor) == '\r')
		cursor->at++;
}

/* To the first byte of the next line. */
static void line_skip(struct cursor *cursor)
{
	while (cursor->at < cursor->end && *cursor->at++ != '\n')
		;
}

/* Whether nothing but blanks is left of the line; the cursor is then behind it. */
ALWAYS_INLINE bool line_end(struct cursor *cursor)
{
	if (peek(cursor) != '\n')
		blanks_skip(cursor);
	if (peek(cursor) != '\n')
		return false;
	if (cursor->at < cursor->end)
		cursor->at++;
	return true;
}

/* One more than the digit's value, so that 0 is no digit. */
static const uint8_t digits_by_byte[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* The digit's value, or a number that no base has digits for. */
ALWAYS_INLINE uint32_t digit_value(char c)
{
	return digits_by_byte[(unsigned char)c] - 1u;
}

enum digits { DIGITS_NONE, DIGITS_READ, DIGITS_OVERFLOW };

ALWAYS_INLINE enum digits hexadecimal_read(struct cursor *cursor, uint64_t *value)
{
	const char *start = cursor->at, *significant;
	uint64_t sum = 0;
	uint32_t digit;

	while (peek(cursor) == '0')
		cursor->at++;
	significant = cursor->at;
	for (; cursor->at < cursor->end && (digit = digit_value(*cursor->at)) < 16; cursor->at++)
		sum = sum << 4 | digit;
	*value = sum;
	if (cursor->at == start)
		return DIGITS_NONE;
	return cursor->at - significant > 16 ? DIGITS_OVERFLOW : DIGITS_READ;
}

ALWAYS_INLINE enum digits decimal_read(struct cursor *cursor, uint64_t *value)
{
	const char *start = cursor->at;
	bool overflow = false;
	uint64_t sum = 0;
	uint32_t digit;

	for (; (digit = digit_value(peek(cursor))) < 10; cursor->at++) {
		overflow |= __builtin_mul_overflow(sum, 10, &sum);
		overflow |= __builtin_add_overflow(sum, digit, &sum);
	}
	*value = sum;
	return cursor->at == start ? DIGITS_NONE : overflow ? DIGITS_OVERFLOW : DIGITS_READ;
}

/* 'I', 'L', 'S' or 'M' if the line is lackey's, whole or cut short; else 0. */
ALWAYS_INLINE char lackey_kind(const struct cursor *line)
{
	struct cursor cursor = *line;
	char first = peek(&cursor), second;

	if (first != ' ' && first != 'I')
		return 0;
	cursor.at++;
	second = peek(&cursor);
	if (first == 'I') {
		if (second == '\n' || second == '\r')
			return 'I';
		if (second != ' ')
			return 0;
	} else if (second != 'L' && second != 'S' && second != 'M') {
		return 0;
	}
	cursor.at++;
	if (peek(&cursor) != ' ' && peek(&cursor) != '\n' && peek(&cursor) != '\r')
		return 0;
	return first == 'I' ? 'I' : second;
}

static int problem_set(struct replay_trace *trace, uint64_t line, const char *problem)
{
	trace->line = line;
	trace->problem = problem;
	return -EINVAL;
}

/* NULL and what the line says, the cursor behind it; or what is wrong with it. */
ALWAYS_INLINE const char *lackey_read(struct cursor *cursor, uint64_t *address,
				      uint64_t *size_bytes)
{
	enum digits digits;

	/* Behind the kind: "I  ", " L ". */
	for (unsigned i = 0; i < 3 && peek(cursor) != '\n'; i++)
		cursor->at++;
	digits = hexadecimal_read(cursor, address);
	if (digits == DIGITS_OVERFLOW)
		return "the address does not fit 64 bits";
	if (digits == DIGITS_NONE && !line_end(cursor))
		return "the address is not hexadecimal";
	if (digits == DIGITS_NONE)
		return "the line is cut short";
	if (peek(cursor) != ',')
		return line_end(cursor) ? "the line is cut short" :
					  "no comma follows the address";
	cursor->at++;
	digits = decimal_read(cursor, size_bytes);
	if (digits == DIGITS_NONE && line_end(cursor))
		return "the line is cut short";
	if (digits != DIGITS_READ || *size_bytes == 0 || *size_bytes > PAGE_SIZE)
		return "the size is not a number from 1 to 4096";
	if (*address + (*size_bytes - 1) < *address)
		return "the reference goes beyond the last address";
	return line_end(cursor) ? NULL : "something follows the size";
}

ALWAYS_INLINE const char *page_number_read(struct cursor *cursor, uint64_t *page)
{
	enum digits digits;

	if (peek(cursor) == '0' && cursor->end - cursor->at > 1 && cursor->at[1] == 'x') {
		cursor->at += 2;
		digits = hexadecimal_read(cursor, page);
	} else {
		digits = decimal_read(cursor, page);
	}
	if (digits == DIGITS_OVERFLOW)
		return "the page number does not fit 64 bits";
	if (digits == DIGITS_NONE || !line_end(cursor))
		return "this is no page number";
	return NULL;
}

static bool binary_byte(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte < 7 || (byte >= 14 && byte < 32 && byte != 27) || byte == 127;
}

static bool line_binary(struct cursor cursor)
{
	for (; peek(&cursor) != '\n'; cursor.at++)
		if (binary_byte(*cursor.at))
			return true;
	return false;
}

int replay_trace_open(struct replay_trace *trace, const char *data, size_t size_bytes)
{
	struct cursor cursor = {.at = data, .end = data + size_bytes};
	uint64_t line = 0, strange_line = 0;

	*trace = (struct replay_trace){.data = data, .size_bytes = size_bytes};
	if (size_bytes == 0)
		return problem_set(trace, 0, "the file is empty");
	for (; cursor.at < cursor.end; line_skip(&cursor)) {
		struct cursor start = cursor;

		line++;
		if (lackey_kind(&start) != 0 ||
		    (peek(&start) == '=' && start.end - start.at > 1 && start.at[1] == '=')) {
			trace->format = REPLAY_LACKEY;
			return 0;
		}
		if (line_binary(start))
			return problem_set(trace, line, "this is a binary file, not a trace");
		blanks_skip(&start);
		if (digit_value(peek(&start)) < 10) {
			trace->format = REPLAY_PAGE_NUMBERS;
			return 0;
		}
		if (peek(&start) != '#' && peek(&start) != '*' && peek(&start) != '\n' &&
		    strange_line == 0)
			strange_line = line;
	}
	if (strange_line != 0)
		return problem_set(trace, strange_line,
				   "this is neither a line of lackey nor a page number");
	return problem_set(trace, 0, "no reference is in it");
}

/* Reads the line at the cursor: 1 and a reference, 0 for a line to skip, -EINVAL. */
ALWAYS_INLINE int line_read(struct replay_trace *trace, struct cursor *cursor,
		     struct replay_reference *reference)
{
	uint64_t address = 0, size_bytes = 0;
	const char *problem;

	if (trace->format == REPLAY_LACKEY) {
		char kind = lackey_kind(cursor);

		if (kind == 0) {
			line_skip(cursor);
			return 0;
		}
		problem = lackey_read(cursor, &address, &size_bytes);
		if (UNLIKELY(problem != NULL))
			return problem_set(trace, trace->line, problem);
		reference->page = address / PAGE_SIZE;
		reference->store = kind == 'S' || kind == 'M';
		trace->second.page = (address + (size_bytes - 1)) / PAGE_SIZE;
		trace->second.store = reference->store;
		trace->second_waits = trace->second.page != reference->page;
		return 1;
	}
	blanks_skip(cursor);
	if (peek(cursor) == '#' || peek(cursor) == '*' || peek(cursor) == '\n') {
		line_skip(cursor);
		return 0;
	}
	problem = page_number_read(cursor, &reference->page);
	if (UNLIKELY(problem != NULL))
		return problem_set(trace, trace->line, problem);
	reference->store = false;
	return 1;
}

int replay_trace_next(struct replay_trace *trace, struct replay_reference *reference)
{
	struct cursor cursor = {.at = trace->data + trace->offset,
				.end = trace->data + trace->size_bytes};

	if (trace->problem != NULL)
		return -EINVAL;
	if (trace->second_waits) {
		*reference = trace->second;
		trace->second_waits = false;
		trace->reference_count++;
		return 1;
	}
	while (cursor.at < cursor.end) {
		int result;

		trace->line++;
		result = line_read(trace, &cursor, reference);
		if (result == 0)
			continue;
		if (result > 0) {
			trace->offset = (size_t)(cursor.at - trace->data);
			trace->reference_count++;
		}
		return result;
	}
	trace->offset = trace->size_bytes;
	if (trace->reference_count == 0)
		return problem_set(trace, 0, "no reference is in it");
	return 0;
}
