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

/* Unmaps; a failure fails the test. */
void test_unmap(char *address, size_t size_bytes);
