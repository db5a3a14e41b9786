/*
 * memory_map.h: the loader's memory map made fit for use. Pure.
 */
#pragma once

#include "arch/x86_64/boot_info.h"
#include "lib/types.h"

/* Whole frames [first, end). */
struct frame_range {
	pfn_t first, end;
};

/*
 * Usable RAM as sorted, disjoint ranges of whole frames: unaligned edges are
 * cut off, overlaps are united, and where a range of another kind overlaps a
 * usable one, it wins. Ranges that wrap or lie above RAM_END_BYTES are cut.
 * Returns how many ranges were written to `usable` (at most max; further
 * ones, the highest, are dropped).
 */
unsigned memory_map_sanitise(const struct boot_range *ranges, unsigned count,
			     struct frame_range *usable, unsigned max);

/* Takes [first, end) out of the sorted ranges; returns the new count (at most max). */
unsigned memory_map_remove(struct frame_range *ranges, unsigned count, unsigned max, pfn_t first,
			   pfn_t end);
