/*
 * globals.c: a program with plain global variables, to see that each process
 * has its own copy, fresh at its start, pageable like everything else.
 *
 *   globals SEED [ROUNDS]   exits 0, or 1 where a variable was not what it should be
 */
#include "kernel/proc/program.h"
#include "lib/number.h"

#define TABLE_WORDS 480 /* a page of initial data, a page of zeros */

static unsigned long initial[TABLE_WORDS] = {[0] = 11, [TABLE_WORDS - 1] = 13};
static unsigned long zeros[TABLE_WORDS];
static unsigned long *last = &initial[TABLE_WORDS - 1]; /* an address in the process's own copy */

static bool is_fresh(void)
{
	for (unsigned i = 0; i < TABLE_WORDS; i++)
		if (zeros[i] != 0 || initial[i] != (i == 0 ? 11 : i == TABLE_WORDS - 1 ? 13 : 0))
			return false;
	return *last == 13;
}

static bool holds(unsigned long seed)
{
	for (unsigned i = 0; i < TABLE_WORDS; i++)
		if (initial[i] != seed + i || zeros[i] != seed * i)
			return false;
	return *last == seed + TABLE_WORDS - 1;
}

static int globals_main(int argc, char **argv)
{
	int64_t seed = 0, rounds = 4;

	if (argc < 2 || argc > 3 || number_parse(argv[1], 1, 1000000, &seed) ||
	    (argc == 3 && number_parse(argv[2], 1, 1000, &rounds))) {
		print("usage: globals SEED [ROUNDS]\n");
		return 2;
	}
	if (!is_fresh())
		return 1;
	for (unsigned long round = 0; round < (unsigned long)rounds; round++) {
		for (unsigned i = 0; i < TABLE_WORDS; i++) {
			initial[i] = (unsigned long)seed + round + i;
			zeros[i] = ((unsigned long)seed + round) * i;
		}
		yield();
		if (!holds((unsigned long)seed + round))
			return 1;
	}
	return 0;
}

PROGRAM(globals, "globals", "SEED [ROUNDS]", "checks that its global variables are its own",
	globals_main);
