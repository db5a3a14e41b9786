/*
 * command_events.c: events, trace, check.
 */
#include "kernel/mm/event.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/proc/check_all.h"
#include "lib/string.h"

#define EVENTS_SHOWN 20 /* without a number: a screen of them */
#define EVENTS_MAX 4096 /* read at once: more than scroll by */
#define EVENT_BYTES 160

static int events_run(int argc, char **argv)
{
	static struct event events[EVENTS_MAX];
	int64_t wanted = EVENTS_SHOWN;
	char text[EVENT_BYTES];
	unsigned count;

	if (argc == 2) {
		int error = argument_size(argv[1], "N", 0, INT64_MAX, &wanted);

		if (error != 0)
			return error;
	}
	count = event_read(events, (unsigned)MIN(wanted, (int64_t)EVENTS_MAX));
	for (unsigned i = 0; i < count; i++) {
		if (command_interrupted())
			return -EINTR;
		(void)event_format(&events[i], text, sizeof(text));
		console_print("%s\n", text);
	}
	return 0;
}

COMMAND(50, events, .name = "events", .arguments = "[N]",
	.summary = "the last N things that happened to pages", .max = 1, .run = events_run);

/* Called where it happens, with interrupts off and any lock held. */
static void event_print(const struct event *event)
{
	char text[EVENT_BYTES];
	int length = event_format(event, text, sizeof(text));

	console_background(0, text, MIN((size_t)length, sizeof(text) - 1));
}

static int trace_run(int argc, char **argv)
{
	(void)argc;
	if (strcmp(argv[1], "on") == 0)
		event_tell_to(event_print);
	else if (strcmp(argv[1], "off") == 0)
		event_tell_to(NULL);
	else
		return command_fail(EINVAL, "usage: trace on|off");
	return command_ok();
}

COMMAND(51, trace, .name = "trace", .arguments = "on|off",
	.summary = "prints each thing as it happens to a page", .min = 1, .max = 1,
	.run = trace_run);

static int check_run(int argc, char **argv)
{
	const struct check *check = check_all();

	(void)argc, (void)argv;
	if (check->violations == 0) {
		console_print("check: ok frames %lu slots %lu pids %lu\n", check->frames,
			      check->slots, check->pids);
		return 0;
	}
	console_print("check: %u violations\n", check->violations);
	for (unsigned i = 0; i < check->line_count; i++)
		console_print("%s\n", check->lines[i]);
	return 0;
}

COMMAND(52, check, .name = "check", .arguments = "", .summary = "verifies every invariant now",
	.run = check_run);
