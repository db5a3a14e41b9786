/*
 * backtrace.h: who called whom, by the chain of frame pointers.
 */
#pragma once

#include "lib/types.h"

struct trap_frame;

#define BACKTRACE_MAX 32 /* calls named; a recursion says no more by being longer */

/* Called for each line, without a newline: "#0  0xffffffffc0101234 name+0x12". */
typedef void backtrace_line(const char *text);

/*
 * Names the callers that the chain from `frame` (a frame pointer) leads to,
 * across traps too; backtrace_trap() the interrupted code first. Neither ever
 * faults: a frame is followed only inside a kernel stack or the boot stack,
 * mapped, aligned and above the last.
 */
void backtrace(vaddr_t frame, backtrace_line *line);
void backtrace_trap(const struct trap_frame *trap, backtrace_line *line);

/* "0xffffffffc0101234 name+0x12" into the buffer; cut if it does not fit. */
void backtrace_name(vaddr_t address, char *buffer, size_t size_bytes);
