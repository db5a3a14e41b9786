/*
 * command_system.c: test, bench, strict, poweroff.
 */
#include "arch/x86_64/power.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/monitor.h"
#include "kernel/monitor/test_runner.h"

uint64_t test_seed = 1;

/* A kernel without tests has none that match. */
__attribute__((weak)) int ktap_run(const char *glob)
{
	(void)glob;
	return -ENOENT;
}

__attribute__((weak)) int bench_run(const char *glob)
{
	(void)glob;
	return -ENOENT;
}

static int test_run(int argc, char **argv)
{
	const char *glob = argc == 2 ? argv[1] : "*";
	int result = ktap_run(glob);

	if (result == -ENOENT)
		return command_fail(ENOENT, "no test matches '%s'", glob);
	return result < 0 ? command_errno(result) : 0;
}

COMMAND(80, test, .name = "test", .arguments = "[GLOB]", .summary = "runs tests, as KTAP",
	.max = 1, .run = test_run);

static int bench_command_run(int argc, char **argv)
{
	const char *glob = argc == 2 ? argv[1] : "*";
	int result = bench_run(glob);

	if (result == -ENOENT)
		return command_fail(ENOENT, "no benchmark matches '%s'", glob);
	return result < 0 ? command_errno(result) : 0;
}

COMMAND(81, bench, .name = "bench", .arguments = "[GLOB]", .summary = "runs benchmarks",
	.max = 1, .run = bench_command_run);

static int strict_run(int argc, char **argv)
{
	(void)argc, (void)argv;
	monitor_set_strict();
	return 0;
}

COMMAND(90, strict, .name = "strict", .arguments = "",
	.summary = "the first error or mismatch from now on ends the run with status 1",
	.run = strict_run);

static int poweroff_run(int argc, char **argv)
{
	int64_t status = 0;

	if (argc == 2) {
		int error = argument_size(argv[1], "STATUS", 0, 127, &status);

		if (error != 0)
			return error;
	}
	monitor_leave((unsigned)status);
}

COMMAND(91, poweroff, .name = "poweroff", .arguments = "[STATUS]",
	.summary = "leaves, with an exit status", .max = 1, .run = poweroff_run);
