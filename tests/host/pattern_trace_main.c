/*
 * pattern_trace_main.c: a pattern of tests/bench/pattern.h as a trace that `replay`
 * reads: a page number a line, all pages once at first. The argument is its name.
 */
#include <stdio.h>
#include <string.h>

#include "tests/bench/pattern.h"

int main(int argc, char **argv)
{
	struct pattern pattern;
	unsigned kind = 0;

	while (argc == 2 && kind < PATTERNS && strcmp(argv[1], pattern_name(kind)) != 0)
		kind++;
	if (argc != 2 || kind == PATTERNS) {
		fprintf(stderr, "usage: pattern-trace sequential|uniform|zipf|hot\n");
		return 2;
	}
	pattern_begin(&pattern, (enum pattern_kind)kind);
	for (unsigned page = 0; page < PATTERN_PAGES; page++)
		printf("%u\n", page);
	for (unsigned i = 0; i < pattern_references(pattern.kind); i++)
		printf("%u\n", pattern_next(&pattern).page);
	return 0;
}
