/*
 * bench_queue.c: the lab of the blocking queue, by way of files and by way of
 * memory: instructions an item, of everything that its processes and the kernel
 * do from the start of the program to its end.
 *
 * What one item costs is the difference between a run with many items and one
 * with few, so that starting and ending the processes is not in it.
 */
#include "kernel/proc/process.h"
#include "lib/format.h"
#include "tests/bench/bench.h"

#define FEW 100u
#define MANY 1100u

/* One run of the program. False, and said, if it did not end well. */
static bool run(const char *name, unsigned items, struct bench_run *run)
{
	char program[32], argument[32];
	char *argv[] = {program, argument};
	struct process_end end;
	int error;
	pid_t pid;

	(void)format(program, sizeof(program), "%s", name);
	(void)format(argument, sizeof(argument), "items=%u", items);
	bench_start(run);
	pid = process_spawn(2, argv, PROCESS_BACKGROUND);
	error = pid < 0 ? pid : process_wait(pid, &end);
	bench_stop(run, MANY - FEW);
	if (error || end.killed || end.exit_status) {
		bench_say(name, "did not end well");
		return false;
	}
	return true;
}

static void queue_bench(const char *name)
{
	struct bench_run few, many;

	if (!run(name, FEW, &few) || !run(name, MANY, &many))
		return;
	bench_print(&many, name, few.elapsed);
	bench_print_count(&many, name, "file-calls",
			  many.counters[COUNTER_FILE_CALL] - few.counters[COUNTER_FILE_CALL]);
	bench_print_count(&many, name, "switches",
			  many.counters[COUNTER_CONTEXT_SWITCH] -
				  few.counters[COUNTER_CONTEXT_SWITCH]);
}

BENCH(sem_prod_cons, "sem-prod-cons")
{
	queue_bench("sem-prod-cons");
}

BENCH(mem_prod_cons, "mem-prod-cons")
{
	queue_bench("mem-prod-cons");
}
