/*
 * boot_info.h: what the loader told us, the same whichever loader it was.
 */
#pragma once

#include "lib/types.h"

#define BOOT_RANGE_MAX 256
#define BOOT_MODULE_MAX 32

enum boot_range_kind {
	BOOT_RANGE_USABLE = 1, /* numbers of multiboot's memory map */
	BOOT_RANGE_RESERVED = 2,
	BOOT_RANGE_ACPI = 3,
	BOOT_RANGE_NVS = 4,
	BOOT_RANGE_BAD = 5,
};

/* As the loader gave it: unsorted, overlapping, unaligned ranges occur. */
struct boot_range {
	paddr_t base;
	uint64_t size_bytes;
	enum boot_range_kind kind;
};

struct boot_module {
	paddr_t base;
	uint64_t size_bytes;
	const char *label; /* "script", "trace NAME"; "" if it had none; direct-map address */
};

struct boot_info {
	const char *loader;        /* "GRUB 2.06", "qemu" */
	const char *command_line;  /* without the kernel's path; NUL-ended, in the direct map */
	size_t command_line_bytes; /* without the NUL */
	paddr_t rsdp;              /* ACPI root pointer, 0 if none was found */
	/* What must not be overwritten while this structure's strings are used. */
	paddr_t info_base;
	uint64_t info_bytes;
	paddr_t command_line_base;
	unsigned range_count;
	unsigned ranges_dropped; /* more than BOOT_RANGE_MAX were given */
	struct boot_range ranges[BOOT_RANGE_MAX];
	unsigned module_count;
	unsigned modules_dropped;
	struct boot_module modules[BOOT_MODULE_MAX];
};

/*
 * Reads the loader's structures into *info.
 * magic, address: eax and ebx at entry (multiboot 1 section 3.2, multiboot 2
 * section 3.3); the structures lie below 4 GiB, which boot.S has mapped.
 * An unknown magic number gives an info with no ranges.
 */
void boot_info_read(struct boot_info *info, uint32_t magic, uint32_t address);
