/*
 * shared.c: what several processes do at once with a page of shared memory.
 */
#include "kernel/fs/file.h"
#include "kernel/fs/map.h"
#include "kernel/proc/program.h"
#include "kernel/schedule_point.h"
#include "tests/schedule/scenario.h"
#include "tests/unit/map.h"

#define PAGES 3u
#define BYTES (PAGES * PAGE_SIZE)
#define ADDITIONS 20u

static const int READ_WRITE = MAP_PROTECTION_READ | MAP_PROTECTION_WRITE;

static char *area;

/* A file of PAGES holes, that goes with its last descriptor. */
static int make_file(void)
{
	int file = file_open("scenario", FILE_READ_WRITE | FILE_CREATE | FILE_TRUNCATE);

	CHECK_ERROR(0, file_truncate(file, BYTES));
	CHECK_ERROR(0, file_unlink("scenario"));
	return file;
}

/* ---- 17 -------------------------------------------------------------------------- */

static int adds(void *argument)
{
	scenario_meet();
	for (unsigned i = 0; i < ADDITIONS; i++) {
		__atomic_fetch_add((uint64_t *)argument, 1, __ATOMIC_RELAXED);
		schedule_point();
	}
	return 0;
}

static int counted_by_two(int argc, char **argv)
{
	pid_t pids[2];

	(void)argc, (void)argv;
	area = test_anonymous(PAGE_SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = test_child(adds, area);
	scenario_meet();
	scenario_evict(ADDITIONS);
	for (unsigned i = 0; i < ARRAY_SIZE(pids); i++)
		CHECK_ENDED(FAULT_OK, 0, pids[i]);
	CHECK_EQUAL(2 * ADDITIONS, test_load((vaddr_t)area));
	return 0;
}

SCENARIO(17, two_writers_and_an_evictor)
{
	NEED_SLOTS(40);
	scenario_expect(3);
	CHECK_EXITS(0, counted_by_two);
}

/* ---- 22 -------------------------------------------------------------------------- */

static void copies_or_evicts(void *number)
{
	scenario_meet();
	if ((uint64_t)number == 0)
		scenario_evict(2 * PAGES);
	for (unsigned i = 0; i < PAGES && number; i++)
		__atomic_fetch_add((uint64_t *)(area + i * PAGE_SIZE), (uint64_t)number,
				   __ATOMIC_RELAXED);
}

static int copied_at_once(int argc, char **argv)
{
	int file = make_file();
	char *shared = test_map(NULL, BYTES, READ_WRITE, MAP_FLAG_SHARED, file, 0);

	(void)argc, (void)argv;
	area = test_map(NULL, BYTES, READ_WRITE, MAP_FLAG_PRIVATE, file, 0);
	for (unsigned i = 0; i < PAGES; i++)
		test_store((vaddr_t)shared + i * PAGE_SIZE, 100);
	(void)test_load((vaddr_t)area);
	work_threads(3, copies_or_evicts);
	for (unsigned i = 0; i < PAGES; i++) {
		CHECK_EQUAL(103, test_load((vaddr_t)area + i * PAGE_SIZE));
		CHECK_EQUAL(100, test_load((vaddr_t)shared + i * PAGE_SIZE));
	}
	return 0;
}

SCENARIO(22, copies_against_eviction)
{
	NEED_SLOTS(40);
	scenario_expect(3);
	CHECK_EXITS(0, copied_at_once);
}

/* ---- 23 -------------------------------------------------------------------------- */

/* Stores, and reads back what it has stored, whoever else maps the pages or does no more. */
static int keeps_its_words(void *argument)
{
	vaddr_t words = (vaddr_t)argument;

	scenario_meet();
	for (uint64_t round = 1; round <= 3; round++) {
		test_pages_fill(words, PAGES, round);
		schedule_point();
		CHECK_EQUAL(0, test_pages_verify(words, PAGES, round));
	}
	return 0;
}

static void evicts(void *argument)
{
	(void)argument;
	scenario_meet();
	scenario_evict(3 * PAGES);
}

static int unmaps(int argc, char **argv)
{
	pid_t pid;

	(void)argc, (void)argv;
	area = test_anonymous(BYTES);
	test_pages_fill((vaddr_t)area, PAGES, 9);
	pid = test_child(keeps_its_words, area);
	scenario_meet();
	for (unsigned i = 0; i < 2 * PAGES; i++) {
		(void)test_load((vaddr_t)area + i % PAGES * PAGE_SIZE + 8);
		schedule_point();
	}
	test_unmap(area, BYTES);
	CHECK_ENDED(FAULT_OK, 0, pid);
	return 0;
}

SCENARIO(23, unmapping_against_eviction)
{
	NEED_SLOTS(40);
	scenario_expect(3);
	scenario_start(evicts, NULL);
	CHECK_EXITS(0, unmaps);
	scenario_finish();
}

/* ---- 24 -------------------------------------------------------------------------- */

/* Each page is there or it is not. */
static int tries(void *argument)
{
	scenario_meet();
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < PAGES; i++) {
			int error = scenario_try_store((vaddr_t)argument + i * PAGE_SIZE, 7);

			if (error)
				CHECK_ERROR(EFAULT, error);
		}
	return 0;
}

static int cuts(int argc, char **argv)
{
	int file = make_file();
	pid_t pid;

	(void)argc, (void)argv;
	area = test_map(NULL, BYTES, READ_WRITE, MAP_FLAG_SHARED, file, 0);
	test_pages_fill((vaddr_t)area, PAGES, 9);
	pid = test_child(tries, area);
	scenario_meet();
	CHECK_ERROR(0, file_truncate(file, 0));
	CHECK_ERROR(0, file_truncate(file, BYTES));
	CHECK_ENDED(FAULT_OK, 0, pid);
	for (unsigned i = 0; i < PAGES; i++) {
		uint64_t value = test_load((vaddr_t)area + i * PAGE_SIZE);

		CHECK(value == 0 || value == 7);
	}
	return 0;
}

SCENARIO(24, cutting_off_against_faults)
{
	NEED_SLOTS(40);
	scenario_expect(3);
	scenario_start(evicts, NULL);
	CHECK_EXITS(0, cuts);
	scenario_finish();
}
