/*
 * rc4.c: see rc4.h.
 */
#include "lib/rc4.h"

static void state_swap(struct rc4 *rc4, uint8_t i, uint8_t j)
{
	uint8_t byte = rc4->state[i];

	rc4->state[i] = rc4->state[j];
	rc4->state[j] = byte;
}

void rc4_init(struct rc4 *rc4, const void *key, size_t key_bytes)
{
	const uint8_t *bytes = key;
	uint8_t j = 0;

	for (unsigned i = 0; i < 256; i++)
		rc4->state[i] = (uint8_t)i;
	for (unsigned i = 0; i < 256; i++) {
		j = (uint8_t)(j + rc4->state[i] + bytes[i % key_bytes]);
		state_swap(rc4, (uint8_t)i, j);
	}
	rc4->i = rc4->j = 0;
}

void rc4_crypt(struct rc4 *rc4, void *data, size_t size_bytes)
{
	uint8_t *bytes = data;

	for (size_t n = 0; n < size_bytes; n++) {
		uint8_t sum;

		rc4->i++;
		rc4->j = (uint8_t)(rc4->j + rc4->state[rc4->i]);
		state_swap(rc4, rc4->i, rc4->j);
		sum = (uint8_t)(rc4->state[rc4->i] + rc4->state[rc4->j]);
		bytes[n] ^= rc4->state[sum];
	}
}
