/*
 * multiboot.h: the structures of both multiboot protocols, as far as quire
 * reads them. Multiboot Specification 0.6.96, section 3.3; Multiboot2
 * Specification 2.0, section 3.6. Everything is little-endian and may be
 * unaligned.
 */
#pragma once

#include "lib/assert.h"
#include "lib/types.h"

#define MULTIBOOT1_BOOT_MAGIC 0x2badb002
#define MULTIBOOT2_BOOT_MAGIC 0x36d76289

/* struct multiboot1_info.flags: which fields are valid. */
#define MULTIBOOT1_COMMAND_LINE (1u << 2)
#define MULTIBOOT1_MODULES (1u << 3)
#define MULTIBOOT1_MEMORY_MAP (1u << 6)
#define MULTIBOOT1_LOADER_NAME (1u << 9)

struct multiboot1_info {
	uint32_t flags;
	uint32_t memory_lower, memory_upper;
	uint32_t boot_device;
	uint32_t command_line;
	uint32_t module_count;
	uint32_t modules; /* struct multiboot1_module[] */
	uint32_t symbols[4];
	uint32_t memory_map_bytes;
	uint32_t memory_map; /* struct multiboot1_range, one after the other */
	uint32_t drives_bytes, drives;
	uint32_t config_table;
	uint32_t loader_name;
} __attribute__((packed));
STATIC_ASSERT(offsetof(struct multiboot1_info, loader_name) == 64);

struct multiboot1_module {
	uint32_t start, end;
	uint32_t string;
	uint32_t reserved;
} __attribute__((packed));
STATIC_ASSERT(sizeof(struct multiboot1_module) == 16);

struct multiboot1_range {
	uint32_t entry_bytes; /* of what follows */
	uint64_t base;
	uint64_t size_bytes;
	uint32_t kind;
} __attribute__((packed));
STATIC_ASSERT(sizeof(struct multiboot1_range) == 24);

/* At the start of the information; the tags follow, each on a multiple of 8. */
struct multiboot2_info {
	uint32_t total_bytes;
	uint32_t reserved;
} __attribute__((packed));

enum multiboot2_tag_kind {
	MULTIBOOT2_END = 0,
	MULTIBOOT2_COMMAND_LINE = 1, /* a string */
	MULTIBOOT2_LOADER_NAME = 2,  /* a string */
	MULTIBOOT2_MODULE = 3,
	MULTIBOOT2_MEMORY_MAP = 6,
	MULTIBOOT2_ACPI_OLD = 14, /* a copy of the RSDP of ACPI 1 */
	MULTIBOOT2_ACPI_NEW = 15, /* and of ACPI 2 and later */
};

struct multiboot2_tag {
	uint32_t kind;
	uint32_t size_bytes; /* with this header, without the padding to 8 */
} __attribute__((packed));

struct multiboot2_module {
	struct multiboot2_tag tag;
	uint32_t start, end;
	char string[];
} __attribute__((packed));
STATIC_ASSERT(sizeof(struct multiboot2_module) == 16);

struct multiboot2_range {
	uint64_t base;
	uint64_t size_bytes;
	uint32_t kind;
	uint32_t reserved;
} __attribute__((packed));
STATIC_ASSERT(sizeof(struct multiboot2_range) == 24);

struct multiboot2_memory_map {
	struct multiboot2_tag tag;
	uint32_t entry_bytes;
	uint32_t entry_version;
	char entries[];
} __attribute__((packed));
STATIC_ASSERT(sizeof(struct multiboot2_memory_map) == 16);
