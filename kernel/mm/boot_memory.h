/*
 * boot_memory.h: from the loader's memory map to a running allocator.
 */
#pragma once

#include "arch/x86_64/boot_info.h"
#include "lib/types.h"

/*
 * Builds the kernel's own page tables and loads them, makes the frame
 * descriptors, sets aside the ramdisk of swap_bytes and starts allocator,
 * commit and swap. Called once, on the first CPU, with interrupts off.
 * swap_bytes: UINT64_MAX for three quarters of RAM. Returns NULL, or the
 * sentence that says why the machine cannot be used.
 */
const char *boot_memory_init(const struct boot_info *info, uint64_t swap_bytes);

/* The swap that was asked for was larger than fits: what it was cut to is in frame_memory. */
extern bool boot_memory_swap_cut;

/* When the number of CPUs is known: starts promising. */
void boot_memory_commit(unsigned cpu_total);

struct ramdisk;
extern struct ramdisk swap_ramdisk;
