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

	while (UNLIKELY(block >= extent->block_count)) {
		block -= extent->block_count;
		extent++;
		ASSERT(extent < ramdisk->extents + ramdisk->extent_count);
	}
	return direct_map(extent->base + block * PAGE_SIZE);
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
	ramdisk->device.name = "ramdisk";
	ramdisk->device.block_count = 0;
	ramdisk->device.write = ramdisk_write;
	ramdisk->device.read = ramdisk_read;
	for (unsigned i = 0; i < ramdisk->extent_count; i++)
		ramdisk->device.block_count += ramdisk->extents[i].block_count;
}
