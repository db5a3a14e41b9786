/*
 * test_string.c: lib/string.h and lib/errno.h. Every length and alignment that
 * can take another path, beside a byte-by-byte answer.
 */
#include "lib/string.h"

#include "lib/errno.h"
#include "tests/host/host_test.h"

#define AREA 160

static void area_fill(unsigned char *area)
{
	for (unsigned i = 0; i < AREA; i++)
		area[i] = (unsigned char)(i * 7 + 1);
}

static unsigned differences(const unsigned char *a, const unsigned char *b)
{
	unsigned count = 0;

	for (unsigned i = 0; i < AREA; i++)
		count += a[i] != b[i];
	return count;
}

TEST(string, memcpy)
{
	for (unsigned to = 0; to < 9; to++) {
		for (unsigned from = 0; from < 9; from++) {
			for (unsigned length = 0; length < 80; length++) {
				unsigned char source[AREA], expected[AREA], observed[AREA] = {0};

				area_fill(source);
				for (unsigned i = 0; i < AREA; i++)
					expected[i] = i >= to && i < to + length ?
							      source[i - to + from] :
							      0;
				CHECK(memcpy(observed + to, source + from, length) ==
				      observed + to);
				CHECK_EQUAL(0, differences(expected, observed));
			}
		}
	}
}

TEST(string, memmove_overlapping)
{
	for (unsigned to = 0; to < 40; to++) {
		for (unsigned from = 0; from < 40; from++) {
			for (unsigned length = 0; length < 70; length += 1 + (length > 20) * 4) {
				unsigned char original[AREA], expected[AREA], observed[AREA];

				area_fill(original);
				area_fill(expected);
				area_fill(observed);
				for (unsigned i = 0; i < length; i++)
					expected[to + i] = original[from + i];
				CHECK(memmove(observed + to, observed + from, length) ==
				      observed + to);
				CHECK_EQUAL(0, differences(expected, observed));
			}
		}
	}
}

TEST(string, memset)
{
	for (unsigned to = 0; to < 9; to++) {
		for (unsigned length = 0; length < 80; length++) {
			unsigned char expected[AREA], observed[AREA];

			area_fill(expected);
			area_fill(observed);
			for (unsigned i = 0; i < length; i++)
				expected[to + i] = 0xa5;
			CHECK(memset(observed + to, 0x1a5, length) == observed + to);
			CHECK_EQUAL(0, differences(expected, observed));
		}
	}
}

TEST(string, memcmp)
{
	unsigned char a[AREA], b[AREA];

	for (unsigned at = 0; at < 40; at++) {
		area_fill(a);
		area_fill(b);
		CHECK_EQUAL(0, memcmp(a, b, AREA));
		b[at] ^= 0x80;
		CHECK_EQUAL(0, memcmp(a, b, at));
		CHECK((memcmp(a, b, AREA) < 0) == (a[at] < b[at]));
		CHECK((memcmp(a, b, at + 1) < 0) == (a[at] < b[at]));
		CHECK((memcmp(a + 1, b + 1, AREA - 1) == 0) == (at == 0));
	}
}

TEST(string, texts)
{
	char text[] = "banana";

	CHECK_EQUAL(0, strlen(""));
	CHECK_EQUAL(6, strlen(text));
	CHECK_EQUAL(0, strcmp("", ""));
	CHECK(strcmp("a", "b") < 0);
	CHECK(strcmp("ab", "a") > 0);
	CHECK(strcmp("\xff", "a") > 0);
	CHECK_EQUAL(0, strncmp("abc", "abd", 2));
	CHECK(strncmp("abc", "abd", 3) < 0);
	CHECK_EQUAL(0, strncmp("a", "b", 0));
	CHECK(strchr(text, 'n') == text + 2);
	CHECK(strrchr(text, 'n') == text + 4);
	CHECK(strchr(text, 'x') == NULL);
	CHECK(strrchr(text, 'x') == NULL);
	CHECK(strchr(text, '\0') == text + 6);
	CHECK(strrchr(text, '\0') == text + 6);
	CHECK(strstr(text, "nan") == text + 2);
	CHECK(strstr(text, "") == text);
	CHECK(strstr(text, "nab") == NULL);
	CHECK(strstr(text, "bananas") == NULL);
}

TEST(string, string_copy)
{
	char to[5] = "####";

	CHECK_EQUAL(3, string_copy(to, "abc", 0));
	CHECK_TEXT("####", to);
	CHECK_EQUAL(3, string_copy(to, "abc", 1));
	CHECK_TEXT("", to);
	CHECK_EQUAL(3, string_copy(to, "abc", sizeof(to)));
	CHECK_TEXT("abc", to);
	CHECK_EQUAL(6, string_copy(to, "abcdef", sizeof(to)));
	CHECK_TEXT("abcd", to);
}

TEST(errno, names)
{
	CHECK_TEXT("ENOMEM", errno_name(ENOMEM));
	CHECK_TEXT("ENOMEM", errno_name(-ENOMEM));
	CHECK_TEXT("ETIMEDOUT", errno_name(ETIMEDOUT));
	CHECK_TEXT("E?", errno_name(0));
	CHECK_TEXT("E?", errno_name(INT32_MIN));
	CHECK_TEXT("not enough memory is left to promise", errno_text(-ENOMEM));
	CHECK_TEXT("unknown error", errno_text(9999));
}
