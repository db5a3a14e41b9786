/*
 * test_replay_trace.c: kernel/programs/replay_trace.h: both formats, what is not
 * one, and bytes that nobody meant as a trace.
 */
#include "kernel/programs/replay_trace.h"

#include <stdlib.h>

#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "tests/host/host_test.h"

/*
 * All references as text, "4 5! " (! is a store), then "end" or the problem with
 * its line. The trace is read from a block of exactly its size.
 */
static const char *trace_read_bytes(const char *data, size_t size_bytes)
{
	static char text[600];
	struct replay_trace trace;
	struct replay_reference reference;
	char *copy = malloc(size_bytes + 1);
	size_t at = 0;
	int result;

	for (size_t i = 0; i < size_bytes; i++)
		copy[i + 1] = data[i];
	text[0] = '\0';
	result = replay_trace_open(&trace, copy + 1, size_bytes);
	while (result == 0 && (result = replay_trace_next(&trace, &reference)) > 0) {
		if (at < sizeof(text) - 100)
			at += (size_t)format(text + at, sizeof(text) - at, "%lx%s ", reference.page,
					     reference.store ? "!" : "");
		result = 0;
		if (trace.reference_count > size_bytes)
			break;
		continue;
	}
	if (trace.problem == NULL) {
		format(text + at, sizeof(text) - at, "end");
		CHECK_EQUAL(0, result);
		CHECK_EQUAL(0, replay_trace_next(&trace, &reference));
	} else {
		format(text + at, sizeof(text) - at, "line %lu: %s", trace.line, trace.problem);
		CHECK_EQUAL(-EINVAL, result);
		CHECK_EQUAL(-EINVAL, replay_trace_next(&trace, &reference));
	}
	free(copy);
	return text;
}

static const char *trace_read(const char *data)
{
	return trace_read_bytes(data, strlen(data));
}

TEST(replay_trace, lackey)
{
	CHECK_TEXT("401a 401 1ffeffe 1ffeffd! 1ffeffd! end",
		   trace_read("==12== Lackey\n"
			      "I  0401a000,3\n"
			      " L 401abc,8\n"
			      "\n"
			      "what the program printed\n"
			      "I  1ffeffe010,15\n"
			      " S 1ffeffdff8,8\n"
			      " M 1FFEFFDFFF,1\n"
			      "==12== Counted 1 call\n"));
}

TEST(replay_trace, lackey_two_pages)
{
	CHECK_TEXT("1 2 2! 3! 3 4 end",
		   trace_read("I  1ffe,4\n S 2fff,2\n L 3001,4096\n"));
	CHECK_TEXT("1 1 end", trace_read("I  1ffe,2\n L 1000,4096\n"));
}

TEST(replay_trace, lackey_extremes)
{
	CHECK_TEXT("fffffffffffff 0 end", trace_read(" L ffffffffffffffff,1\n L 0,1\n"));
	CHECK_TEXT("0 end", trace_read(" L 0000000000000000000fff,1"));
	CHECK_TEXT("line 1: the reference goes beyond the last address",
		   trace_read(" L ffffffffffffffff,2\n"));
	CHECK_TEXT("1 line 2: the address does not fit 64 bits",
		   trace_read(" L 1000,1\n L 10000000000000000,1\n"));
}

TEST(replay_trace, lackey_unreadable)
{
	CHECK_TEXT("1 line 2: the line is cut short", trace_read("I  1000,4\n L"));
	CHECK_TEXT("1 line 2: the line is cut short", trace_read("I  1000,4\n L \n"));
	CHECK_TEXT("1 line 2: the line is cut short", trace_read("I  1000,4\r\nI\r\n"));
	CHECK_TEXT("1 line 2: the line is cut short", trace_read("I  1000,4\nI  "));
	CHECK_TEXT("1 line 2: the line is cut short", trace_read("I  1000,4\nI  04"));
	CHECK_TEXT("1 line 2: the line is cut short", trace_read("I  1000,4\nI  04,\n"));
	CHECK_TEXT("line 1: the address is not hexadecimal", trace_read(" S xyz,4\n"));
	CHECK_TEXT("line 1: no comma follows the address", trace_read(" S 12 4\n"));
	CHECK_TEXT("line 1: something follows the size", trace_read(" S 12,4x\n"));
	CHECK_TEXT("line 1: the size is not a number from 1 to 4096", trace_read(" S 12,0\n"));
	CHECK_TEXT("line 1: the size is not a number from 1 to 4096", trace_read(" S 12,4097\n"));
	CHECK_TEXT("line 1: the size is not a number from 1 to 4096", trace_read(" S 12,-4\n"));
	CHECK_TEXT("line 1: the size is not a number from 1 to 4096",
		   trace_read(" S 12,99999999999999999999999\n"));
	CHECK_TEXT("line 0: no reference is in it", trace_read("==1== Lackey\n==1==\n"));
}

TEST(replay_trace, page_numbers)
{
	CHECK_TEXT("1 2 a 10 ffffffffffffffff ffffffffffffffff end",
		   trace_read("# a string\n1\n2\n\n* note\n 10 \n0x10\n18446744073709551615\n"
			      "0xffffffffffffffff"));
	CHECK_TEXT("7 0 end", trace_read("7\r\n\r\n# x\r\n0\r\n"));
	CHECK_TEXT("0 end", trace_read("0"));
	CHECK_TEXT("7 line 2: this is no page number", trace_read("7\nseven\n"));
	CHECK_TEXT("7 line 2: this is no page number", trace_read("7\n-1\n"));
	CHECK_TEXT("7 line 3: this is no page number", trace_read("7\n\n1 2\n"));
	CHECK_TEXT("7 line 2: this is no page number", trace_read("7\n0x\n"));
	CHECK_TEXT("7 line 2: this is no page number", trace_read("7\n L 1000,4\n"));
	CHECK_TEXT("line 1: this is no page number", trace_read("seven\n7\n"));
	CHECK_TEXT("line 1: the page number does not fit 64 bits",
		   trace_read("18446744073709551616\n"));
	CHECK_TEXT("line 1: the page number does not fit 64 bits",
		   trace_read("0x1ffffffffffffffff\n"));
}

TEST(replay_trace, no_trace)
{
	CHECK_TEXT("line 0: the file is empty", trace_read(""));
	CHECK_TEXT("line 0: no reference is in it", trace_read("\n"));
	CHECK_TEXT("line 0: no reference is in it", trace_read("# nothing\r\n\r\n*\n"));
	CHECK_TEXT("line 2: this is neither a line of lackey nor a page number",
		   trace_read("\nhello\nworld\n"));
	CHECK_TEXT("line 1: this is a binary file, not a trace",
		   trace_read_bytes("\177ELF\2\1\1\0\0\0\0\0", 12));
	CHECK_TEXT("line 1: this is a binary file, not a trace",
		   trace_read_bytes("\37\213\10\0\n1\n2\n", 9));
	CHECK_TEXT("1 line 2: this is no page number", trace_read_bytes("1\n2\0003\n", 6));
}

/* Nothing is read beyond the end (the sanitizer's part), and every read ends. */
TEST(replay_trace, random_bytes)
{
	static const char *const pieces[] = {"I  ",  " L ",  " S ",  " M ",	 "==", "#",  "*",
					     "0401", ",8",   ",4096", "fffffff", "\n", "\r\n", "\n",
					     " ",    "0x",   "123",   "\t",	 "\1", "z",  "-"};
	struct random random;

	host_random(&random);
	for (unsigned i = 0; i < 30000; i++) {
		char data[64];
		size_t size_bytes = 0;
		size_t limit = random_below(&random, sizeof(data));

		while (size_bytes < limit) {
			const char *piece = pieces[random_below(&random, ARRAY_SIZE(pieces))];

			while (*piece != '\0' && size_bytes < limit)
				data[size_bytes++] = *piece++;
		}
		if (random_below(&random, 8) == 0 && size_bytes > 0)
			data[random_below(&random, size_bytes)] = (char)random_next(&random);
		CHECK(strlen(trace_read_bytes(data, size_bytes)) > 0);
	}
}

/* Any prefix of a good trace is a trace, or an error in its last line. */
TEST(replay_trace, cut_anywhere)
{
	static const char data[] = "==1== x\nI  04010000,4\n L 1ffeffe,16\r\n M 04020ff8,16\n";
	struct replay_trace trace;
	struct replay_reference reference;

	for (size_t size_bytes = 1; size_bytes < sizeof(data); size_bytes++) {
		uint64_t lines = 1;
		int result = replay_trace_open(&trace, data, size_bytes);

		for (size_t i = 0; i + 1 < size_bytes; i++)
			lines += data[i] == '\n';
		while (result == 0 && replay_trace_next(&trace, &reference) > 0)
			;
		CHECK(trace.line == lines || trace.line == 0);
		CHECK(trace.problem == NULL || data[size_bytes - 1] != '\n' || lines < 2);
	}
}
