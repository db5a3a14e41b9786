/*
 * test_script.c: kernel/monitor/script.h and kernel/monitor/variable.h.
 */
#include "kernel/monitor/script.h"

#include "kernel/monitor/variable.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "tests/host/host_test.h"

static struct script script;

static const char *text_of(const struct script_line *line)
{
	static char text[64];

	memcpy(text, line->text, line->count);
	text[line->count] = '\0';
	return text;
}

TEST(script, lines)
{
	static const char data[] = "one\n\n# two\r\n  # three\n \t\nfour\r\n^D\nlast";
	static const char *const lines[] = { "one", "", "# two", "  # three", " \t", "four", "^D",
					     "last" };
	struct script_line line;

	script_open(&script, data, sizeof(data) - 1);
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		CHECK(script_next(&script, &line));
		CHECK_TEXT(lines[i], text_of(&line));
		CHECK_EQUAL(i == 6, script_is_end(&line));
	}
	CHECK(!script_next(&script, &line));
	CHECK(!script_next(&script, &line));

	script_open(&script, data, sizeof(data) - 1);
	CHECK(script_next_command(&script, &line));
	CHECK_TEXT("one", text_of(&line));
	CHECK(script_next_command(&script, &line));
	CHECK_TEXT("four", text_of(&line));
}

TEST(script, no_lines)
{
	struct script_line line;

	script_open(&script, "", 0);
	CHECK(!script_next(&script, &line));
	script_open(&script, "\n", 1);
	CHECK(script_next(&script, &line));
	CHECK_EQUAL(0, line.count);
	CHECK(!script_next(&script, &line));
	script_open(&script, "\n#\n\n", 4);
	CHECK(!script_next_command(&script, &line));
}

struct expand_case {
	const char *line;
	const char *expanded; /* NULL: -EINVAL */
};

TEST(variable, expand)
{
	static const struct expand_case cases[] = {
		{ "", "" },
		{ "as 1 load 5", "as 1 load 5" },
		{ "as $w load $a", "as 12 load 0x0000002d00000000" },
		{ "load $a+8", "load 0x2d00000008" },
		{ "load $a+0x10 x", "load 0x2d00000010 x" },
		{ "load $a+4K", "load 0x2d00001000" },
		{ "load $w+-2", "load 0xa" },
		{ "$w+", "12+" },
		{ "$w+ 1", "12+ 1" },
		{ "$w$w", "1212" },
		{ "$?", "0" },
		{ "$ $5 a$", "$ $5 a$" },
		{ "$nobody", NULL },
		{ "$ok+1", NULL },
		{ "$w+12q", NULL },
		{ "$w+-13", NULL },
		{ "$max+1", NULL },
		{ "$wx", NULL },
	};
	char expanded[64];
	const char *problem;

	CHECK_EQUAL(0, variable_set("w", 1, "12"));
	CHECK_EQUAL(0, variable_set("a", 1, "0x0000002d00000000"));
	CHECK_EQUAL(0, variable_set("ok", 2, "ok"));
	CHECK_EQUAL(0, variable_set("max", 3, "0xffffffffffffffff"));
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		int error = variable_expand(cases[i].line, expanded, sizeof(expanded), &problem);

		CHECK_EQUAL(cases[i].expanded ? 0 : -EINVAL, error);
		if (cases[i].expanded)
			CHECK_TEXT(cases[i].expanded, expanded);
	}
	CHECK_EQUAL(-E2BIG, variable_expand("12345", expanded, 5, &problem));
	CHECK_EQUAL(0, variable_expand("1234", expanded, 5, &problem));
}

TEST(variable, set_and_unset)
{
	char expanded[64];
	const char *problem;
	char long_value[2 * VARIABLE_VALUE_BYTES];

	CHECK_EQUAL(0, variable_set("x rest", 1, "1"));
	CHECK_EQUAL(0, variable_expand("$x", expanded, sizeof(expanded), &problem));
	CHECK_TEXT("1", expanded);
	variable_unset("x", 1);
	CHECK_EQUAL(-EINVAL, variable_expand("$x", expanded, sizeof(expanded), &problem));
	memset(long_value, 'v', sizeof(long_value));
	long_value[sizeof(long_value) - 1] = '\0';
	CHECK_EQUAL(-E2BIG, variable_set("x", 1, long_value));
	CHECK_EQUAL(-EINVAL, variable_expand("$x", expanded, sizeof(expanded), &problem));
	CHECK_EQUAL(-E2BIG, variable_set(long_value, VARIABLE_NAME_BYTES, "1"));
	variable_set_status(-7);
	CHECK_EQUAL(0, variable_expand("$?", expanded, sizeof(expanded), &problem));
	CHECK_TEXT("-7", expanded);
	variable_set_status(0);
	for (unsigned i = 0; i < VARIABLE_MAX; i++) {
		char name[] = { 'n', (char)('a' + i % 16), (char)('a' + i / 16), '\0' };
		int error = variable_set(name, 3, "1");

		if (error != 0) {
			CHECK_EQUAL(-ENOSPC, error);
			return;
		}
	}
	CHECK(!"the table is never full");
}
