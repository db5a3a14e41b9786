/*
 * test_runner.h: what `test` and `bench` call; defined in tests/unit, to the
 * right of the console.
 */
#pragma once

#include "lib/types.h"

/* What seeds random tests: seed= of the command line, 1 where that is not given. */
extern uint64_t test_seed;

/*
 * Runs the tests whose names match and prints KTAP. Returns the number of
 * failures, or -ENOENT if none matches.
 */
int ktap_run(const char *glob);

/* Runs the benchmarks whose names match; prints `bench NAME VALUE UNIT`. 0 or -ENOENT. */
int bench_run(const char *glob);
