/*
 * pages.h: what tests of memory have in common.
 */
#pragma once

#include "kernel/dev/block_device.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/vmap.h"
#include "lib/types.h"

/* Every page of every process that can leave memory now leaves it. */
void test_evict_all(void);

/* The same of so many pages at most, while others may bring theirs back all the time. */
void test_evict(unsigned count);

/* The entry of an address of the current process; and of a process that is kept from ending. */
pte_t *test_entry(vaddr_t address);

/* Evicts until the page at the address of the current process is in a swap slot; returns the slot.
 */
uint32_t test_swap_out(vaddr_t address);

/* Stores 8 bytes a page that tell the page, the place and the seed; and compares: pages that
 * differ. */
void test_pages_fill(vaddr_t address, uint64_t pages, uint64_t seed);
uint64_t test_pages_verify(vaddr_t address, uint64_t pages, uint64_t seed);

/* Sets the resident limit for the time of a test; test_limit_restore() gives the former back. */
void test_limit_set(uint64_t limit);
void test_limit_restore(void);

/* Ends the test's function where the machine has too few slots, or too few pages to promise. */
#define NEED_SLOTS(count)                                                                \
	do {                                                                             \
		if (swap_read_counts().slots < (count))                                  \
			SKIP("%lu slots of swap are too few", swap_read_counts().slots); \
	} while (0)
#define NEED_PAGES(count)                                                       \
	do {                                                                    \
		if (commit_read().available < (count))                          \
			SKIP("%ld pages are too few", commit_read().available); \
	} while (0)

/* ---- A swap device that fails ------------------------------------------------ */

/*
 * Before the real device, once installed: the n-th write or read from now
 * fails, and with `every` each `every`-th after it; 0: none. Counts both.
 */
struct failing_device {
	struct block_device device; /* must be first */
	struct block_device *real;
	uint64_t write_nth, write_every, writes;
	uint64_t read_nth, read_every, reads;
};

void failing_device_install(struct failing_device *failing);
/* The real device again. Slots whose writes failed are good again. */
void failing_device_remove(struct failing_device *failing);
