/*
 * mmap_races.c: races of mapping, unmapping, eviction, truncation and the end of
 * a process; and memory that ends anywhere in them.
 */
#include "kernel/fs/file.h"
#include "kernel/fs/map.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/proc/program.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/map.h"
#include "tests/unit/pages.h"

#define NAME "raced file"
#define PAGES 6
#define BYTES (PAGES * PAGE_SIZE)

static const int READ_WRITE = MAP_PROTECTION_READ | MAP_PROTECTION_WRITE;

static int make_file(void)
{
	int file = test_file_make(NAME);

	CHECK_ERROR(0, file_truncate(file, BYTES));
	return file;
}

static int adds_one(void *argument)
{
	__atomic_fetch_add((uint64_t *)argument, 1, __ATOMIC_RELAXED);
	return 7;
}

/* ---- Races ------------------------------------------------------------------------------------
 */

#define STORM_ROUNDS 60

struct storm {
	uint64_t next;
};

/* Maps the file, all or a part, shared or private, uses its own words, unmaps; again and again. */
static int storms(void *argument)
{
	uint64_t number =
		__atomic_fetch_add(&((struct storm *)argument)->next, 1, __ATOMIC_RELAXED);
	int file = file_open(NAME, FILE_READ_WRITE);
	uint64_t written[PAGES] = {0};
	struct random random;

	random_seed(&random, number + 1);
	for (unsigned round = 0; round < STORM_ROUNDS; round++) {
		uint64_t first = random_below(&random, PAGES);
		uint64_t count = 1 + random_below(&random, PAGES - first);
		bool private = random_below(&random, 4) == 0;
		char *bytes = test_map(NULL, count * PAGE_SIZE, READ_WRITE,
				       private ? MAP_FLAG_PRIVATE : MAP_FLAG_SHARED, file,
				       (int64_t)(first * PAGE_SIZE));

		for (unsigned i = 0; i < 12; i++) {
			uint64_t page = random_below(&random, count);
			uint64_t *word = (uint64_t *)(bytes + page * PAGE_SIZE) + number;

			if (*word != written[first + page])
				return 1;
			if (!private)
				*word = written[first + page] = random_next(&random) | 1;
			else if (i == 11)
				*word = 4711;
		}
		if (round % 8 == 0)
			test_evict(2 * PAGES);
		test_unmap(bytes, count * PAGE_SIZE);
	}
	return 0;
}

PROCESS_TEST(mmap, storm_of_processes)
{
	struct storm *storm = (struct storm *)test_anonymous(PAGE_SIZE);
	int file = make_file();
	pid_t pids[4];

	for (unsigned i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = test_child(storms, storm);
	for (unsigned i = 0; i < ARRAY_SIZE(pids); i++)
		CHECK_ENDED(FAULT_OK, 0, pids[i]);
	test_unmap((char *)storm, PAGE_SIZE);
	test_file_remove(file, NAME);
}

static int touches_until_it_dies(void *argument)
{
	for (;;)
		for (uint64_t page = 0; page < PAGES; page++)
			__atomic_fetch_add((uint64_t *)((vaddr_t)argument + page * PAGE_SIZE), 1,
					   __ATOMIC_RELAXED);
	return 0;
}

/* The file is cut off under who uses it: bad addresses, and no frame is lost. */
PROCESS_TEST(mmap, cut_off_while_used)
{
	for (unsigned round = 0; round < 6; round++) {
		int file = make_file();
		uint64_t *words =
			(uint64_t *)test_map(NULL, BYTES, READ_WRITE, MAP_FLAG_SHARED, file, 0);
		pid_t pids[2] = {test_child(touches_until_it_dies, words),
				 test_child(touches_until_it_dies, words)};

		while (READ_ONCE(words[(PAGES - 1) * PAGE_SIZE / 8]) < 10)
			yield();
		if (round % 2)
			test_evict(2 * PAGES);
		CHECK_ERROR(0, file_truncate(file, round % 3 * (int64_t)PAGE_SIZE));
		CHECK_ENDED(FAULT_BAD_ADDRESS, 0, pids[0]);
		CHECK_ENDED(FAULT_BAD_ADDRESS, 0, pids[1]);
		test_unmap((char *)words, BYTES);
		test_file_remove(file, NAME);
	}
}

/* Killed at any moment. */
PROCESS_TEST(mmap, killed_while_used)
{
	uint64_t *words = (uint64_t *)test_anonymous(BYTES);

	for (unsigned round = 0; round < 8; round++) {
		pid_t pid = test_child(touches_until_it_dies, words);
		uint64_t seen = READ_ONCE(words[0]);

		while (READ_ONCE(words[0]) == seen)
			yield();
		for (unsigned i = 0; i < round; i++)
			test_evict(2 * PAGES);
		CHECK_ERROR(0, process_kill(pid));
		CHECK_ENDED(FAULT_KILLED, 0, pid);
	}
	test_unmap((char *)words, BYTES);
}

/* ---- Memory that ends anywhere ------------------------------------------------------------------
 */

static int map_all_kinds(void)
{
	int file = file_open(NAME, FILE_READ_WRITE | FILE_CREATE | FILE_TRUNCATE);
	const int flags[] = {MAP_FLAG_SHARED, MAP_FLAG_PRIVATE,
			     MAP_FLAG_SHARED | MAP_FLAG_ANONYMOUS,
			     MAP_FLAG_PRIVATE | MAP_FLAG_ANONYMOUS};
	int error = file < 0 ? file : file_truncate(file, BYTES);

	for (unsigned i = 0; i < ARRAY_SIZE(flags) && error == 0; i++) {
		void *address = NULL;

		error = map_memory(&address, BYTES, READ_WRITE, flags[i], file, 0);
		if (error)
			break;
		test_pages_fill((vaddr_t)address, PAGES, i);
		CHECK_EQUAL(0, test_pages_verify((vaddr_t)address, PAGES, i));
		test_unmap(address, BYTES);
	}
	if (file >= 0)
		test_file_remove(file, NAME);
	return error;
}

static int start_one(void)
{
	uint64_t *counter = (uint64_t *)test_anonymous(PAGE_SIZE);
	pid_t pid = process_start(adds_one, counter);

	if (pid > 0)
		CHECK_ENDED(FAULT_OK, 7, pid);
	test_unmap((char *)counter, PAGE_SIZE);
	return MIN(pid, 0);
}

static void sweep(int (*operation)(void))
{
	uint64_t committed, nth;
	int error = -ENOMEM;

	for (unsigned every = 0; every <= 1; every++) {
		error = -ENOMEM;
		for (nth = 1; error && nth < 500; nth++) {
			process_quiesce();
			committed = commit_read().committed;
			kernel_pages_fail(nth, every);
			error = operation();
			kernel_pages_fail(0, 0);
			if (error && error != -ENOMEM && error != -ENOSPC)
				FAIL("allocation %lu failed: %s", nth, errno_name(error));
			CHECK_EQUAL(committed, commit_read().committed);
		}
		CHECK_EQUAL(0, error);
		CHECK(nth > 3);
	}
}

PROCESS_TEST(mmap, each_allocation_fails)
{
	sweep(map_all_kinds);
}

/* The mapping that start_one() makes first may fail too: the process ends then, so it is a child.
 */
static int sweep_start(void *argument)
{
	uint64_t *counter = argument;
	int error = -ENOMEM;

	for (uint64_t nth = 1; error && nth < 500; nth++) {
		pid_t pid;

		kernel_pages_fail(nth, 0);
		pid = process_start(adds_one, counter);
		kernel_pages_fail(0, 0);
		error = MIN(pid, 0);
		if (pid > 0 && !CHECK_ENDED(FAULT_OK, 7, pid))
			return 1;
		if (error && !CHECK_EQUAL(-ENOMEM, error))
			return 2;
	}
	return error ? 3 : 0;
}

PROCESS_TEST(mmap, each_allocation_of_a_start_fails)
{
	uint64_t *counter = (uint64_t *)test_anonymous(PAGE_SIZE);

	CHECK_EQUAL(0, start_one());
	CHECK_ENDED(FAULT_OK, 0, test_child(sweep_start, counter));
	test_unmap((char *)counter, PAGE_SIZE);
}

PROCESS_TEST(mmap, more_than_the_table_holds)
{
	static void *areas[MAPPING_MAX + 1];
	unsigned count = 0;
	int error = 0;

	NEED_PAGES(4 * MAPPING_MAX);
	while (count <= MAPPING_MAX && error == 0) {
		areas[count] = NULL;
		error = map_memory(&areas[count], 1, READ_WRITE,
				   MAP_FLAG_PRIVATE | MAP_FLAG_ANONYMOUS, -1, 0);
		count += error == 0;
	}
	CHECK_ERROR(ENOMEM, error);
	CHECK_EQUAL(MAPPING_MAX, count);
	while (count-- > 0)
		test_unmap(areas[count], 1);
}
