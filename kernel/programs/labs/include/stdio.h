/*
 * stdio.h: of the labs' small C library.
 *
 * Output is not buffered: what is printed is on the console. Input comes by
 * lines, as a terminal has it. Conversions of printf() are those of
 * lib/format.h, of scanf() %d %u %ld %lu and %c, without widths.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#define EOF (-1)

typedef struct file_stream FILE;

extern FILE *const stdin;
extern FILE *const stdout;
extern FILE *const stderr;

int printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int fprintf(FILE *stream, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int vfprintf(FILE *stream, const char *fmt, va_list arguments)
	__attribute__((format(printf, 2, 0)));
int snprintf(char *buffer, size_t size_bytes, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int puts(const char *text);
int fputs(const char *text, FILE *stream);
int putchar(int c);
int fflush(FILE *stream);
void perror(const char *what);

int getchar(void);
char *fgets(char *line, int size_bytes, FILE *stream);
int scanf(const char *fmt, ...) __attribute__((format(scanf, 1, 2)));
