/*
 * test_format.c: lib/format.h, by cases and beside the C library's snprintf.
 */
#include <stdio.h>

#include "lib/format.h"
#include "lib/string.h"
#include "tests/host/host_test.h"

#define CHECK_FORMAT(expected, ...)                                        \
	do {                                                               \
		char text_[200];                                           \
		int length_ = format(text_, sizeof(text_), __VA_ARGS__);   \
                                                                           \
		CHECK_TEXT(expected, text_);                               \
		CHECK_EQUAL(strlen(expected), length_);                    \
	} while (0)

TEST(format, text)
{
	CHECK_FORMAT("", "%s", "");
	CHECK_FORMAT("plain", "plain");
	CHECK_FORMAT("a b", "%s %s", "a", "b");
	CHECK_FORMAT("[ab]", "[%.*s]", 2, "abc");
	CHECK_FORMAT("[abc]", "[%.*s]", -1, "abc");
	CHECK_FORMAT("[]", "[%.0s]", "abc");
	CHECK_FORMAT("[abc                 ]", "[%-20s]", "abc");
	CHECK_FORMAT("[   abc]", "[%6s]", "abc");
	CHECK_FORMAT("[abc   ]", "[%*s]", -6, "abc");
	CHECK_FORMAT("[  ab]", "[%4.2s]", "abc");
	CHECK_FORMAT("x  y", "%c%3c", 'x', 'y');
	CHECK_FORMAT("100%", "%d%%", 100);
}

TEST(format, numbers)
{
	CHECK_FORMAT("0 -1 2147483647 -2147483648", "%d %d %i %d", 0, -1, INT32_MAX, INT32_MIN);
	CHECK_FORMAT("-9223372036854775808", "%ld", INT64_MIN);
	CHECK_FORMAT("18446744073709551615", "%lu", UINT64_MAX);
	CHECK_FORMAT("ffffffffffffffff FF", "%llx %X", ~0ull, 255u);
	CHECK_FORMAT("1777777777777777777777", "%lo", UINT64_MAX);
	CHECK_FORMAT("-1 255 -1 65535", "%hhd %hhu %hd %hu", (signed char)-1, (unsigned char)255,
		     (short)-1, (unsigned short)65535);
	CHECK_FORMAT("00042 -0042 +7", "%05d %05d %+d", 42, -42, 7);
	CHECK_FORMAT("42   |  42|0x2a", "%-5d|%4u|%#x", 42, 42u, 42u);
	CHECK_FORMAT("12", "%zu", (size_t)12);
	CHECK_FORMAT("0x00000000deadbeef", "0x%016lx", 0xdeadbeeful);
	CHECK_FORMAT("0x00000000deadbeef", "%p", (void *)0xdeadbeef);
	CHECK_FORMAT("0x0000000000000000", "%p", NULL);
}

static int format_any(char *buffer, size_t size_bytes, const char *fmt, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = format_v(buffer, size_bytes, fmt, arguments);
	va_end(arguments);
	return length;
}

TEST(format, unknown_conversion_is_copied)
{
	char text[40];

	CHECK_EQUAL(6, format_any(text, sizeof(text), "a%5qb%", 1));
	CHECK_TEXT("a%5qb%", text);
	CHECK_EQUAL(4, format_any(text, sizeof(text), "%n%l"));
	CHECK_TEXT("%n%l", text);
	CHECK_EQUAL(6, format_any(text, sizeof(text), "%s", NULL));
	CHECK_TEXT("(null)", text);
}

TEST(format, cut)
{
	char text[8] = "#######";

	CHECK_EQUAL(10, format(text, 4, "%d", 1234567890));
	CHECK_TEXT("123", text);
	CHECK_EQUAL('#', text[4]);
	CHECK_EQUAL(3, format(text, 1, "abc"));
	CHECK_TEXT("", text);
	CHECK_EQUAL(3, format(text, 4, "abc"));
	CHECK_TEXT("abc", text);
	CHECK_EQUAL(300, format(NULL, 0, "%300d", 5));
}

static char pick(struct random *random, const char *from)
{
	return from[random_below(random, strlen(from))];
}

/* A random integer conversion; flags that C calls undefined are left out. */
static void random_spec(struct random *random, char *spec)
{
	static const char *const lengths[] = {"", "l", "ll", "z", "h", "hh"};
	char conversion = pick(random, "diuxXo");
	char *at = spec;

	*at++ = '%';
	for (const char *flag = "-0+ #"; *flag != '\0'; flag++) {
		bool decimal = conversion == 'd' || conversion == 'i';

		if (*flag == '#' && (decimal || conversion == 'u'))
			continue;
		if ((*flag == '+' || *flag == ' ') && !decimal)
			continue;
		if (random_below(random, 3) == 0 && !(*flag == '0' && at[-1] == '-') &&
		    !(*flag == ' ' && at[-1] == '+'))
			*at++ = *flag;
	}
	if (random_below(random, 2) == 0)
		at += sprintf(at, "%u", (unsigned)random_below(random, 30) + 1);
	if (random_below(random, 3) == 0)
		at += sprintf(at, ".%u", (unsigned)random_below(random, 30));
	at += sprintf(at, "%s", lengths[random_below(random, ARRAY_SIZE(lengths))]);
	*at++ = conversion;
	*at = '\0';
}

TEST(format, as_the_c_library)
{
	struct random random;

	host_random(&random);
	for (unsigned i = 0; i < 100000; i++) {
		char spec[40], expected[80], observed[80];
		uint64_t value = random_next(&random) >> random_below(&random, 64);
		size_t size_bytes = random_below(&random, sizeof(expected)) + 1;
		int expected_length, observed_length;

		if (random_below(&random, 2) == 0)
			value = -value;
		random_spec(&random, spec);
		if (strchr(spec, 'l') != NULL || strchr(spec, 'z') != NULL) {
			expected_length = snprintf(expected, size_bytes, spec, value);
			observed_length = format_any(observed, size_bytes, spec, value);
		} else {
			expected_length = snprintf(expected, size_bytes, spec, (int)value);
			observed_length = format_any(observed, size_bytes, spec, (int)value);
		}
		if (!CHECK_TEXT(expected, observed) ||
		    !CHECK_EQUAL(expected_length, observed_length)) {
			printf("# %s of %lld\n", spec, (long long)value);
			break;
		}
	}
}
