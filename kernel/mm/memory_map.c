/*
 * memory_map.c: sanitising the memory map.
 */
#include "kernel/mm/memory_map.h"

#include "kernel/config.h"

#define PFN_END (RAM_END_BYTES / PAGE_SIZE)

/* Cuts a byte range to frames: inwards for usable RAM, outwards for what must not be used. */
static struct frame_range to_frames(const struct boot_range *range, bool inwards)
{
	uint64_t end_bytes = range->base + range->size_bytes;
	uint64_t first, end;

	if (end_bytes < range->base)
		end_bytes = ~0ull;
	first = range->base / PAGE_SIZE + (inwards && range->base % PAGE_SIZE);
	end = end_bytes / PAGE_SIZE + (!inwards && end_bytes % PAGE_SIZE);
	first = MIN(first, PFN_END);
	end = MIN(end, PFN_END);
	return (struct frame_range){(pfn_t)first, (pfn_t)MAX(first, end)};
}

/* Inserts a range, sorted, and unites it with those it touches. Returns the new count. */
static unsigned add(struct frame_range *ranges, unsigned count, unsigned max,
		    struct frame_range new)
{
	unsigned at = 0, united;

	if (new.first == new.end)
		return count;
	while (at < count && ranges[at].end < new.first)
		at++;
	for (united = at; united < count && ranges[united].first <= new.end; united++) {
		new.first = MIN(new.first, ranges[united].first);
		new.end = MAX(new.end, ranges[united].end);
	}
	if (united == at) { /* a place for one more */
		if (count == max) {
			if (at == count)
				return count;
			count--; /* the highest is dropped */
		}
		for (unsigned i = count; i > at; i--)
			ranges[i] = ranges[i - 1];
		count++;
	} else { /* one in place of several */
		for (unsigned i = united; i < count; i++)
			ranges[at + 1 + i - united] = ranges[i];
		count -= united - at - 1;
	}
	ranges[at] = new;
	return count;
}

unsigned memory_map_remove(struct frame_range *ranges, unsigned count, unsigned max, pfn_t first,
			   pfn_t end)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		struct frame_range range = ranges[i];

		if (range.end <= first || range.first >= end || first >= end) {
			ranges[kept++] = range;
			continue;
		}
		if (range.first < first && range.end > end && count < max) {
			/* Two pieces: move the rest up by one. */
			for (unsigned j = count; j > i + 1; j--)
				ranges[j] = ranges[j - 1];
			count++;
			ranges[kept++] = (struct frame_range){range.first, first};
			ranges[i + 1] = (struct frame_range){end, range.end};
			ranges[kept++] = ranges[i + 1];
			i++;
			continue;
		}
		if (range.first < first)
			ranges[kept++] = (struct frame_range){range.first, first};
		else if (range.end > end)
			ranges[kept++] = (struct frame_range){end, range.end};
	}
	return kept;
}

unsigned memory_map_sanitise(const struct boot_range *ranges, unsigned count,
			     struct frame_range *usable, unsigned max)
{
	unsigned usable_count = 0;

	for (unsigned i = 0; i < count; i++)
		if (ranges[i].kind == BOOT_RANGE_USABLE)
			usable_count = add(usable, usable_count, max, to_frames(&ranges[i], true));
	for (unsigned i = 0; i < count; i++) {
		struct frame_range taken = to_frames(&ranges[i], false);

		if (ranges[i].kind != BOOT_RANGE_USABLE && ranges[i].size_bytes)
			usable_count = memory_map_remove(usable, usable_count, max, taken.first,
							 taken.end);
	}
	return usable_count;
}
