/*
 * command_files.c: ls, hexdump.
 */
#include "kernel/fs/file.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "lib/format.h"

#define ROW_BYTES 16
#define DUMP_BYTES 256 /* without a length */

static int ls_run(int argc, char **argv)
{
	(void)argc, (void)argv;
	console_print("%12s %-6s %s\n", "SIZE", "KIND", "NAME");
	for (const struct file *file = file_next(NULL); file; file = file_next(file))
		console_print("%12lu %-6s %s\n", file->size_bytes,
			      file->is_trace ? "trace" : "module", file->name);
	return 0;
}

COMMAND(60, ls, .name = "ls", .arguments = "", .summary = "lists the files", .run = ls_run);

/* A row as hexdump -C prints it. */
static void row_print(const char *data, uint64_t offset, uint64_t count)
{
	char hex[3 * ROW_BYTES + 2] = "", text[ROW_BYTES + 1];
	int at = 0;

	for (unsigned i = 0; i < count; i++) {
		char c = data[offset + i];

		at += format(hex + at, sizeof(hex) - (size_t)at, " %s%02x",
			     i == ROW_BYTES / 2 ? " " : "", (uint8_t)c);
		text[i] = c >= ' ' && c <= '~' ? c : '.';
	}
	text[count] = '\0';
	console_print("%08lx %-*s  |%s|\n", offset, 3 * ROW_BYTES + 1, hex, text);
}

static int hexdump_run(int argc, char **argv)
{
	const struct file *file = file_find(argv[1]);
	int64_t offset = 0, length = DUMP_BYTES;
	uint64_t end;
	int error = 0;

	if (!file)
		return command_fail(ENOENT, "there is no file '%s'; ls lists them", argv[1]);
	if (argc > 2)
		error = argument_size(argv[2], "OFFSET", 0, (int64_t)file->size_bytes, &offset);
	if (error == 0 && argc > 3)
		error = argument_size(argv[3], "LEN", 0, INT64_MAX, &length);
	if (error != 0)
		return error;
	end = (uint64_t)offset + MIN((uint64_t)length, file->size_bytes - (uint64_t)offset);
	for (uint64_t at = (uint64_t)offset; at < end; at += ROW_BYTES) {
		if (command_interrupted())
			return -EINTR;
		row_print(file->data, at, MIN((uint64_t)ROW_BYTES, end - at));
	}
	return 0;
}

COMMAND(61, hexdump, .name = "hexdump", .arguments = "FILE [OFFSET] [LEN]",
	.summary = "prints bytes of a file", .min = 1, .max = 3, .run = hexdump_run);
