/*
 * ramdisk.c: the RAM disk behind swap. It copies bytes, no frame changes sides.
 * Takes no lock: the caller holds the block it reads or writes.
 */
#include "kernel/dev/ramdisk.h"

#include "arch/x86_64/direct.h"
#include "arch/x86_64/page_bytes.h"
#include "lib/assert.h"

void *ramdisk_block(struct ramdisk *ramdisk, uint64_t block)
{
	const struct ramdisk_extent *extent = ramdisk->extents;

	while (UNLIKELY(block >= extent->end)) {
		ASSERT(block < ramdisk->device.block_count);
		extent++;
	}
	return extent->origin + block * PAGE_SIZE;
}

static struct page_copied ramdisk_write(uint64_t block, const void *page,
					struct block_device *device)
{
	return page_copy_sum(ramdisk_block((struct ramdisk *)device, block), page);
}

static struct page_copied ramdisk_read(void *page, uint64_t block, struct block_device *device)
{
	return page_copy_sum(page, ramdisk_block((struct ramdisk *)device, block));
}

void ramdisk_init(struct ramdisk *ramdisk)
{
	uint64_t first = 0;

	for (unsigned i = 0; i < ramdisk->extent_count; i++) {
		struct ramdisk_extent *extent = &ramdisk->extents[i];

		extent->origin = (char *)direct_map(extent->base) - first * PAGE_SIZE;
		first += extent->block_count;
		extent->end = first;
	}
	ramdisk->device = (struct block_device){
		.name = "ramdisk",
		.block_count = first,
		.write = ramdisk_write,
		.read = ramdisk_read,
	};
}
