/*
 * stdlib.h: of the labs' small C library. malloc() is vmap_malloc().
 */
#pragma once

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

void exit(int status) __attribute__((noreturn));

void *malloc(size_t size_bytes);
void free(void *block);

/* Base 10 only, whatever is asked for; beyond long: LONG_MIN or LONG_MAX, and ERANGE. */
long strtol(const char *text, char **end, int base);
int atoi(const char *text);
