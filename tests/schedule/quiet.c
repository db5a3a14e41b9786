/*
 * quiet.c: check, which wants everybody still, against what goes on beside it.
 */
#include "kernel/fs/file.h"
#include "kernel/mm/check.h"
#include "kernel/proc/check_all.h"
#include "tests/schedule/scenario.h"

#define ROUNDS 3u
#define NAME "listed"

static bool checked;

static int makes_a_file(int argc, char **argv)
{
	(void)argc, (void)argv;
	CHECK_EQUAL(3, file_open(NAME, FILE_WRITE | FILE_CREATE));
	return 0;
}

static int removes_it(int argc, char **argv)
{
	(void)argc, (void)argv;
	CHECK_ERROR(0, file_unlink(NAME));
	return 0;
}

/* As the console's `ls` does. */
static void lists_files(void *argument)
{
	(void)argument;
	scenario_meet();
	while (!__atomic_load_n(&checked, __ATOMIC_ACQUIRE)) {
		struct file_info info;
		unsigned place = 0;

		while (file_next(&place, &info))
			continue;
	}
}

static void checks(void *argument)
{
	(void)argument;
	scenario_meet();
	for (unsigned i = 0; i < ROUNDS; i++)
		CHECK_EQUAL(0, check_all()->violations);
	__atomic_store_n(&checked, true, __ATOMIC_RELEASE);
}

SCENARIO(25, check_against_a_list_of_files)
{
	CHECK_EXITS(0, makes_a_file);
	checked = false;
	scenario_expect(2);
	scenario_start(lists_files, NULL);
	scenario_start(checks, NULL);
	scenario_finish();
	CHECK_EXITS(0, removes_it);
}
