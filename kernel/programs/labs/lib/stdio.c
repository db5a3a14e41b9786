/*
 * stdio.c: the labs' small C library: printing and reading.
 *
 * Text is made outside the gate, in the program's own stack or memory, so a bad
 * pointer given to printf() is a fault of the program. Its variables are the
 * process's own; threads of one process do not read at the same time.
 */
#include "kernel/programs/labs/include/stdio.h"

#include "kernel/config.h"
#include "kernel/fs/file.h"
#include "kernel/proc/program.h"
#include "kernel/programs/labs/include/errno.h"
#include "kernel/programs/labs/include/stdlib.h"
#include "lib/format.h"
#include "lib/string.h"

#define TEXT_BYTES 512 /* longer texts take memory of the process */

struct file_stream {
	int descriptor;
};

static const struct file_stream streams[] = {{0}, {1}, {2}};

FILE *const stdin = (FILE *)&streams[0];
FILE *const stdout = (FILE *)&streams[1];
FILE *const stderr = (FILE *)&streams[2];

/* ---- Output --------------------------------------------------------------------- */

/* EOF, with errno, if not all of it was written. */
static int output(FILE *stream, const char *text, size_t length)
{
	int64_t count = file_write(stream->descriptor, text, length);

	if (count < 0)
		errno = (int)-count;
	return count == (int64_t)length ? (int)length : EOF;
}

int vfprintf(FILE *stream, const char *fmt, va_list arguments)
{
	char text[TEXT_BYTES];
	va_list again;
	size_t length;
	char *longer;
	int result;

	va_copy(again, arguments);
	length = (size_t)format_v(text, sizeof(text), fmt, arguments);
	if (length < sizeof(text)) {
		result = output(stream, text, length);
	} else {
		longer = malloc(length + 1);
		result = EOF;
		if (longer) {
			(void)format_v(longer, length + 1, fmt, again);
			result = output(stream, longer, length);
			free(longer);
		}
	}
	va_end(again);
	return result;
}

int printf(const char *fmt, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, fmt);
	result = vfprintf(stdout, fmt, arguments);
	va_end(arguments);
	return result;
}

int fprintf(FILE *stream, const char *fmt, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, fmt);
	result = vfprintf(stream, fmt, arguments);
	va_end(arguments);
	return result;
}

int snprintf(char *buffer, size_t size_bytes, const char *fmt, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, fmt);
	result = format_v(buffer, size_bytes, fmt, arguments);
	va_end(arguments);
	return result;
}

int fputs(const char *text, FILE *stream)
{
	return output(stream, text, strlen(text));
}

int puts(const char *text)
{
	return printf("%s\n", text);
}

int putchar(int c)
{
	char byte = (char)c;

	return output(stdout, &byte, 1) == 1 ? (uint8_t)byte : EOF;
}

int fflush(FILE *stream)
{
	(void)stream;
	return 0;
}

void perror(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, errno_text(errno));
}

/* ---- Input ---------------------------------------------------------------------- */

static struct {
	char line[LINE_MAX_BYTES + 2];
	int count; /* bytes in the line, its newline included */
	int at;    /* of the next one */
	bool ended;
} input;

/* The next byte, which stays the next one; EOF at the end, for ever. */
static int peek(void)
{
	if (input.at == input.count && !input.ended) {
		int length = read_line(input.line, sizeof(input.line));

		input.at = input.count = 0;
		input.ended = length < 0;
		if (length >= 0)
			input.count = length;
		/* A line that fills the buffer goes on in the next one. */
		if (length >= 0 && length < (int)sizeof(input.line) - 1)
			input.line[input.count++] = '\n';
	}
	return input.at == input.count ? EOF : (uint8_t)input.line[input.at];
}

int getchar(void)
{
	int c = peek();

	if (c != EOF)
		input.at++;
	return c;
}

char *fgets(char *line, int size_bytes, FILE *stream)
{
	int count = 0, c = 0;

	if (stream != stdin)
		return NULL;
	while (c != '\n' && count < size_bytes - 1 && (c = getchar()) != EOF)
		line[count++] = (char)c;
	if (count == 0)
		return NULL;
	line[count] = '\0';
	return line;
}

static bool is_blank(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_blanks(void)
{
	while (is_blank(peek()))
		(void)getchar();
}

/* A number at this place of the input; false if there is none. */
static bool scan_number(long *value)
{
	char text[32];
	size_t length = 0;
	int c;

	skip_blanks();
	c = peek();
	if (c == '-' || c == '+')
		text[length++] = (char)getchar();
	c = peek();
	if (c < '0' || c > '9')
		return false;
	while ((c = peek()) >= '0' && c <= '9') {
		(void)getchar();
		if (length < sizeof(text) - 1) /* so long a one is out of range with fewer, too */
			text[length++] = (char)c;
	}
	text[length] = '\0';
	*value = strtol(text, NULL, 10);
	return true;
}

/* One conversion of scanf; *fmt stands behind its %. False: the input does not fit it. */
static bool scan_one(const char **fmt, va_list *arguments)
{
	bool is_long = **fmt == 'l';
	char conversion = (*fmt)[is_long];
	long value;

	*fmt += is_long + 1;
	if (conversion == 'c') {
		int c = getchar();

		if (c != EOF)
			*va_arg(*arguments, char *) = (char)c;
		return c != EOF;
	}
	if ((conversion != 'd' && conversion != 'u') || !scan_number(&value))
		return false;
	if (is_long)
		*va_arg(*arguments, long *) = value;
	else
		*va_arg(*arguments, int *) = (int)value;
	return true;
}

int scanf(const char *fmt, ...)
{
	va_list arguments;
	int converted = 0;

	va_start(arguments, fmt);
	while (*fmt) {
		if (is_blank(*fmt)) {
			skip_blanks();
			fmt++;
		} else if (*fmt == '%') {
			fmt++;
			if (!scan_one(&fmt, &arguments))
				break;
			converted++;
		} else if (peek() == *fmt) {
			(void)getchar();
			fmt++;
		} else {
			break;
		}
	}
	va_end(arguments);
	return converted == 0 && peek() == EOF ? EOF : converted;
}
