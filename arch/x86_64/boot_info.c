/*
 * boot_info.c: reads what a multiboot loader left in memory.
 *
 * Invariants:
 * 1. Nothing is read beyond the size that the loader gave for it, nor above
 *    4 GiB; a length that does not fit ends the reading of that structure.
 * 2. Numbers and ranges are copied; only texts stay where the loader put them,
 *    and info_base and info_bytes span all of them.
 * 3. Every text ends with a NUL: one without (or longer than TEXT_MAX) is cut by
 *    writing a NUL over its last byte.
 *
 * Ranges and modules are not checked against each other or against RAM: that
 * is mm's to do.
 */
#include "arch/x86_64/boot_info.h"

#include "arch/x86_64/direct.h"
#include "arch/x86_64/multiboot.h"
#include "lib/string.h"

/* Multiboot 1 gives no length with a text; QEMU passes on command lines of 64 KiB. */
#define TEXT_MAX (64 * 1024 + 1)
#define MAPPED_END GIB(4)

/* Before a module's label in its string, if what stands before that is a path. */
#define LABEL_MARK "quire:"

/* Extends info_base and info_bytes to span these bytes too. */
static void info_span(struct boot_info *info, paddr_t base, uint64_t size_bytes)
{
	paddr_t start = info->info_bytes ? MIN(info->info_base, base) : base;
	paddr_t end = MAX(info->info_base + info->info_bytes, base + size_bytes);

	info->info_base = start;
	info->info_bytes = end - start;
}

/* The text at `address`, of at most limit_bytes with its NUL. */
static const char *text_read(struct boot_info *info, paddr_t address, uint64_t limit_bytes)
{
	char *text = direct_map(address);
	uint64_t length = 0;

	limit_bytes = MIN(limit_bytes, MIN((uint64_t)TEXT_MAX, MAPPED_END - address));
	if (limit_bytes == 0)
		return "";
	while (length < limit_bytes - 1 && text[length] != '\0')
		length++;
	text[length] = '\0';
	info_span(info, address, length + 1);
	return text;
}

static void range_add(struct boot_info *info, paddr_t base, uint64_t size_bytes, uint32_t kind)
{
	if (info->range_count == BOOT_RANGE_MAX) {
		info->ranges_dropped++;
		return;
	}
	if (kind < BOOT_RANGE_USABLE || kind > BOOT_RANGE_BAD)
		kind = BOOT_RANGE_RESERVED; /* firmware may use kinds of its own */
	info->ranges[info->range_count++] = (struct boot_range){
		.base = base, .size_bytes = size_bytes, .kind = kind
	};
}

/*
 * QEMU hands over "path arguments", GRUB the arguments only; so our tools put
 * a mark before the label, and what follows the last one is it.
 */
static const char *label_find(const char *string)
{
	const char *label = string;

	for (const char *at = string; *at; at++) {
		if ((at == string || at[-1] == ' ') &&
		    strncmp(at, LABEL_MARK, sizeof(LABEL_MARK) - 1) == 0)
			label = at + sizeof(LABEL_MARK) - 1;
	}
	return label;
}

static void module_add(struct boot_info *info, uint32_t start, uint32_t end, const char *string)
{
	if (info->module_count == BOOT_MODULE_MAX) {
		info->modules_dropped++;
		return;
	}
	info->modules[info->module_count++] = (struct boot_module){
		.base = start,
		.size_bytes = end > start ? end - start : 0,
		.label = label_find(string),
	};
}

static void command_line_set(struct boot_info *info, const char *text)
{
	if (*text == '\0')
		return;
	info->command_line = text;
	info->command_line_bytes = strlen(text);
	info->command_line_base = direct_to_phys(text);
}

static void multiboot1_read_ranges(struct boot_info *info, paddr_t base, uint64_t total_bytes)
{
	uint64_t offset = 0;

	total_bytes = MIN(total_bytes, MAPPED_END - base);
	while (offset + sizeof(struct multiboot1_range) <= total_bytes) {
		const struct multiboot1_range *range = direct_map(base + offset);

		range_add(info, range->base, range->size_bytes, range->kind);
		offset += sizeof(range->entry_bytes) + (uint64_t)range->entry_bytes;
	}
}

static void multiboot1_read_modules(struct boot_info *info, paddr_t base, uint64_t count)
{
	count = MIN(count, (MAPPED_END - base) / sizeof(struct multiboot1_module));
	for (uint64_t i = 0; i < count; i++) {
		const struct multiboot1_module *module =
			direct_map(base + i * sizeof(struct multiboot1_module));

		module_add(info, module->start, module->end,
			   module->string ? text_read(info, module->string, TEXT_MAX) : "");
	}
}

static void multiboot1_read(struct boot_info *info, paddr_t address)
{
	const struct multiboot1_info *from = direct_map(address);

	if (from->flags & MULTIBOOT1_LOADER_NAME)
		info->loader = text_read(info, from->loader_name, TEXT_MAX);
	if (from->flags & MULTIBOOT1_COMMAND_LINE) {
		const char *text = text_read(info, from->command_line, TEXT_MAX);

		if (strcmp(info->loader, "qemu") == 0) { /* the kernel's path stands first */
			while (*text != '\0' && *text != ' ')
				text++;
			while (*text == ' ')
				text++;
		}
		command_line_set(info, text);
	}
	if (from->flags & MULTIBOOT1_MEMORY_MAP)
		multiboot1_read_ranges(info, from->memory_map, from->memory_map_bytes);
	if (from->flags & MULTIBOOT1_MODULES)
		multiboot1_read_modules(info, from->modules, from->module_count);
}

static void multiboot2_read_ranges(struct boot_info *info, const struct multiboot2_tag *tag)
{
	const struct multiboot2_memory_map *map = (const void *)tag;
	uint64_t offset = sizeof(*map);

	if (tag->size_bytes < sizeof(*map) || map->entry_bytes < sizeof(struct multiboot2_range))
		return;
	while (offset + sizeof(struct multiboot2_range) <= tag->size_bytes) {
		const struct multiboot2_range *range =
			(const void *)((const char *)tag + offset);

		range_add(info, range->base, range->size_bytes, range->kind);
		offset += map->entry_bytes;
	}
}

/* Reads one tag, which lies inside the information as a whole. */
static void multiboot2_read_tag(struct boot_info *info, const struct multiboot2_tag *tag)
{
	paddr_t payload = direct_to_phys(tag + 1);
	uint64_t payload_bytes = tag->size_bytes - sizeof(*tag);

	switch (tag->kind) {
	case MULTIBOOT2_COMMAND_LINE:
		command_line_set(info, text_read(info, payload, payload_bytes));
		break;
	case MULTIBOOT2_LOADER_NAME:
		info->loader = text_read(info, payload, payload_bytes);
		break;
	case MULTIBOOT2_MODULE: {
		const struct multiboot2_module *module = (const void *)tag;

		if (tag->size_bytes < sizeof(*module))
			break;
		module_add(info, module->start, module->end,
			   text_read(info, direct_to_phys(module->string),
				     tag->size_bytes - sizeof(*module)));
		break;
	}
	case MULTIBOOT2_MEMORY_MAP:
		multiboot2_read_ranges(info, tag);
		break;
	case MULTIBOOT2_ACPI_OLD:
		if (!info->rsdp)
			info->rsdp = payload;
		break;
	case MULTIBOOT2_ACPI_NEW: /* with 64-bit addresses: preferred, whichever comes first */
		info->rsdp = payload;
		break;
	default: /* nothing quire needs */
		break;
	}
}

static void multiboot2_read(struct boot_info *info, paddr_t address)
{
	const struct multiboot2_info *from = direct_map(address);
	uint64_t total_bytes = MIN((uint64_t)from->total_bytes, MAPPED_END - address);
	uint64_t offset = sizeof(*from);

	info_span(info, address, total_bytes);
	while (offset + sizeof(struct multiboot2_tag) <= total_bytes) {
		const struct multiboot2_tag *tag = direct_map(address + offset);

		if (tag->kind == MULTIBOOT2_END || tag->size_bytes < sizeof(*tag) ||
		    tag->size_bytes > total_bytes - offset)
			break;
		multiboot2_read_tag(info, tag);
		offset += ALIGN_UP((uint64_t)tag->size_bytes, 8);
	}
}

void boot_info_read(struct boot_info *info, uint32_t magic, uint32_t address)
{
	memset(info, 0, sizeof(*info));
	info->loader = "unknown";
	info->command_line = "";
	if (magic == MULTIBOOT1_BOOT_MAGIC)
		multiboot1_read(info, address);
	else if (magic == MULTIBOOT2_BOOT_MAGIC)
		multiboot2_read(info, address);
}
