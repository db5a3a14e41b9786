/*
 * string.h: bytes and NUL-terminated text. The names C has mean what C says
 * (GCC calls memcpy, memmove, memset and memcmp on its own, even freestanding).
 */
#pragma once

#include "lib/types.h"

void *memcpy(void *to, const void *from, size_t size_bytes);
void *memmove(void *to, const void *from, size_t size_bytes); /* may overlap */
void *memset(void *to, int byte, size_t size_bytes);
int memcmp(const void *a, const void *b, size_t size_bytes);

size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t length);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);
char *strstr(const char *text, const char *part); /* quadratic: for short texts */

/*
 * Copies at most size_bytes - 1 characters and always ends them with a NUL
 * (unless size_bytes is 0). Returns the length of from: >= size_bytes says that
 * it was cut (OpenBSD's strlcpy).
 */
size_t string_copy(char *to, const char *from, size_t size_bytes);
