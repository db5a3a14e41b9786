/*
 * work_common.c: see work.h.
 */
#include "kernel/mm/reclaim.h"
#include "kernel/proc/program.h"
#include "lib/format.h"
#include "lib/number.h"
#include "tests/unit/work.h"

#define THREADS_MAX 16u

void work_at_limits(uint64_t pages, void (*body)(void))
{
	uint64_t before = reclaim_limit();
	uint64_t last = 0;

	for (unsigned times = 1; times <= 4; times *= 2) {
		uint64_t limit = MIN(before, MAX(pages / times, (uint64_t)RESIDENT_MIN));

		if (limit == last)
			continue;
		last = limit;
		if (CHECK_ERROR(0, reclaim_set_limit(limit)))
			body();
	}
	CHECK_ERROR(0, reclaim_set_limit(before));
}

void work_processes(unsigned count, test_main *main, const char *what, const char *file, int line)
{
	pid_t pids[WORK_PROCESSES_MAX];

	ASSERT(count <= WORK_PROCESSES_MAX);
	for (unsigned i = 0; i < count; i++) {
		char number[16];
		char *argv[] = {number};

		(void)format(number, sizeof(number), "%u", i);
		pids[i] = ktap_spawn(main, 1, argv, what, file, line);
	}
	for (unsigned i = 0; i < count; i++)
		(void)ktap_check_ended(FAULT_OK, 0, pids[i], file, line);
}

unsigned work_number(int argc, char **argv)
{
	int64_t number = 0;

	CHECK(argc == 1 && number_parse(argv[0], 0, WORK_PROCESSES_MAX, &number) == 0);
	return (unsigned)number;
}

void work_threads(unsigned count, void (*entry)(void *number))
{
	tid_t tids[THREADS_MAX];
	unsigned started = 0;

	ASSERT(count <= THREADS_MAX);
	while (started < count &&
	       CHECK_ERROR(0, thread_start(entry, (void *)(uint64_t)started, &tids[started])))
		started++;
	for (unsigned i = 0; i < started; i++)
		CHECK_ERROR(0, thread_join(tids[i]));
}

void *work_malloc(uint64_t size_bytes)
{
	void *block = vmap_malloc(self_vmap(), (int)size_bytes);

	if (!block)
		FAIL("vmap_malloc of %lu bytes: %s", size_bytes, errno_name(*vmap_errno()));
	return block;
}

void work_free(void *block)
{
	vmap_free(self_vmap(), block);
	CHECK_ERRNO(0);
}

uint64_t work_bytes_other_than(uint8_t byte, const uint8_t *block, uint64_t size_bytes)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < size_bytes; i++)
		count += block[i] != byte;
	return count;
}

uint64_t work_hash(const void *bytes, uint64_t size_bytes)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (uint64_t i = 0; i < size_bytes; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ull;
	return hash;
}
