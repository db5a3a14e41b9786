/*
 * string.c: see string.h.
 *
 * Bulk moves are `rep movsq` and `rep stosq`: one instruction per eight bytes
 * whatever the machine, no vector registers. `rep movsb` is quick only on CPUs
 * that have ERMS, and QEMU moves one byte at a time for it. The direction flag
 * stays clear (the ABI's promise), so a backward move is a plain loop.
 *
 * GCC knows loops that amount to memset or strlen and would replace the body of
 * strlen() by a call of strlen(): LOOP_KEEP() inside hides the loop from it.
 */
#include "lib/string.h"

#define LOOP_KEEP() __asm__ volatile("")

/* Scalars at any address, whatever type lives there. */
typedef uint64_t any64 __attribute__((may_alias, aligned(1)));
typedef uint32_t any32 __attribute__((may_alias, aligned(1)));
typedef uint16_t any16 __attribute__((may_alias, aligned(1)));

void *memcpy(void *to, const void *from, size_t size_bytes)
{
	char *target = to;
	const char *source = from;
	size_t words = size_bytes / 8;

	__asm__ volatile("rep movsq" : "+D"(target), "+S"(source), "+c"(words) : : "memory");
	if (size_bytes & 4) {
		*(any32 *)target = *(const any32 *)source;
		target += 4;
		source += 4;
	}
	if (size_bytes & 2) {
		*(any16 *)target = *(const any16 *)source;
		target += 2;
		source += 2;
	}
	if (size_bytes & 1)
		*target = *source;
	return to;
}

void *memmove(void *to, const void *from, size_t size_bytes)
{
	char *target = to;
	const char *source = from;

	/* Forward is right unless the target begins inside the source. */
	if ((uintptr_t)to - (uintptr_t)from >= size_bytes)
		return memcpy(to, from, size_bytes);
	while (size_bytes & 7) {
		size_bytes--;
		target[size_bytes] = source[size_bytes];
		LOOP_KEEP();
	}
	while (size_bytes > 0) {
		size_bytes -= 8;
		*(any64 *)(target + size_bytes) = *(const any64 *)(source + size_bytes);
		LOOP_KEEP();
	}
	return to;
}

void *memset(void *to, int byte, size_t size_bytes)
{
	char *target = to;
	uint64_t pattern = 0x0101010101010101u * (unsigned char)byte;
	size_t words = size_bytes / 8;

	__asm__ volatile("rep stosq" : "+D"(target), "+c"(words) : "a"(pattern) : "memory");
	if (size_bytes & 4) {
		*(any32 *)target = (uint32_t)pattern;
		target += 4;
	}
	if (size_bytes & 2) {
		*(any16 *)target = (uint16_t)pattern;
		target += 2;
	}
	if (size_bytes & 1)
		*target = (char)pattern;
	return to;
}

int memcmp(const void *a, const void *b, size_t size_bytes)
{
	const unsigned char *x = a, *y = b;
	size_t i = 0;

	while (i + 8 <= size_bytes && *(const any64 *)(x + i) == *(const any64 *)(y + i))
		i += 8;
	for (; i < size_bytes; i++) {
		LOOP_KEEP();
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0') {
		LOOP_KEEP();
		length++;
	}
	return length;
}

int strncmp(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char x = (unsigned char)a[i], y = (unsigned char)b[i];

		if (x != y)
			return x < y ? -1 : 1;
		if (x == '\0')
			break;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int c)
{
	for (;; text++) {
		LOOP_KEEP();
		if (*text == (char)c)
			return (char *)(uintptr_t)text;
		if (*text == '\0')
			return NULL;
	}
}

char *strrchr(const char *text, int c)
{
	const char *last = NULL;

	for (;; text++) {
		LOOP_KEEP();
		if (*text == (char)c)
			last = text;
		if (*text == '\0')
			return (char *)(uintptr_t)last;
	}
}

char *strstr(const char *text, const char *part)
{
	size_t length = strlen(part);

	for (;; text++) {
		if (strncmp(text, part, length) == 0)
			return (char *)(uintptr_t)text;
		if (*text == '\0')
			return NULL;
	}
}

size_t string_copy(char *to, const char *from, size_t size_bytes)
{
	size_t length = strlen(from);
	size_t copied = MIN(length, size_bytes - 1);

	if (size_bytes == 0)
		return length;
	memcpy(to, from, copied);
	to[copied] = '\0';
	return length;
}
