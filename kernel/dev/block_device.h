/*
 * block_device.h: something that stores pages by number.
 *
 * A backend moves the bytes and, as they pass, sums them: a sum costs little
 * there and a second pass over the page would cost much. page_bytes.h has the
 * sum; a backend whose bytes pass elsewhere (a disk) calls page_sum().
 */
#pragma once

#include "lib/types.h"

struct block_device {
	const char *name;
	uint64_t block_count; /* of PAGE_SIZE bytes */
	/*
	 * Move one block to or from a page in the direct map. 0 or -EIO.
	 * *sum: page_sum() of the bytes that went by. No spinlock is held.
	 */
	int (*write)(struct block_device *device, uint64_t block, const void *page, uint64_t *sum);
	int (*read)(struct block_device *device, uint64_t block, void *page, uint64_t *sum);
};
