/*
 * host_test.c: runs the tests whose "suite.name" matches FILTER (a glob, from
 * the environment; all of them without) and prints TAP.
 */
#include "tests/host/host_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/format.h"
#include "lib/glob.h"
#include "lib/string.h"

/* More failures of one test than this say nothing new. */
#define FAILURES_PRINTED 5

/* The linker makes these for a section whose name is an identifier. */
extern const struct host_test *const __start_host_tests[];
extern const struct host_test *const __stop_host_tests[];

static unsigned failure_count;

static bool failure_report(const char *file, int line)
{
	if (failure_count++ >= FAILURES_PRINTED)
		return false;
	printf("# at %s:%d\n", file, line);
	return true;
}

bool host_check(bool held, const char *condition, const char *file, int line)
{
	if (!held && failure_report(file, line))
		printf("#   does not hold: %s\n", condition);
	return held;
}

bool host_check_equal(int64_t expected, int64_t observed, const char *what, const char *file,
		      int line)
{
	if (expected != observed && failure_report(file, line))
		printf("#   expected %lld (0x%llx)\n#   observed %lld (0x%llx), which is %s\n",
		       (long long)expected, (unsigned long long)expected, (long long)observed,
		       (unsigned long long)observed, what);
	return expected == observed;
}

bool host_check_text(const char *expected, const char *observed, const char *what,
		     const char *file, int line)
{
	bool equal = expected == observed ||
		     (expected != NULL && observed != NULL && strcmp(expected, observed) == 0);

	if (!equal && failure_report(file, line))
		printf("#   expected \"%s\"\n#   observed \"%s\", which is %s\n",
		       expected == NULL ? "(null)" : expected,
		       observed == NULL ? "(null)" : observed, what);
	return equal;
}

void host_random(struct random *random)
{
	const char *text = getenv("SEED");
	uint64_t seed = text == NULL || *text == '\0' ? 1 : strtoull(text, NULL, 0);

	printf("# SEED=%llu\n", (unsigned long long)seed);
	random_seed_mixed(random, seed);
}

static bool test_chosen(const struct host_test *test, const char *filter)
{
	char name[128];

	format(name, sizeof(name), "%s.%s", test->suite, test->name);
	return filter == NULL || *filter == '\0' || glob_match(filter, name);
}

static bool test_run(const struct host_test *test)
{
	size_t live = host_pages_live();

	failure_count = 0;
	test->run();
	host_pages_limit(SIZE_MAX);
	if (host_pages_live() != live) {
		printf("# pages before: %zu, after: %zu\n", live, host_pages_live());
		failure_count++;
	}
	return failure_count == 0;
}

int main(void)
{
	const char *filter = getenv("FILTER");
	unsigned chosen = 0, number = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct host_test *const *at = __start_host_tests; at < __stop_host_tests; at++)
		chosen += test_chosen(*at, filter);
	printf("TAP version 13\n1..%u%s\n", chosen, chosen == 0 ? " # SKIP no test matches" : "");
	for (const struct host_test *const *at = __start_host_tests; at < __stop_host_tests;
	     at++) {
		bool passed;

		if (!test_chosen(*at, filter))
			continue;
		passed = test_run(*at);
		failed += !passed;
		printf("%sok %u - %s.%s\n", passed ? "" : "not ", ++number, (*at)->suite,
		       (*at)->name);
	}
	return failed != 0;
}
