/*
 * test_memory_map.c: loaders' memory maps, sane and not, against a list that
 * marks each frame by itself.
 */
#include "kernel/config.h"
#include "kernel/mm/memory_map.h"
#include "tests/host/host_test.h"

#define PLACES 32

static unsigned sanitise(const struct boot_range *ranges, unsigned count,
			 struct frame_range *usable)
{
	return memory_map_sanitise(ranges, count, usable, PLACES);
}

static void check_range(const struct frame_range *range, uint64_t first, uint64_t end)
{
	CHECK_EQUAL(first, range->first);
	CHECK_EQUAL(end, range->end);
}

TEST(memory_map, empty)
{
	struct frame_range usable[PLACES];
	const struct boot_range nothing = {0x1000, 0, BOOT_RANGE_USABLE};
	const struct boot_range reserved = {0x1000, 0x100000, BOOT_RANGE_RESERVED};

	CHECK_EQUAL(0, sanitise(NULL, 0, usable));
	CHECK_EQUAL(0, sanitise(&nothing, 1, usable));
	CHECK_EQUAL(0, sanitise(&reserved, 1, usable));
}

TEST(memory_map, edges_are_cut_inwards)
{
	struct frame_range usable[PLACES];
	const struct boot_range ranges[] = {
		{0x1001, 0x2fff, BOOT_RANGE_USABLE}, /* 0x1001 .. 0x4000: frames 2, 3 */
		{0x5000, 0xfff, BOOT_RANGE_USABLE},  /* no whole frame */
		{0x7800, 0x1000, BOOT_RANGE_USABLE}, /* neither */
		{0x9000, 0x1001, BOOT_RANGE_USABLE}, /* frame 9 */
	};

	if (!CHECK_EQUAL(2, sanitise(ranges, 4, usable)))
		return;
	check_range(&usable[0], 2, 4);
	check_range(&usable[1], 9, 10);
}

TEST(memory_map, unsorted_and_overlapping)
{
	struct frame_range usable[PLACES];
	const struct boot_range ranges[] = {
		{0x100000, 0x100000, BOOT_RANGE_USABLE}, {0x10000, 0x10000, BOOT_RANGE_USABLE},
		{0x180000, 0x100000, BOOT_RANGE_USABLE}, /* overlaps the first */
		{0x10000, 0x10000, BOOT_RANGE_USABLE},   /* a second time */
		{0x280000, 0x1000, BOOT_RANGE_USABLE},   /* touches */
	};

	if (!CHECK_EQUAL(2, sanitise(ranges, 5, usable)))
		return;
	check_range(&usable[0], 0x10, 0x20);
	check_range(&usable[1], 0x100, 0x281);
}

TEST(memory_map, other_kinds_win)
{
	struct frame_range usable[PLACES];
	const struct boot_range ranges[] = {
		{0x100800, 1, BOOT_RANGE_ACPI}, /* before what it lies in: one byte, one frame */
		{0x100000, 0x10000, BOOT_RANGE_USABLE},
		{0x108fff, 2, BOOT_RANGE_RESERVED}, /* two frames */
		{0x10f000, 0x5000, (enum boot_range_kind)77},
	};

	if (!CHECK_EQUAL(2, sanitise(ranges, 4, usable)))
		return;
	check_range(&usable[0], 0x101, 0x108);
	check_range(&usable[1], 0x10a, 0x10f);
}

TEST(memory_map, above_four_gib_and_at_the_end)
{
	struct frame_range usable[PLACES];
	const struct boot_range ranges[] = {
		{0x100000000, 0x40000000, BOOT_RANGE_USABLE},
		{0xffffffffffff0000, 0xffffffff,
		 BOOT_RANGE_USABLE},                       /* wraps, far beyond all names */
		{0x1000, UINT64_MAX, BOOT_RANGE_RESERVED}, /* wraps: reserves all of it */
	};

	if (!CHECK_EQUAL(1, sanitise(ranges, 2, usable)))
		return;
	check_range(&usable[0], 0x100000, 0x140000);
	CHECK_EQUAL(0, sanitise(ranges, 3, usable));
}

TEST(memory_map, ram_beyond_what_descriptors_can_name)
{
	struct frame_range usable[PLACES];
	const struct boot_range ranges[] = {
		{RAM_END_BYTES - 0x3000, 0x10000, BOOT_RANGE_USABLE},
		{RAM_END_BYTES + 0x100000, 0x10000, BOOT_RANGE_USABLE},
	};

	if (!CHECK_EQUAL(1, sanitise(ranges, 2, usable)))
		return;
	check_range(&usable[0], RAM_END_BYTES / PAGE_SIZE - 3, RAM_END_BYTES / PAGE_SIZE);
}

TEST(memory_map, more_ranges_than_places)
{
	struct boot_range ranges[PLACES * 2];
	struct frame_range usable[PLACES];

	for (unsigned i = 0; i < PLACES * 2; i++) /* the highest first */
		ranges[i] = (struct boot_range){(uint64_t)(PLACES * 2 - i) * 0x10000, 0x1000,
						BOOT_RANGE_USABLE};
	CHECK_EQUAL(PLACES, sanitise(ranges, PLACES * 2, usable));
	for (unsigned i = 0; i < PLACES; i++) /* the lowest are kept */
		check_range(&usable[i], (i + 1) * 0x10, (i + 1) * 0x10 + 1);
}

/* ---- Random maps against marking ----------------------------------------------------- */

#define FRAMES 64
#define RANGES 10

static void mark(const struct boot_range *range, bool *marks, bool whole)
{
	for (uint64_t frame = 0; frame < FRAMES; frame++) {
		uint64_t first = frame * PAGE_SIZE, end = first + PAGE_SIZE;
		uint64_t range_end = range->base + range->size_bytes;

		if (range->size_bytes && (whole ? range->base <= first && range_end >= end
						: range->base < end && range_end > first))
			marks[frame] = true;
	}
}

static void check_random(struct random *random)
{
	struct boot_range ranges[RANGES];
	struct frame_range usable[PLACES];
	bool wanted[FRAMES] = {false}, taken[FRAMES] = {false}, found[FRAMES] = {false};
	unsigned count;

	for (unsigned i = 0; i < RANGES; i++) {
		ranges[i].base = random_below(random, FRAMES * 2) * PAGE_SIZE / 2;
		ranges[i].size_bytes = random_below(random, 30) * PAGE_SIZE / 4;
		ranges[i].kind = random_below(random, 3) ? BOOT_RANGE_USABLE : BOOT_RANGE_RESERVED;
		if (ranges[i].kind == BOOT_RANGE_USABLE)
			mark(&ranges[i], wanted, true);
		else
			mark(&ranges[i], taken, false);
	}
	count = sanitise(ranges, RANGES, usable);
	for (unsigned i = 0; i < count; i++) {
		CHECK(usable[i].first < usable[i].end);
		CHECK(i == 0 || usable[i - 1].end <= usable[i].first);
		for (pfn_t pfn = usable[i].first; pfn < usable[i].end && pfn < FRAMES; pfn++)
			found[pfn] = true;
	}
	for (unsigned i = 0; i < FRAMES; i++)
		if (!CHECK_EQUAL(wanted[i] && !taken[i], found[i]))
			return;
}

TEST(memory_map, random)
{
	struct random random;

	host_random(&random);
	for (unsigned i = 0; i < 20000; i++)
		check_random(&random);
}
