/*
 * bench_files.c: what the labs pay: a small read and write of a file, and a
 * fault that the program's own handler sees to.
 */
#include "arch/x86_64/jump.h"
#include "kernel/fs/file.h"
#include "kernel/proc/signal.h"
#include "lib/errno.h"
#include "tests/bench/bench.h"

#define ROUNDS 2000u
#define NAME "bench file"

static struct bench_run run;

/* ---- Files ----------------------------------------------------------------------- */

/* What a variable in a file costs: a seek and four bytes. */
static int64_t write_rounds(int file)
{
	int64_t total = 0;

	for (int i = 0; i < (int)ROUNDS; i++) {
		(void)file_seek(file, 8, FILE_FROM_START);
		total += file_write(file, &i, sizeof(i));
	}
	return total;
}

static int64_t read_rounds(int file)
{
	int64_t total = 0;

	for (int i = 0; i < (int)ROUNDS; i++) {
		int value;

		(void)file_seek(file, 8, FILE_FROM_START);
		total += file_read(file, &value, sizeof(value));
	}
	return total;
}

static int file_bench(int64_t (*rounds)(int file))
{
	int file = file_open(NAME, FILE_READ_WRITE | FILE_CREATE);
	int64_t total;

	if (file < 0)
		return -file;
	total = write_rounds(file); /* the page is there */
	bench_start(&run);
	total += rounds(file);
	bench_stop(&run, ROUNDS);
	file_unlink(NAME);
	return total == 2 * ROUNDS * (int64_t)sizeof(int) ? 0 : EIO;
}

static int write_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	return file_bench(write_rounds);
}

static int read_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	return file_bench(read_rounds);
}

BENCH(file_write, "file-seek-write-4")
{
	if (bench_process("file-seek-write-4", write_main))
		bench_print(&run, "file-seek-write-4", bench_loop_cost(ROUNDS));
}

BENCH(file_read, "file-seek-read-4")
{
	if (bench_process("file-seek-read-4", read_main))
		bench_print(&run, "file-seek-read-4", bench_loop_cost(ROUNDS));
}

/* ---- The fault handler of a program ------------------------------------------------- */

static struct jump_point recovery;
static volatile char *volatile nowhere; /* the compiler is not to know */

static void jumps(const struct signal_info *info)
{
	(void)info;
	signal_set_blocked(0);
	jump_to(&recovery, 1);
}

static int fault_main(int argc, char **argv)
{
	const struct signal_action action = {.handler = jumps};
	volatile unsigned i;

	(void)argc, (void)argv;
	if (signal_set_action(SIGNAL_SEGV, &action, NULL))
		return EINVAL;
	bench_start(&run);
	for (i = 0; i < ROUNDS; i++)
		if (jump_set(&recovery) == 0)
			*nowhere = 1;
	bench_stop(&run, ROUNDS);
	return 0;
}

BENCH(handled_fault, "handled-fault")
{
	if (bench_process("handled-fault", fault_main))
		bench_print(&run, "handled-fault", bench_loop_cost(ROUNDS));
}
