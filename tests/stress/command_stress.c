/*
 * command_stress.c: stress.
 */
#include "kernel/mm/commit.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/test_runner.h"
#include "lib/number.h"
#include "lib/string.h"
#include "tests/stress/stress.h"

#define FRAMES_DEFAULT 64u

static int argument_read(struct stress_options *options, const char *word)
{
	static const char usage[] = "usage: stress [seed=N] [operations=N|minutes=N] [frames=N]";
	const char *value = strchr(word, '=');
	int64_t number = 0;
	int error = 0;

	if (!value)
		return command_fail(EINVAL, "%s", usage);
	value++;
	if (strncmp(word, "seed=", 5) == 0)
		return argument_value(value, "seed", &options->seed);
	if (strncmp(word, "operations=", 11) == 0) {
		error = argument_size(value, "operations", 1, INT64_MAX, &number);
		options->operations = (uint64_t)number;
	} else if (strncmp(word, "minutes=", 8) == 0) {
		error = argument_size(value, "minutes", 1, 1000000, &number);
		options->minutes = (uint64_t)number;
	} else if (strncmp(word, "frames=", 7) == 0) {
		error = argument_size(value, "frames", 8, UINT32_MAX, &number);
		options->frames = (uint64_t)number;
	} else {
		return command_fail(EINVAL, "%s", usage);
	}
	return error;
}

static int stress_command_run(int argc, char **argv)
{
	struct stress_options options = {
		.seed = test_seed,
		.minutes = 1,
		.frames = MIN(commit_resident_max(), (uint64_t)FRAMES_DEFAULT),
	};
	int error;

	for (int i = 1; i < argc; i++) {
		error = argument_read(&options, argv[i]);
		if (error != 0)
			return error;
	}
	error = stress_run(&options);
	if (error == -EBUSY)
		return command_fail(EBUSY, "another process exists; ps lists them");
	if (error == -EIO)
		return command_fail(EIO, "seed %lu: the first mismatch is told above",
				    options.seed);
	return command_errno(error);
}

COMMAND(82, stress, .name = "stress", .arguments = "[seed=N] [operations=N|minutes=N] [frames=N]",
	.summary = "random work of many processes, compared with a shadow copy", .max = 3,
	.run = stress_command_run,
	.detail = "One minute of the guest's clock on 64 frames where nothing else is said. Ends\n"
		  "with counts of what was done and `check: ok`; the first byte, errno, count or\n"
		  "end of a process that is not as expected ends it with a `mismatch` line.\n");
