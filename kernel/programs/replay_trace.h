/*
 * replay_trace.h: reads the text of a page-reference trace, one reference at a
 * time. Two formats, told apart by themselves:
 *
 * - what `valgrind --tool=lackey --trace-mem=yes` prints: "I  addr,size" (a load),
 *   " L addr,size" (a load), " S addr,size" (a store), " M addr,size" (one store),
 *   addresses in hexadecimal, sizes of 1 to 4096 bytes in decimal; every other
 *   line is skipped;
 * - one page number a line, decimal or 0x hexadecimal, a load; lines that begin
 *   with # or * are skipped, and empty ones.
 *
 * Lines end in LF or CR LF, the last one perhaps in nothing. The first line that
 * is a reference or begins with == decides the format. A reference that spans
 * two pages is two references.
 *
 * Pure logic: no memory is allocated, nothing sleeps, no lock is taken. The
 * trace's bytes need no NUL and must stay while it is read.
 */
#pragma once

#include "lib/types.h"

struct replay_reference {
	uint64_t page; /* address / 4096 */
	bool store;
};

enum replay_format { REPLAY_LACKEY, REPLAY_PAGE_NUMBERS };

struct replay_trace {
	const char *data;
	size_t size_bytes;
	size_t offset; /* of the first byte not read yet */
	enum replay_format format;
	uint64_t reference_count; /* given so far */
	uint64_t line;		  /* of the last reference or the problem; 0: the whole file */
	const char *problem;	  /* after an error: a sentence without a full stop */
	struct replay_reference second; /* the other page of a reference that spans two */
	bool second_waits;
};

/* 0, or -EINVAL for a file that is no trace at all, with line and problem set. */
MUST_CHECK int replay_trace_open(struct replay_trace *trace, const char *data, size_t size_bytes);

/*
 * 1 and the next reference; 0 at the end; -EINVAL for a line that cannot be read
 * or a trace without a reference, with line and problem set (and again if called
 * again).
 */
MUST_CHECK int replay_trace_next(struct replay_trace *trace, struct replay_reference *reference);
