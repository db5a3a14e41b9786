/*
 * replay_model_main.c: what exact LRU and OPT make of a trace, by the kernel's
 * own code, on the host: to be held beside a replay in the kernel. See the
 * script replay-model.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/programs/replay_model.h"
#include "lib/errno.h"
#include "lib/number.h"

static int fail(const char *name, const char *why, int error)
{
	fprintf(stderr, "error: %s: %s: %s\n", errno_name(error), name, why);
	return 1;
}

static char *file_read(const char *name, size_t *size_bytes)
{
	FILE *file = fopen(name, "rb");
	size_t room = 1 << 20;
	char *data = malloc(room);

	if (file == NULL || data == NULL)
		return NULL;
	*size_bytes = 0;
	for (size_t got; (got = fread(data + *size_bytes, 1, room - *size_bytes, file)) > 0;) {
		*size_bytes += got;
		if (*size_bytes == room)
			data = realloc(data, room *= 2);
		if (data == NULL)
			return NULL;
	}
	fclose(file);
	return data;
}

static int report(const struct replay_sequence *sequence, const char *name, const char *frames)
{
	struct replay_faults faults;
	int64_t frame_count = MAX(sequence->page_count / 2, 1);
	int error = 0;

	if (frames != NULL)
		error = number_parse_size(frames, 1, INT64_MAX, &frame_count);
	if (error == 0)
		error = replay_model_run(sequence, (uint64_t)frame_count, NULL, &faults);
	if (error != 0)
		return fail(name, errno_text(error), error);
	printf("trace %s\nreferences %lu\npages %u\nframes %ld\nlru %lu\nopt %lu\n", name,
	       sequence->reference_count, sequence->page_count, frame_count, faults.lru,
	       faults.opt);
	return 0;
}

static int table_line(const struct replay_sequence *sequence, const char *name)
{
	printf("%-12s %9lu %7u", name, sequence->reference_count, sequence->page_count);
	for (unsigned part = 8; part >= 2; part /= 2) {
		uint64_t frame_count = MAX(sequence->page_count / part, 1);
		struct replay_faults faults;
		int error = replay_model_run(sequence, frame_count, NULL, &faults);

		if (error != 0)
			return fail(name, errno_text(error), error);
		printf("  %6lu %8lu %8lu", frame_count, faults.lru, faults.opt);
	}
	printf("\n");
	return 0;
}

enum output { OUTPUT_REPORT, OUTPUT_TABLE };

static int trace_run(const char *name, const char *frames, enum output output)
{
	struct replay_sequence sequence;
	struct replay_trace trace;
	size_t size_bytes;
	char *data = file_read(name, &size_bytes);
	char problem[40] = "";
	int error;

	if (data == NULL)
		return fail(name, "it cannot be read", ENOENT);
	replay_sequence_init(&sequence);
	error = replay_trace_open(&trace, data, size_bytes);
	if (error == 0)
		error = replay_sequence_load(&sequence, &trace, NULL);
	if (error == -EINVAL && trace.line > 0)
		snprintf(problem, sizeof(problem), "line %lu: ", trace.line);
	if (error != 0) {
		fprintf(stderr, "error: %s: %s: %s%s\n", errno_name(error), name, problem,
			trace.problem != NULL ? trace.problem : errno_text(error));
	} else if (output == OUTPUT_TABLE) {
		error = table_line(&sequence, name);
	} else {
		error = report(&sequence, name, frames);
	}
	replay_sequence_destroy(&sequence);
	free(data);
	return error != 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc == 2 || (argc == 3 && argv[1][0] != '-'))
		return trace_run(argv[1], argc == 3 ? argv[2] : NULL, OUTPUT_REPORT);
	if (argc < 3) {
		fprintf(stderr, "usage: replay-model FILE [FRAMES]\n"
				"       replay-model --table FILE...\n");
		return 1;
	}
	printf("trace       references   pages  frames      lru      opt  frames      lru      opt"
	       "  frames      lru      opt\n");
	for (int i = 2; i < argc; i++)
		failed |= trace_run(argv[i], NULL, OUTPUT_TABLE);
	return failed;
}
