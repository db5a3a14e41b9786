/*
 * rc4.h: a stream of bytes from a key, as the memory tests of Pintos use it to
 * fill pages with something that no mistake reproduces. Not for secrets.
 */
#pragma once

#include "lib/types.h"

struct rc4 {
	uint8_t state[256];
	uint8_t i, j;
};

/* key_bytes is 1 to 256. */
void rc4_init(struct rc4 *rc4, const void *key, size_t key_bytes);

/* XORs the stream onto the bytes: twice from the same start gives them back. */
void rc4_crypt(struct rc4 *rc4, void *data, size_t size_bytes);
