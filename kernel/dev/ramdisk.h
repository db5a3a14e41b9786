/*
 * ramdisk.h: a block device in RAM that is nobody's else: frames in state
 * ramdisk, in a few contiguous extents (memory has holes).
 */
#pragma once

#include "kernel/dev/block_device.h"

#define RAMDISK_EXTENT_MAX 8

struct ramdisk_extent {
	paddr_t base;
	uint64_t block_count;
	/* By ramdisk_init: */
	uint64_t end; /* the first block behind it */
	char *origin; /* where the disk's block 0 were, if it lay in this extent */
};

struct ramdisk {
	struct block_device device; /* must be first */
	unsigned extent_count;
	struct ramdisk_extent extents[RAMDISK_EXTENT_MAX];
};

/* Makes a device of the extents that the caller has filled in. */
void ramdisk_init(struct ramdisk *ramdisk);

/* The bytes of a block, for tests that damage it. */
void *ramdisk_block(struct ramdisk *ramdisk, uint64_t block);
