/*
 * command_files.c: ls, hexdump.
 */
#include "kernel/fs/file.h"
#include "kernel/mm/object.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/sched/gate.h"
#include "lib/format.h"

#define ROW_BYTES 16
#define DUMP_BYTES 256 /* without a length */

static int ls_run(int argc, char **argv)
{
	unsigned place = 0;
	struct file_info info;

	(void)argc, (void)argv;
	console_print("%12s %-6s %s\n", "SIZE", "KIND", "NAME");
	while (file_next(&place, &info))
		console_print("%12lu %-6s %s\n", info.size_bytes, info.kind, info.name);
	return 0;
}

COMMAND(60, ls, .name = "ls", .arguments = "", .summary = "lists the files", .run = ls_run);

/* A row as hexdump -C prints it. */
static void row_print(const uint8_t *row, uint64_t offset, uint64_t count)
{
	char hex[3 * ROW_BYTES + 2] = "", text[ROW_BYTES + 1];
	int at = 0;

	for (unsigned i = 0; i < count; i++) {
		at += format(hex + at, sizeof(hex) - (size_t)at, " %s%02x",
			     i == ROW_BYTES / 2 ? " " : "", row[i]);
		text[i] = row[i] >= ' ' && row[i] <= '~' ? (char)row[i] : '.';
	}
	text[count] = '\0';
	console_print("%08lx %-*s  |%s|\n", offset, 3 * ROW_BYTES + 1, hex, text);
}

static int dump(struct object *object, int argc, char **argv)
{
	uint64_t size_bytes;
	int64_t offset = 0, length = DUMP_BYTES;
	uint8_t row[ROW_BYTES];
	uint64_t end;
	int error = 0;

	gate_enter();
	size_bytes = object_size(object);
	gate_leave();
	if (argc > 2)
		error = argument_size(argv[2], "OFFSET", 0, (int64_t)size_bytes, &offset);
	if (error == 0 && argc > 3)
		error = argument_size(argv[3], "LEN", 0, INT64_MAX, &length);
	if (error != 0)
		return error;
	end = (uint64_t)offset + MIN((uint64_t)length, size_bytes - (uint64_t)offset);
	for (uint64_t at = (uint64_t)offset; at < end; at += ROW_BYTES) {
		int64_t count;

		if (command_interrupted())
			return -EINTR;
		gate_enter();
		count = object_read(object, at, row, MIN(sizeof(row), end - at));
		gate_leave();
		if (count < 0)
			return command_errno((int)count); /* its page was lost in swap */
		/* Fewer, if it has become shorter meanwhile. */
		row_print(row, at, (uint64_t)count);
	}
	return 0;
}

static int hexdump_run(int argc, char **argv)
{
	struct object *object = file_hold(argv[1]);
	int error;

	if (!object)
		return command_fail(ENOENT, "there is no file '%s'; ls lists them", argv[1]);
	error = dump(object, argc, argv);
	gate_enter();
	object_release(object);
	gate_leave();
	return error;
}

COMMAND(61, hexdump, .name = "hexdump", .arguments = "FILE [OFFSET] [LEN]",
	.summary = "prints bytes of a file", .min = 1, .max = 3, .run = hexdump_run);
