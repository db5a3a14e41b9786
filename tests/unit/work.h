/*
 * work.h: what the work_*.c have in common: ordinary programs' work, done by
 * processes whose pages are more than the frames they may have. A byte that is
 * lost, old or somebody else's shows in the result.
 */
#pragma once

#include "tests/unit/ktap.h"

/*
 * Calls body once at each resident limit of pages / 1, / 2 and / 4, as far as
 * the limit at the start allows: with `frames=32` all of them at 32. For a TEST.
 */
void work_at_limits(uint64_t pages, void (*body)(void));

/* Runs `count` processes of main at once; argv[0] is each one's number. Each must exit with 0. */
#define WORK_PROCESSES(count, main) work_processes(count, main, #main, __FILE__, __LINE__)
#define WORK_PROCESSES_MAX 32u
void work_processes(unsigned count, test_main *main, const char *what, const char *file, int line);

/* The number of the process, from its arguments. */
unsigned work_number(int argc, char **argv);

/* Runs threads entry(0) .. entry(count - 1) of the current process at once, and joins them. */
void work_threads(unsigned count, void (*entry)(void *number));

/* vmap_malloc for the current process; a failure fails the test and gives NULL. */
void *work_malloc(uint64_t size_bytes);
void work_free(void *block);

/* Bytes of a block that are not `byte`. */
uint64_t work_bytes_other_than(uint8_t byte, const uint8_t *block, uint64_t size_bytes);

/* FNV-1a (Fowler, Noll, Vo), 64 bits: of bytes in their order. */
uint64_t work_hash(const void *bytes, uint64_t size_bytes);
