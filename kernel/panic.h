/*
 * panic.h: the end, for bugs of our own only. Says who, where and why, with
 * symbols, stops the other CPUs and ends QEMU with a failing status.
 */
#pragma once

#include "lib/types.h"

struct trap_frame;

/* Prints the message, this thread's backtrace and every CPU's position; never returns. */
NORETURN COLD void panic(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same from a trap: prints the registers and backtraces the interrupted code. */
NORETURN COLD void panic_trap(const struct trap_frame *frame, const char *format, ...)
	PRINTF_LIKE(2, 3);

/*
 * What other rooms add to the report; weak until they do. They run with
 * interrupts off, the other CPUs stopped, maybe holding any lock: take none.
 */

/* Writes to the console as it is; serial_write() by default. */
void console_panic_write(const char *bytes, size_t count);

/* Tells with panic_print() which thread and process this CPU runs; nothing by default. */
void panic_describe_thread(void);

/* Overridden by tests/schedule: the scenario that runs, and its seed. */
void panic_describe_test(void);

/* A part of the report, for panic_describe_thread(). */
void panic_print(const char *format, ...) PRINTF_LIKE(1, 2);
