/*
 * test_options.c: kernel/options.h.
 */
#include "kernel/options.h"

#include "lib/string.h"
#include "tests/host/host_test.h"

static struct options options;

static void parse(const char *line)
{
	options_parse(&options, line, line ? strlen(line) : 0);
}

TEST(options, defaults)
{
	static const char *const lines[] = { NULL, "", "   ", " \t\n" };

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		parse(lines[i]);
		CHECK_EQUAL(CPU_MAX, options.cpus);
		CHECK(options.frames == UINT64_MAX);
		CHECK(options.swap_bytes == OPTIONS_SWAP_DEFAULT);
		CHECK_TEXT("", options.policy);
		CHECK_EQUAL(THEN_DEFAULT, options.then);
		CHECK_EQUAL(NEIGHBOURS_MAX, options.neighbours);
		CHECK_EQUAL(0, options.warning_count);
	}
}

TEST(options, all_keys)
{
	parse("cpus=3 frames=0x100 swap=96M policy=fifo seed=7 run=\"demo 'a b' \\\"c\\\"\" "
	      "script='my script' bug=drop-lock then=poweroff neighbours=4");
	CHECK_EQUAL(4, options.neighbours);
	CHECK_EQUAL(3, options.cpus);
	CHECK_EQUAL(256, options.frames);
	CHECK_EQUAL(96 << 20, options.swap_bytes);
	CHECK_TEXT("fifo", options.policy);
	CHECK_EQUAL(7, options.seed);
	CHECK_TEXT("demo 'a b' \"c\"", options.run);
	CHECK_TEXT("my script", options.script);
	CHECK_TEXT("drop-lock", options.bug);
	CHECK_EQUAL(THEN_POWEROFF, options.then);
	CHECK_EQUAL(0, options.warning_count);
	CHECK_TEXT("", options.warnings);
}

TEST(options, bad_ones_are_named)
{
	static const char *const lines[] = {
		"cpus=0", "cpus=999", "cpus=-1", "cpus=", "cpus=two", "frames=-1", "frames=0",
		"swap=99999999999999999999", "swap=1Q", "seed=x", "policy=", "script=", "run=",
		"neighbours=0", "neighbours=17", "then=dance", "frobnicate=1", "quiet", "=3",
		"run=\"no end", "seed=1\\",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		parse(lines[i]);
		CHECK_EQUAL(1, options.warning_count);
		if (!CHECK(strstr(options.warnings, lines[i]) != NULL))
			CHECK_TEXT(lines[i], options.warnings);
		CHECK_EQUAL(CPU_MAX, options.cpus);
		CHECK(options.frames == UINT64_MAX);
	}
}

TEST(options, duplicates)
{
	parse("seed=1 seed=2");
	CHECK_EQUAL(2, options.seed);
	CHECK_EQUAL(1, options.warning_count);
	CHECK(strstr(options.warnings, "seed=") != NULL);
	parse("cpus=2 cpus=999");
	CHECK_EQUAL(2, options.cpus);
	CHECK_EQUAL(2, options.warning_count);
}

TEST(options, bytes_outside_ascii)
{
	parse("s\xc3\xa9" "ed=1 \x01\x02 seed=5");
	CHECK_EQUAL(5, options.seed);
	CHECK_EQUAL(2, options.warning_count);
	for (const char *at = options.warnings; *at != '\0'; at++)
		CHECK(*at == '\n' || (*at >= ' ' && *at <= '~'));
}

TEST(options, long_lines)
{
	static char line[65536];
	size_t used = 0;

	memset(line, 'x', sizeof(line));
	memcpy(line + sizeof(line) - 8, " seed=9", 8);
	options_parse(&options, line, sizeof(line) - 1);
	CHECK_EQUAL(9, options.seed);
	CHECK_EQUAL(1, options.warning_count);

	while (used + 8 < sizeof(line)) {
		memcpy(line + used, "a=b ", 4);
		used += 4;
	}
	memcpy(line + used, "cpus=5", 7);
	parse(line);
	CHECK_EQUAL(5, options.cpus);
	CHECK_EQUAL(used / 4, options.warning_count);
	CHECK(strlen(options.warnings) < sizeof(options.warnings));
	CHECK(options.warnings[strlen(options.warnings) - 1] == '\n');

	/* Not ended by a NUL: the length counts. */
	memcpy(line, "seed=12", 7);
	options_parse(&options, line, 6);
	CHECK_EQUAL(1, options.seed);
}

TEST(options, random_bytes)
{
	static const char *const pieces[] = { "cpus=", "seed=", "run=", "\"", "'", "\\", " ", "=",
					      "1", "K", "\xff", "\n" };
	char line[256];
	struct random random;

	host_random(&random);
	for (unsigned i = 0; i < 20000; i++) {
		size_t used = 0;

		while (used < 240) {
			const char *piece = pieces[random_below(&random, ARRAY_SIZE(pieces))];

			memcpy(line + used, piece, strlen(piece));
			used += strlen(piece);
		}
		options_parse(&options, line, used);
		CHECK(options.cpus >= 1 && options.cpus <= CPU_MAX);
	}
}
