/*
 * format.h: text from numbers and strings, into a buffer of the caller's.
 *
 * Conversions: %d %i %u %x %X %o %c %s %p %%, with the lengths hh h l ll z, a
 * width, a precision (both also as *), and the flags - 0 + space #. %p is
 * 0x and 16 digits, as every address on the console. No floats, no %n: a text
 * that came from outside is never a format, but if it were, it could not write.
 * An unknown conversion is copied as it stands.
 */
#pragma once

#include <stdarg.h>

#include "lib/types.h"

/*
 * Writes at most size_bytes - 1 characters and a NUL; with size_bytes 0 nothing
 * (buffer may then be NULL). Returns the length the whole text has, so a result
 * >= size_bytes says that it was cut. Never sleeps, takes no lock.
 */
int format(char *buffer, size_t size_bytes, const char *fmt, ...) PRINTF_LIKE(3, 4);
int format_v(char *buffer, size_t size_bytes, const char *fmt, va_list arguments)
	PRINTF_LIKE(3, 0);
