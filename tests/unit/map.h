/*
 * map.h: what tests of mappings have in common.
 */
#pragma once

#include "lib/types.h"

/* Maps in the current process, as map_memory(); a failure fails the test, and ends the process. */
char *test_map(void *hint, size_t size_bytes, int protection, int flags, int descriptor,
	       int64_t offset);

/* The same of memory that is shared, to be read and written. */
char *test_anonymous(size_t size_bytes);

/* An empty file, made anew: its descriptor; and away with it and its name. */
int test_file_make(const char *name);
void test_file_remove(int descriptor, const char *name);

/* A process that runs the function, as process_start(), or a failed test and 0. */
pid_t test_child(int (*function)(void *argument), void *argument);

/* Unmaps; a failure fails the test. */
void test_unmap(char *address, size_t size_bytes);
