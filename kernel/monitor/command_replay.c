/*
 * command_replay.c: replay.
 */
#include "kernel/fs/module.h"
#include "kernel/mm/policy.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/input.h"
#include "kernel/monitor/job.h"
#include "kernel/programs/replay.h"
#include "lib/string.h"

struct arguments {
	const struct module *file;
	const struct replay_generator *generator; /* instead */
	int64_t frames;                           /* 0: not said */
	int64_t share;                            /* frames=1/N: N */
	struct policy *policy;
};

static struct replay replay; /* kernel memory: the process's thread works in it */

/* What is done now, for the progress line. */
static const char *stage;

static bool progress_step(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	console_progress("%s: %lu%%", stage, total > 0 ? done * 100 / total : 0);
	return !input_interrupted();
}

static const struct replay_progress progress = {.step = progress_step};

static const struct module *first_trace(void)
{
	const struct module *module = module_next(NULL);

	while (module && !module->is_trace)
		module = module_next(module);
	return module;
}

/* One word: frames=N, frames=1/N, policy=P or FILE. */
static int argument_read(struct arguments *arguments, const char *word)
{
	if (strncmp(word, "frames=1/", 9) == 0)
		return argument_size(word + 9, "the share", 1, INT64_MAX, &arguments->share);
	if (strncmp(word, "frames=", 7) == 0)
		return argument_size(word + 7, "frames", 1, INT64_MAX, &arguments->frames);
	if (strncmp(word, "policy=", 7) == 0) {
		arguments->policy = policy_find(word + 7);
		return arguments->policy ? 0
					 : command_fail(EINVAL,
							"there is no policy '%s'; help "
							"policies lists them",
							word + 7);
	}
	if (arguments->file || arguments->generator)
		return command_fail(EINVAL, "usage: replay [FILE] [frames=N] [policy=P]");
	arguments->file = module_find(word);
	if (!arguments->file)
		arguments->generator = replay_generator_find(word);
	return arguments->file || arguments->generator
		       ? 0
		       : command_fail(ENOENT, "there is no file '%s'; ls lists them", word);
}

static int arguments_read(struct arguments *arguments, int argc, char **argv)
{
	int error = 0;

	*arguments = (struct arguments){.file = NULL};
	for (int i = 1; i < argc && error == 0; i++)
		error = argument_read(arguments, argv[i]);
	if (error == 0 && !arguments->file && !arguments->generator) {
		arguments->file = first_trace();
		if (!arguments->file)
			return command_fail(ENOENT, "there is no trace: TRACE=file brings one");
	}
	return error;
}

static void report_print(const char *name)
{
	const struct replay_counts *counts = &replay.counts;

	console_print("trace %s\n", name);
	console_print("references %lu\n", replay.sequence.reference_count);
	console_print("pages %u\n", replay.sequence.page_count);
	console_print("frames %lu\n", replay.frames);
	console_print("policy %s\n", replay.policy->name);
	console_print("faults %lu\n", counts->faults);
	console_print("soft-faults %lu\n", counts->soft_faults);
	console_print("evictions %lu\n", counts->evictions);
	console_print("swap-out %lu\n", counts->swap_out);
	console_print("swap-in %lu\n", counts->swap_in);
	console_print("mismatches %lu\n", replay.mismatches);
	console_print("lru %lu\n", replay.model.lru);
	console_print("opt %lu\n", replay.model.opt);
	if (replay.mismatches > 0)
		console_print("mismatch at reference %lu, page 0x%lx: read 0x%016lx, "
			      "expected 0x%016lx\n",
			      replay.first_mismatch.reference, replay.first_mismatch.page,
			      replay.first_mismatch.read, replay.first_mismatch.expected);
}

static int begin_fail(int error)
{
	switch (error) {
	case -EBUSY:
		return command_fail(EBUSY, "another process has pages; ps lists them");
	case -EINVAL:
		return command_fail(EINVAL, "%lu frames are too few for the resident limit",
				    replay.frames);
	case -ENOMEM:
		return command_fail(ENOMEM, "there is not enough memory for so many frames");
	default:
		return command_errno(error);
	}
}

/* From the process's start to its end and the models'. */
static int run(const struct arguments *arguments)
{
	uint64_t frame_count = (uint64_t)arguments->frames;
	struct process_end end;
	pid_t pid;
	int error;

	stage = "replay";
	if (arguments->share)
		frame_count = MAX(replay.sequence.page_count / (uint64_t)arguments->share, 1ul);
	pid = replay_begin(&replay, frame_count, arguments->policy);
	if (pid < 0)
		return begin_fail(pid);
	error = job_run_foreground(pid, "replay", &end);
	stage = "lru and opt";
	error = error != 0 ? error : replay_end(&replay);
	if (error == -ENOMEM && replay.error == -ENOMEM)
		return command_fail(ENOMEM, "%lu frames and the swap cannot hold %u pages",
				    replay.frames, replay.sequence.page_count);
	if (error == -EINTR && end.killed != FAULT_OK && end.killed != FAULT_KILLED)
		return command_fail(EFAULT, "pid %d died", pid);
	return command_errno(error);
}

/* Reads or makes the references. */
static int references_get(const struct arguments *arguments)
{
	const struct module *file = arguments->file;
	int error;

	stage = "reading the trace";
	if (arguments->generator)
		return command_errno(replay_generate(&replay, arguments->generator, &progress));
	error = replay_open(&replay, file->data, file->size_bytes, &progress);
	if (error != -EINVAL)
		return command_errno(error);
	if (replay.trace.line > 0)
		return command_fail(EINVAL, "%s, line %lu: %s", file->name, replay.trace.line,
				    replay.trace.problem);
	return command_fail(EINVAL, "%s: %s", file->name, replay.trace.problem);
}

static int replay_run(int argc, char **argv)
{
	struct arguments arguments;
	int error = arguments_read(&arguments, argc, argv);

	if (error != 0)
		return error;
	error = references_get(&arguments);
	if (error == 0)
		error = run(&arguments);
	console_progress("%s", "");
	if (error == 0)
		report_print(arguments.file ? arguments.file->name : arguments.generator->name);
	replay_close(&replay);
	return error;
}

COMMAND(70, replay, .name = "replay", .arguments = "[FILE] [frames=N] [policy=P]",
	.summary = "runs a trace through real page faults", .max = 3, .run = replay_run,
	.detail = "Without FILE the first trace, without frames= half as many as it has pages.\n"
		  "frames=1/8 is an eighth of its pages.\n"
		  "FILE may also be sweeps, uniform, zipf or scans: references that are made.\n"
		  "`lru` and `opt` are the faults that exact LRU and Belady's OPT take.\n");
