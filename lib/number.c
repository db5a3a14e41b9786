/*
 * number.c: see number.h. All three read a sign and a 64-bit magnitude that
 * remembers whether it overflowed: what is malformed is told before what is
 * out of range.
 */
#include "lib/number.h"

#include "lib/errno.h"

struct magnitude {
	uint64_t value;
	bool negative;
	bool overflow;
};

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

static unsigned suffix_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return 0;
	}
}

static void magnitude_multiply_add(struct magnitude *number, uint64_t factor, uint64_t term)
{
	uint64_t product;

	number->overflow |= __builtin_mul_overflow(number->value, factor, &product);
	number->overflow |= __builtin_add_overflow(product, term, &number->value);
}

enum suffix { SUFFIX_NONE, SUFFIX_ALLOWED };

static int magnitude_read(struct magnitude *number, const char *text, enum suffix suffix)
{
	unsigned base = 10;
	unsigned digit_count = 0;

	*number = (struct magnitude){0};
	if (text == NULL)
		return -EINVAL;
	if (text[0] == '-') {
		number->negative = true;
		text++;
	} else if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	for (; digit_value(*text) < base; text++, digit_count++)
		magnitude_multiply_add(number, base, digit_value(*text));
	if (digit_count == 0)
		return -EINVAL;
	if (suffix == SUFFIX_ALLOWED && suffix_shift(*text) != 0)
		magnitude_multiply_add(number, 1ull << suffix_shift(*text++), 0);
	return *text == '\0' ? 0 : -EINVAL;
}

static int signed_parse(const char *text, enum suffix suffix, int64_t min, int64_t max,
			int64_t *value)
{
	struct magnitude number;
	uint64_t limit;
	int64_t result;
	int error = magnitude_read(&number, text, suffix);

	if (error != 0)
		return error;
	limit = number.negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	if (number.overflow || number.value > limit)
		return -ERANGE;
	result = (int64_t)(number.negative ? -number.value : number.value);
	if (result < min || result > max)
		return -ERANGE;
	*value = result;
	return 0;
}

int number_parse(const char *text, int64_t min, int64_t max, int64_t *value)
{
	return signed_parse(text, SUFFIX_NONE, min, max, value);
}

int number_parse_size(const char *text, int64_t min, int64_t max, int64_t *value)
{
	return signed_parse(text, SUFFIX_ALLOWED, min, max, value);
}

int number_parse_u64(const char *text, uint64_t *value)
{
	struct magnitude number;
	int error = magnitude_read(&number, text, SUFFIX_NONE);

	if (error != 0)
		return error;
	if (number.overflow || (number.negative && number.value != 0))
		return -ERANGE;
	*value = number.value;
	return 0;
}
