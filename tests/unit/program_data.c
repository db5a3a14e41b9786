/*
 * program_data.c: programs' global variables: a copy for each process.
 */
#include "kernel/mm/reclaim.h"
#include "kernel/proc/process.h"
#include "lib/format.h"
#include "tests/unit/ktap.h"

#define PROCESSES 6

/* Six at once, on frames for three: copies stay apart, and come back from swap. */
TEST(program, globals_are_each_process_s_own)
{
	uint64_t limit = reclaim_limit();
	pid_t pids[PROCESSES];

	CHECK_ERROR(0, reclaim_set_limit(MIN(limit, 6ul)));
	for (int i = 0; i < PROCESSES; i++) {
		char seed[16];
		char *argv[] = {"globals", seed, NULL};

		(void)format(seed, sizeof(seed), "%d", 100 + 1000 * i);
		pids[i] = process_spawn(2, argv, PROCESS_BACKGROUND);
		CHECK(pids[i] > 0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		struct process_end end;

		CHECK_ERROR(0, process_wait(pids[i], &end));
		CHECK_EQUAL(FAULT_OK, end.killed);
		CHECK_EQUAL(0, end.exit_status);
	}
	CHECK_ERROR(0, reclaim_set_limit(limit));
}
