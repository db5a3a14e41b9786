/*
 * check.c: collecting violations.
 */
#include "kernel/mm/check.h"

#include "lib/format.h"

void check_fail(struct check *check, unsigned invariant, const char *fmt, ...)
{
	va_list arguments;
	char *line;
	int length;

	if (check->violations++ >= CHECK_LINES_MAX)
		return;
	line = check->lines[check->line_count++];
	length = format(line, CHECK_LINE_BYTES, "I%u: ", invariant);
	va_start(arguments, fmt);
	(void)format_v(line + length, CHECK_LINE_BYTES - (size_t)length, fmt, arguments);
	va_end(arguments);
}
