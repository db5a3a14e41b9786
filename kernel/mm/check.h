/*
 * check.h: verifies every invariant at a quiescent point. Each room checks its
 * own part; check.c calls them in order and those that span rooms.
 *
 * The numbers are those printed as `I7: sentence`:
 *   1 each frame in exactly one state, the census adds up to RAM
 *   2 free frames: counters, bitmap, magazines and descriptors agree; poison intact
 *   3 a present entry's frame is owned by that process at that address; a shared
 *     frame is the page of one object
 *   4 no process-half entry maps a page-table, free, kernel or ramdisk frame
 *   5 each page-table frame is reachable from one root; kernel halves are identical
 *   6 reserved bits zero; nothing both writable and executable; no global bit
 *   7 each evictable page is on the policy's lists once; links and lengths agree
 *   8 the used slots are those that entries and clean resident pages hold, once each
 *   9 a clean resident page that kept its slot has the slot's bytes
 *  10 every entry lies in an allocated block; a block's pages add up
 *  11 commit counters equal a recount and fit; dead processes own nothing
 *  12 nothing in transit, no pins, no lock held, all shootdowns acknowledged
 *  13 semaphores and blocked threads: each on exactly one queue
 *  14 stack canaries and guard pages intact
 */
#pragma once

#include "lib/types.h"

#define CHECK_LINES_MAX 32
#define CHECK_LINE_BYTES 160

struct check {
	unsigned violations;                           /* all of them */
	unsigned line_count;                           /* kept below, the first ones */
	char lines[CHECK_LINES_MAX][CHECK_LINE_BYTES]; /* "I7: sentence" */
	uint64_t frames, slots, pids;                  /* for `check: ok frames N slots N pids N` */
};

/* Notes one violation. */
void check_fail(struct check *check, unsigned invariant, const char *format, ...) PRINTF_LIKE(3, 4);
