/*
 * bench_private.c: copy-on-write: a store to a page of a private mapping that
 * has been read before, so that it is mapped and shows the file's bytes: the
 * exception, the copy and its mapping.
 */
#include "kernel/fs/file.h"
#include "kernel/fs/map.h"
#include "kernel/proc/program.h"
#include "tests/bench/bench.h"
#include "tests/bench/churn.h"

#define NAME "bench file"

static struct bench_run run;
static uint64_t overhead;

/* A file of CHURN_TOUCH_PAGES with a byte in each; its descriptor or -errno. */
static int file_make(void)
{
	int file = file_open(NAME, FILE_READ_WRITE | FILE_CREATE);

	for (unsigned page = 0; file >= 0 && page < CHURN_TOUCH_PAGES; page++) {
		uint8_t byte = (uint8_t)(page + 1);
		int64_t result =
			file_seek(file, page * (int64_t)PAGE_SIZE + PAGE_SIZE - 1, FILE_FROM_START);

		if (result >= 0)
			result = file_write(file, &byte, 1);
		if (result < 0)
			return (int)result;
	}
	return file;
}

static void store_all(volatile uint8_t *bytes)
{
	for (unsigned page = 0; page < CHURN_TOUCH_PAGES; page++)
		bytes[page * PAGE_SIZE] = 1;
}

static int private_main(int argc, char **argv)
{
	int file = file_make();
	void *address = NULL;
	struct bench_run again;
	unsigned wrong = 0;
	int error;

	(void)argc, (void)argv;
	if (file < 0)
		return -file;
	error = map_memory(&address, CHURN_TOUCH_PAGES * PAGE_SIZE,
			   MAP_PROTECTION_READ | MAP_PROTECTION_WRITE, MAP_FLAG_PRIVATE, file, 0);
	if (error)
		return -error;
	for (unsigned page = 0; page < CHURN_TOUCH_PAGES; page++)
		wrong += ((volatile uint8_t *)address)[page * PAGE_SIZE] != 0;
	bench_start(&run);
	store_all(address);
	bench_stop(&run, CHURN_TOUCH_PAGES);
	bench_start(&again);
	store_all(address);
	bench_stop(&again, CHURN_TOUCH_PAGES);
	overhead = again.elapsed;
	for (unsigned page = 0; page < CHURN_TOUCH_PAGES; page++)
		wrong += ((volatile uint8_t *)address)[(page + 1) * PAGE_SIZE - 1] !=
			 (uint8_t)(page + 1);
	return wrong || file_unlink(NAME) ? EIO : 0;
}

BENCH(copy_on_write, "copy-on-write")
{
	if (!bench_process("copy-on-write", private_main))
		return;
	bench_print(&run, "copy-on-write", overhead);
	bench_print_count(&run, "copy-on-write", "exceptions", run.counters[COUNTER_PGFAULT]);
	bench_print_count(&run, "copy-on-write", "flushes", run.counters[COUNTER_TLB_FLUSH]);
	bench_print_count(&run, "copy-on-write", "ipis", run.counters[COUNTER_IPI]);
}
