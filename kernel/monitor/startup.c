/*
 * startup.c: the report at boot, and those options that memory management takes.
 */
#include "kernel/monitor/startup.h"

#include "arch/x86_64/cpu.h"
#include "kernel/config.h"
#include "kernel/fs/module.h"
#include "kernel/mm/boot_memory.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "kernel/monitor/console.h"
#include "lib/format.h"
#include "lib/string.h"

#define SHOWN_BYTES 400 /* of the command line */

static const char *range_name(enum boot_range_kind kind)
{
	switch (kind) {
	case BOOT_RANGE_USABLE:
		return "usable";
	case BOOT_RANGE_ACPI:
		return "ACPI tables";
	case BOOT_RANGE_NVS:
		return "ACPI, kept";
	case BOOT_RANGE_BAD:
		return "bad";
	default:
		return "reserved";
	}
}

static void print_memory_map(const struct boot_info *info)
{
	bool is_cut = false;

	console_print("memory map, as %s gave it:\n", info->loader);
	for (unsigned i = 0; i < info->range_count; i++) {
		const struct boot_range *range = &info->ranges[i];

		console_print("  %016lx - %016lx  %10lu KiB  %s\n", range->base,
			      range->base + range->size_bytes - 1, range->size_bytes / 1024,
			      range_name(range->kind));
		is_cut |= range->kind == BOOT_RANGE_USABLE &&
			  range->base + range->size_bytes > RAM_END_BYTES;
	}
	if (is_cut)
		console_print("  of which nothing beyond %llu GiB is used\n", RAM_END_BYTES >> 30);
	if (info->ranges_dropped > 0)
		console_print("  and %u ranges more, unused\n", info->ranges_dropped);
}

static void print_modules(const struct boot_info *info)
{
	for (const struct module *module = module_next(NULL); module; module = module_next(module))
		console_print("module: %s, %lu bytes%s\n", module->name, module->size_bytes,
			      module->is_trace ? ", a trace" : "");
	if (info->modules_dropped > 0)
		console_print("modules: %u more, unused\n", info->modules_dropped);
}

static void print_command_line(const struct boot_info *info)
{
	char shown[SHOWN_BYTES];
	size_t count = MIN(info->command_line_bytes, sizeof(shown) - 1);

	for (size_t i = 0; i < count; i++) {
		char c = info->command_line[i];

		shown[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	shown[count] = '\0';
	console_print("command line: %s%s\n", shown, info->command_line_bytes > count ? "..." : "");
}

/* policy=, frames= and neighbours=, which are memory management's. */
static void apply(struct options *options)
{
	struct policy *policy = NULL;

	if (options->policy[0] != '\0') {
		policy = policy_find(options->policy);
		if (policy)
			lru_set_policy(policy);
		else
			options_warn(options, "policy=%.32s is ignored: `help policies` lists them",
				     options->policy);
	}
	fault_neighbours = options->neighbours;
	if (options->frames != UINT64_MAX && reclaim_set_limit(options->frames) != 0)
		options_warn(options, "frames=%lu is ignored: it cannot be the resident limit",
			     options->frames);
	if (boot_memory_swap_cut)
		options_warn(options, "swap= is larger than fits: it is %lu MiB",
			     frame_memory.ramdisk_pages * PAGE_SIZE >> 20);
}

static void print_warnings(const struct options *options)
{
	unsigned lines = 0;

	console_write(options->warnings, strlen(options->warnings));
	for (const char *at = options->warnings; *at != '\0'; at++)
		lines += *at == '\n';
	if (options->warning_count > lines)
		console_print("command line: and %u warnings more\n",
			      options->warning_count - lines);
}

void startup_report(const struct boot_info *info, struct options *options)
{
	struct swap_counts swap = swap_read_counts();

	apply(options);
	console_print("quire\n");
	print_memory_map(info);
	print_modules(info);
	console_print("cpus: %u, %s\n", cpu_count, cpu_features.brand);
	console_print("frames: %lu of RAM, %lu free, %lu for pages of processes\n",
		      frame_memory.ram_pages, frame_free_count(), commit_resident_max());
	console_print("swap: %lu slots, %lu MiB\n", swap.slots, swap.slots * PAGE_SIZE >> 20);
	console_print("policy: %s\n", lru_policy()->name);
	print_command_line(info);
	print_warnings(options);
	console_print("`help` lists commands, `poweroff` or Ctrl-A X leaves\n");
}
