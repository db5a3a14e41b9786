/*
 * test_parse.c: lib/number.h, lib/words.h and lib/glob.h.
 */
#include "lib/errno.h"
#include "lib/glob.h"
#include "lib/number.h"
#include "lib/string.h"
#include "lib/words.h"
#include "tests/host/host_test.h"

struct number_case {
	const char *text;
	int64_t value;
	int plain; /* results of number_parse, number_parse_size over all of 64 bits */
	int size;
};

static const struct number_case number_cases[] = {
	{"0", 0, 0, 0},
	{"-0", 0, 0, 0},
	{"007", 7, 0, 0},
	{"42", 42, 0, 0},
	{"-42", -42, 0, 0},
	{"0x2a", 42, 0, 0},
	{"0xFf", 255, 0, 0},
	{"9223372036854775807", INT64_MAX, 0, 0},
	{"-9223372036854775808", INT64_MIN, 0, 0},
	{"0x7fffffffffffffff", INT64_MAX, 0, 0},
	{"9223372036854775808", 0, -ERANGE, -ERANGE},
	{"-9223372036854775809", 0, -ERANGE, -ERANGE},
	{"18446744073709551616", 0, -ERANGE, -ERANGE},
	{"99999999999999999999", 0, -ERANGE, -ERANGE},
	{"0x10000000000000000", 0, -ERANGE, -ERANGE},
	{"0xffffffffffffffffffffffffff", 0, -ERANGE, -ERANGE},
	{"4K", 4096, -EINVAL, 0},
	{"4k", 4096, -EINVAL, 0},
	{"-4M", -(4 << 20), -EINVAL, 0},
	{"0x10K", 16384, -EINVAL, 0},
	{"3g", 3ll << 30, -EINVAL, 0},
	{"8589934591G", INT64_MAX - (1 << 30) + 1, -EINVAL, 0},
	{"8589934592G", 0, -EINVAL, -ERANGE},
	{"-8589934592G", INT64_MIN, -EINVAL, 0},
	{"99999999999999999999K", 0, -EINVAL, -ERANGE},
	{"99999999999999999999x", 0, -EINVAL, -EINVAL},
	{"", 0, -EINVAL, -EINVAL},
	{"-", 0, -EINVAL, -EINVAL},
	{"+1", 0, -EINVAL, -EINVAL},
	{"--1", 0, -EINVAL, -EINVAL},
	{"0x", 0, -EINVAL, -EINVAL},
	{"-0x1", 0, -EINVAL, -EINVAL},
	{"0xg", 0, -EINVAL, -EINVAL},
	{"x1", 0, -EINVAL, -EINVAL},
	{"1 ", 0, -EINVAL, -EINVAL},
	{" 1", 0, -EINVAL, -EINVAL},
	{"1a", 0, -EINVAL, -EINVAL},
	{"1.5", 0, -EINVAL, -EINVAL},
	{"K", 0, -EINVAL, -EINVAL},
	{"1KK", 0, -EINVAL, -EINVAL},
	{"1KB", 0, -EINVAL, -EINVAL},
	{"1T", 0, -EINVAL, -EINVAL},
	{NULL, 0, -EINVAL, -EINVAL},
};

TEST(number, cases)
{
	for (size_t i = 0; i < ARRAY_SIZE(number_cases); i++) {
		const struct number_case *c = &number_cases[i];
		int64_t value = 77;

		CHECK_EQUAL(c->plain, number_parse(c->text, INT64_MIN, INT64_MAX, &value));
		CHECK_EQUAL(c->plain == 0 ? c->value : 77, value);
		value = 77;
		CHECK_EQUAL(c->size, number_parse_size(c->text, INT64_MIN, INT64_MAX, &value));
		CHECK_EQUAL(c->size == 0 ? c->value : 77, value);
	}
}

TEST(number, limits)
{
	int64_t value;

	CHECK_EQUAL(0, number_parse("1", 1, 8, &value));
	CHECK_EQUAL(0, number_parse("8", 1, 8, &value));
	CHECK_EQUAL(-ERANGE, number_parse("0", 1, 8, &value));
	CHECK_EQUAL(-ERANGE, number_parse("9", 1, 8, &value));
	CHECK_EQUAL(-ERANGE, number_parse("-1", 0, 8, &value));
	CHECK_EQUAL(-ERANGE, number_parse_size("1K", 0, 1023, &value));
	CHECK_EQUAL(8, value);
}

TEST(number, u64)
{
	uint64_t value = 77;

	CHECK_EQUAL(0, number_parse_u64("0xffffffffffffffff", &value));
	CHECK_EQUAL(UINT64_MAX, value);
	CHECK_EQUAL(0, number_parse_u64("18446744073709551615", &value));
	CHECK_EQUAL(UINT64_MAX, value);
	CHECK_EQUAL(-ERANGE, number_parse_u64("18446744073709551616", &value));
	CHECK_EQUAL(-ERANGE, number_parse_u64("0x10000000000000000", &value));
	CHECK_EQUAL(-ERANGE, number_parse_u64("-1", &value));
	CHECK_EQUAL(-EINVAL, number_parse_u64("1K", &value));
	CHECK_EQUAL(-EINVAL, number_parse_u64(NULL, &value));
	CHECK_EQUAL(UINT64_MAX, value);
}

/* Splits a copy of the line and joins the words by '|'; negative errors are told as text. */
static const char *split(const char *line, unsigned max)
{
	static char joined[200];
	char copy[200];
	char *words[8] = {NULL};
	int count;

	string_copy(copy, line, sizeof(copy));
	count = words_split(copy, words, max);
	if (count < 0)
		return errno_name(count);
	joined[0] = '\0';
	for (int i = 0; i < count; i++) {
		size_t length = strlen(joined);

		length += string_copy(joined + length, words[i], sizeof(joined) - length);
		string_copy(joined + length, "|", sizeof(joined) - length);
	}
	return joined;
}

TEST(words, split)
{
	CHECK_TEXT("", split("", 8));
	CHECK_TEXT("", split(" \t\r\n", 8));
	CHECK_TEXT("a|", split("a", 8));
	CHECK_TEXT("a|bc|d|", split("  a bc\td\r\n", 8));
	CHECK_TEXT("run=demo 3|cpus=2|", split("run=\"demo 3\" cpus=2", 8));
	CHECK_TEXT("a  b|", split("'a  b'", 8));
	CHECK_TEXT("ab|", split("a\"\"'b'", 8));
	CHECK_TEXT("||x|", split("\"\" '' x", 8));
	CHECK_TEXT("a b|c|", split("a\\ b c", 8));
	CHECK_TEXT("\\|\"|'|", split("\\\\ \\\" \\'", 8));
	CHECK_TEXT("a\"b\\c\\d|", split("\"a\\\"b\\\\c\\d\"", 8));
	CHECK_TEXT("a\\b\"|", split("'a\\b\"'", 8));
	CHECK_TEXT("it's|", split("\"it's\"", 8));
	CHECK_TEXT("a|b|", split("a b", 2));
	CHECK_TEXT("E2BIG", split("a b c", 2));
	CHECK_TEXT("E2BIG", split("a", 0));
	CHECK_TEXT("", split(" ", 0));
	CHECK_TEXT("EINVAL", split("\"a", 8));
	CHECK_TEXT("EINVAL", split("a'", 8));
	CHECK_TEXT("EINVAL", split("a\\", 8));
	CHECK_TEXT("EINVAL", split("\"a\\\"", 8));
	CHECK_TEXT("EINVAL", split("\"a\\", 8));
}

TEST(words, next)
{
	char line[] = "  as 3\tcopyto  it's \"as\\typed\"  ";
	char *rest = line;

	CHECK_TEXT("as", word_next(&rest));
	CHECK_TEXT("3", word_next(&rest));
	CHECK_TEXT("copyto", word_next(&rest));
	CHECK_TEXT("it's \"as\\typed\"  ", rest);
	CHECK_TEXT("it's", word_next(&rest));
	CHECK_TEXT("\"as\\typed\"", word_next(&rest));
	CHECK(word_next(&rest) == NULL);
	CHECK(word_next(&rest) == NULL);
	CHECK_TEXT("", rest);
}

/* Whatever the bytes, the words lie inside the line and no more than max are set. */
TEST(words, random_bytes)
{
	static const char alphabet[] = "ab \t'\"\\$=\x80";
	struct random random;

	host_random(&random);
	for (unsigned i = 0; i < 50000; i++) {
		char line[24];
		char *words[5] = {NULL};
		size_t length = random_below(&random, sizeof(line));
		int count;

		for (size_t j = 0; j < length; j++)
			line[j] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
		line[length] = '\0';
		count = words_split(line, words, 4);
		CHECK(count <= 4);
		CHECK(words[4] == NULL);
		for (int j = 0; j < count; j++) {
			CHECK(words[j] >= line);
			CHECK(words[j] + strlen(words[j]) <= line + length);
			CHECK(j == 0 || words[j] > words[j - 1] + strlen(words[j - 1]));
		}
	}
}

TEST(glob, cases)
{
	CHECK(glob_match("", ""));
	CHECK(!glob_match("", "a"));
	CHECK(glob_match("*", ""));
	CHECK(glob_match("*", "anything"));
	CHECK(glob_match("swap.*", "swap.slot_twice"));
	CHECK(!glob_match("swap.*", "swapx"));
	CHECK(glob_match("*a*b*c*", "xxaxbxbxcx"));
	CHECK(!glob_match("*a*b*c", "xxaxbxcxb"));
	CHECK(glob_match("?b?", "abc"));
	CHECK(!glob_match("?", ""));
	CHECK(glob_match("[abc]x", "bx"));
	CHECK(!glob_match("[abc]x", "dx"));
	CHECK(glob_match("[a-f][!0-9]", "cz"));
	CHECK(!glob_match("[a-f][!0-9]", "c7"));
	CHECK(glob_match("[]]", "]"));
	CHECK(glob_match("[a-]", "-"));
	CHECK(glob_match("[ab", "[ab"));
	CHECK(glob_match("[", "["));
	CHECK(glob_match("[!", "[!"));
	CHECK(!glob_match("[ab]", ""));
}

static bool glob_naive(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern == '*')
		return glob_naive(pattern + 1, text) ||
		       (*text != '\0' && glob_naive(pattern, text + 1));
	return *text != '\0' && (*pattern == '?' || *pattern == *text) &&
	       glob_naive(pattern + 1, text + 1);
}

TEST(glob, as_by_recursion)
{
	struct random random;

	host_random(&random);
	for (unsigned i = 0; i < 50000; i++) {
		char pattern[8] = "", text[10] = "";

		for (size_t j = random_below(&random, sizeof(pattern)); j-- > 0;)
			pattern[j] = "ab*?"[random_below(&random, 4)];
		for (size_t j = random_below(&random, sizeof(text)); j-- > 0;)
			text[j] = "ab"[random_below(&random, 2)];
		if (!CHECK_EQUAL(glob_naive(pattern, text), glob_match(pattern, text)))
			CHECK_TEXT(pattern, text);
	}
}
