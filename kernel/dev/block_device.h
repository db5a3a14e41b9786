/*
 * block_device.h: something that stores pages by number.
 *
 * A backend moves the bytes and, as they pass, sums them: a sum costs little
 * there and a second pass over the page would cost much. page_bytes.h has the
 * sum; a backend whose bytes pass elsewhere (a disk) calls page_sum().
 */
#pragma once

#include "arch/x86_64/page_bytes.h"

struct block_device {
	const char *name;
	uint64_t block_count; /* of PAGE_SIZE bytes */
	/*
	 * Copy a page of the direct map to a block, or a block to such a page: the
	 * destination comes first. Interrupts are off, no spinlock is held.
	 */
	struct page_copied (*write)(uint64_t block, const void *page, struct block_device *device);
	struct page_copied (*read)(void *page, uint64_t block, struct block_device *device);
};
