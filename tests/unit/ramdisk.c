/*
 * ramdisk.c: a RAM disk of several extents, as memory with holes makes it.
 */
#include "kernel/dev/ramdisk.h"

#include "arch/x86_64/direct.h"
#include "kernel/mm/kernel_pages.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"

#define BLOCKS 3

/* Three pages somewhere, an extent each. */
static void disk_make(struct ramdisk *disk, char *pages[BLOCKS])
{
	*disk = (struct ramdisk){.extent_count = BLOCKS};
	for (unsigned i = 0; i < BLOCKS; i++) {
		pages[i] = kernel_page_alloc();
		disk->extents[i].base = direct_to_phys(pages[i]);
		disk->extents[i].block_count = 1;
	}
	ramdisk_init(disk);
}

TEST(ramdisk, each_block_has_its_place)
{
	char *pages[BLOCKS], *page = kernel_page_alloc();
	struct ramdisk disk;

	disk_make(&disk, pages);
	CHECK_EQUAL(BLOCKS, disk.device.block_count);
	for (unsigned i = 0; i < BLOCKS; i++) {
		struct page_copied written, read;
		uint64_t flags;

		CHECK(ramdisk_block(&disk, i) == pages[i]);
		memset(page, (int)i + 1, PAGE_SIZE);
		flags = irq_save();
		written = disk.device.write(i, page, &disk.device);
		memset(page, 0, PAGE_SIZE);
		read = disk.device.read(page, i, &disk.device);
		irq_restore(flags);
		CHECK_EQUAL(0, written.error);
		CHECK_EQUAL(0, read.error);
		CHECK_EQUAL(written.sum, read.sum);
		CHECK_EQUAL(i + 1, page[0]);
		CHECK(memcmp(page, pages[i], PAGE_SIZE) == 0);
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		kernel_page_free(pages[i]);
	kernel_page_free(page);
}
