/*
 * map.c: see map.h.
 */
#include "tests/unit/map.h"

#include "kernel/fs/file.h"
#include "kernel/fs/map.h"
#include "kernel/proc/process.h"
#include "tests/unit/ktap.h"

char *test_map(void *hint, size_t size_bytes, int protection, int flags, int descriptor,
	       int64_t offset)
{
	void *address = hint;

	if (!CHECK_ERROR(0,
			 map_memory(&address, size_bytes, protection, flags, descriptor, offset)))
		process_exit(1);
	return address;
}

char *test_anonymous(size_t size_bytes)
{
	return test_map(NULL, size_bytes, MAP_PROTECTION_READ | MAP_PROTECTION_WRITE,
			MAP_FLAG_SHARED | MAP_FLAG_ANONYMOUS, -1, 0);
}

void test_unmap(char *address, size_t size_bytes)
{
	CHECK_ERROR(0, unmap_memory(address, size_bytes));
}

int test_file_make(const char *name)
{
	int file = file_open(name, FILE_READ_WRITE | FILE_CREATE | FILE_TRUNCATE);

	CHECK(file >= 3);
	return file;
}

void test_file_remove(int descriptor, const char *name)
{
	CHECK_ERROR(0, file_close(descriptor));
	CHECK_ERROR(0, file_unlink(name));
}

pid_t test_child(int (*function)(void *argument), void *argument)
{
	pid_t pid = process_start(function, argument);

	if (!CHECK(pid > 0))
		return 0;
	return pid;
}
