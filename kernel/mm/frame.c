/*
 * frame.c: the physical allocator.
 *
 * Free frames are bits in 64-bit words. 512 of them (2 MiB) form a group with
 * a count; groups with a free frame are on one list, so finding a frame never
 * searches memory. Before the bitmap stands, for each CPU, a magazine: a short
 * stack of frames (Bonwick and Adams, "Magazines and Vmem", USENIX 2001),
 * filled by words of the bitmap and emptied by halves.
 *
 * Invariants:
 *  1. A frame in state FREE is either a set bit in the bitmap or in exactly one
 *     magazine; every other frame is neither.
 *  2. A group's count equals its set bits; it is on the list if that is not 0.
 * Locks: a magazine's count word, then `frames` for bitmap and groups.
 */
#include "kernel/mm/frame.h"

#include "kernel/mm/check.h"
#include "kernel/panic.h"
#include "kernel/sched/count_lock.h"
#include "lib/string.h"

#define GROUP_FRAMES 512u
#define GROUP_WORDS (GROUP_FRAMES / 64)
#define GROUP_NONE 0xffffffffu
#define POISON 0xdeadf4a3f4eeull

struct frame_group {
	uint64_t words[GROUP_WORDS]; /* bit set: free and not in a magazine */
	uint32_t free_count;
	uint32_t next, prev; /* list of groups with free_count > 0 */
};

pfn_t frame_limit;
struct frame_memory frame_memory;

static struct magazine magazines[CPU_MAX];

static struct {
	struct spinlock lock;
	struct frame_group *groups;
	uint32_t first GUARDED_BY(lock); /* of the list */
} bitmap = {.lock = SPINLOCK(FRAMES), .first = GROUP_NONE};

static const char *const state_names[FRAME_STATE_COUNT] = {
	"reserved", "free", "kernel", "page-table", "private", "shared", "ramdisk",
};

const char *frame_state_name(enum frame_state state)
{
	return state < FRAME_STATE_COUNT ? state_names[state] : "?";
}

size_t frame_groups_bytes(pfn_t limit)
{
	return DIV_ROUND_UP(limit, GROUP_FRAMES) * sizeof(struct frame_group);
}

void frame_init(void *groups, pfn_t limit)
{
	frame_limit = limit;
	bitmap.groups = groups;
	for (unsigned cpu = 0; cpu < CPU_MAX; cpu++)
		cpus[cpu].magazine = &magazines[cpu];
}

static NORETURN COLD void bad_state(pfn_t pfn, enum frame_state wanted)
{
	if (pfn >= frame_limit)
		panic("frame %u is not RAM: it should be %s", pfn, frame_state_name(wanted));
	panic("frame %u is %s, not %s", pfn, frame_state_name(frames[pfn].state),
	      frame_state_name(wanted));
}

void frame_set_state(pfn_t pfn, enum frame_state from, enum frame_state to)
{
	if (UNLIKELY(pfn >= frame_limit || frames[pfn].state != from))
		bad_state(pfn, from);
	frames[pfn].state = (uint8_t)to;
}

static void group_link(uint32_t index) REQUIRES(bitmap.lock)
{
	struct frame_group *group = &bitmap.groups[index];

	group->prev = GROUP_NONE;
	group->next = bitmap.first;
	if (bitmap.first != GROUP_NONE)
		bitmap.groups[bitmap.first].prev = index;
	bitmap.first = index;
}

static void group_unlink(uint32_t index) REQUIRES(bitmap.lock)
{
	struct frame_group *group = &bitmap.groups[index];

	if (group->next != GROUP_NONE)
		bitmap.groups[group->next].prev = group->prev;
	if (group->prev != GROUP_NONE)
		bitmap.groups[group->prev].next = group->next;
	else
		bitmap.first = group->next;
}

/* Sets a frame's bit. */
static void bitmap_put(pfn_t pfn) REQUIRES(bitmap.lock)
{
	struct frame_group *group = &bitmap.groups[pfn / GROUP_FRAMES];
	uint64_t bit = 1ull << (pfn % 64);

	DEBUG_ASSERT(!(group->words[pfn % GROUP_FRAMES / 64] & bit));
	group->words[pfn % GROUP_FRAMES / 64] |= bit;
	if (group->free_count++ == 0)
		group_link(pfn / GROUP_FRAMES);
}

static bool bitmap_has(pfn_t pfn)
{
	return bitmap.groups[pfn / GROUP_FRAMES].words[pfn % GROUP_FRAMES / 64] >> (pfn % 64) & 1;
}

/* Set bits, by adding neighbours up; the plainest CPU has no instruction for it. */
static uint32_t bit_count(uint64_t bits)
{
	bits -= bits >> 1 & 0x5555555555555555;
	bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (uint32_t)(bits * 0x0101010101010101 >> 56);
}

/* Takes a whole word of free frames out of the bitmap; *base is its first frame. 0: none is free.
 */
static uint64_t bitmap_take_word(pfn_t *base)
{
	uint64_t bits = 0;

	spin_lock(&bitmap.lock);
	if (LIKELY(bitmap.first != GROUP_NONE)) {
		uint32_t index = bitmap.first;
		struct frame_group *group = &bitmap.groups[index];
		unsigned word = GROUP_WORDS - 1;

		while (group->words[word] == 0)
			word--;
		bits = group->words[word];
		*base = index * GROUP_FRAMES + word * 64;
		group->words[word] = 0;
		group->free_count -= bit_count(bits);
		if (group->free_count == 0)
			group_unlink(index);
	}
	spin_unlock(&bitmap.lock);
	return bits;
}

/*
 * Fills a taken, empty magazine with a word of frames, the lowest on top.
 * Returns the new count. The lock is held for the word only, so that CPUs that
 * refill at once hardly ever meet.
 */
static uint32_t magazine_refill(struct magazine *magazine)
{
	STATIC_ASSERT(MAGAZINE_FRAMES >= 64);
	pfn_t base = 0;
	uint64_t bits = bitmap_take_word(&base);
	uint32_t count = bit_count(bits);
	pfn_t *place = &magazine->pfns[count];

	if (LIKELY(bits == UINT64_MAX)) /* as in all of a young system */
		for (pfn_t pfn = base; place > magazine->pfns; pfn++)
			*--place = pfn;
	else
		for (; bits; bits &= bits - 1)
			*--place = base + (unsigned)__builtin_ctzll(bits);
	return count;
}

/* Empties a taken magazine to a half, or to `most` if that is less. Returns the new count. */
static uint32_t magazine_drain(struct magazine *magazine, uint32_t count, uint32_t most)
{
	spin_lock(&bitmap.lock);
	while (count > MIN(most, MAGAZINE_FRAMES / 2))
		bitmap_put(magazine->pfns[--count]);
	spin_unlock(&bitmap.lock);
	return count;
}

/* The bitmap is empty: takes a frame out of another CPU's magazine. */
static pfn_t magazine_steal(void)
{
	for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
		struct magazine *magazine = &magazines[cpu];
		pfn_t pfn = PFN_NONE;
		uint32_t count;

		if (READ_ONCE(magazine->count) == 0)
			continue;
		count = count_take(&magazine->count);
		if (count)
			pfn = magazine->pfns[--count];
		count_put(&magazine->count, count);
		if (pfn != PFN_NONE)
			return pfn;
	}
	return PFN_NONE;
}

#ifdef DEBUG
void frame_poison(pfn_t pfn)
{
	uint64_t *words = pfn_to_direct(pfn);

	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		words[i] = POISON;
}

bool frame_poison_intact(pfn_t pfn)
{
	const uint64_t *words = pfn_to_direct(pfn);

	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		if (words[i] != POISON)
			return false;
	return true;
}
#endif

/* The magazine was empty or busy when it was exchanged: `count` tells. */
SLOW_PATH pfn_t frame_alloc_slow(struct magazine *magazine, uint32_t count, enum frame_state state)
{
	pfn_t pfn = PFN_NONE;

	if (count == COUNT_BUSY)
		count = count_take(&magazine->count);
	if (count == 0)
		count = magazine_refill(magazine);
	if (count)
		pfn = magazine->pfns[--count];
	count_put(&magazine->count, count);
	if (pfn == PFN_NONE)
		pfn = magazine_steal();
	if (pfn == PFN_NONE)
		return PFN_NONE;
	DEBUG_ASSERT(frame_poison_intact(pfn));
	frame_set_state(pfn, FRAME_FREE, state);
	COUNT(PGALLOC);
	return pfn;
}

SLOW_PATH pfn_t frame_alloc_bad(pfn_t pfn)
{
	bad_state(pfn, FRAME_FREE);
}

unsigned frame_alloc_some(enum frame_state state, pfn_t *pfns, unsigned wanted)
{
	struct magazine *magazine = THIS_CPU->magazine;
	uint32_t count = count_take(&magazine->count);
	unsigned got = 0;

	for (;;) {
		pfn_t *end = pfns + MIN(wanted - got, count);

		got += (unsigned)(end - pfns);
		while (pfns < end) {
			pfn_t pfn = magazine->pfns[--count];

			DEBUG_ASSERT(frame_poison_intact(pfn));
			if (UNLIKELY(frames[pfn].state != FRAME_FREE))
				bad_state(pfn, FRAME_FREE);
			frames[pfn].state = (uint8_t)state;
			*pfns++ = pfn;
		}
		if (LIKELY(got == wanted))
			break;
		count = magazine_refill(magazine); /* it is empty */
		if (UNLIKELY(count == 0))
			break;
	}
	count_put(&magazine->count, count);
	COUNT_ADD(PGALLOC, got);
	return got;
}

SLOW_PATH void frame_free_slow(struct magazine *magazine, uint32_t count, pfn_t pfn)
{
	if (count == COUNT_BUSY)
		count = count_take(&magazine->count);
	if (count == MAGAZINE_FRAMES)
		count = magazine_drain(magazine, count, MAGAZINE_FRAMES / 2);
	magazine->pfns[count] = pfn;
	count_put(&magazine->count, count + 1);
}

SLOW_PATH void frame_free_bad(pfn_t pfn)
{
	bad_state(pfn, FRAME_PRIVATE);
}

void frame_free_some(const pfn_t *pfns, unsigned count)
{
	struct magazine *magazine = THIS_CPU->magazine;
	uint32_t here = count_take(&magazine->count);
	pfn_t *to;

	if (UNLIKELY(here + count > MAGAZINE_FRAMES))
		here = magazine_drain(magazine, here, MAGAZINE_FRAMES - count);
	to = &magazine->pfns[here];
	for (const pfn_t *end = pfns + count; pfns < end; pfns++) {
		struct frame *frame = &frames[*pfns];

		if (UNLIKELY(!frame_is_in_use(frame)))
			frame_free_bad(*pfns);
		frame_poison(*pfns);
		frame->state = FRAME_FREE;
		*to++ = *pfns;
	}
	count_put(&magazine->count, here + count);
	COUNT_ADD(PGFREE, count);
}

uint64_t frame_free_count(void)
{
	uint64_t count = 0;
	uint64_t flags = irq_save();

	for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
		uint32_t here = READ_ONCE(magazines[cpu].count);

		count += here == COUNT_BUSY ? 0 : here;
	}
	spin_lock(&bitmap.lock);
	for (uint32_t i = READ_ONCE(bitmap.first); i != GROUP_NONE; i = bitmap.groups[i].next)
		count += bitmap.groups[i].free_count;
	spin_unlock(&bitmap.lock);
	irq_restore(flags);
	return count;
}

void frame_census(uint64_t *counts)
{
	memset(counts, 0, FRAME_STATE_COUNT * sizeof(*counts));
	for (pfn_t pfn = 0; pfn < frame_limit; pfn++)
		counts[frames[pfn].state]++;
}

void frame_add_free(pfn_t first, pfn_t end)
{
	pfn_t pfn = first;

	spin_taken(&bitmap.lock); /* nobody else is there yet */
	while (pfn < end) {
		struct frame_group *group = &bitmap.groups[pfn / GROUP_FRAMES];
		pfn_t stop = MIN(end, ALIGN_DOWN(pfn, 64) + 64);
		uint64_t bits =
			stop - pfn == 64 ? ~0ull : ((1ull << (stop - pfn)) - 1) << (pfn % 64);

		if (group->free_count == 0)
			group_link(pfn / GROUP_FRAMES);
		group->words[pfn % GROUP_FRAMES / 64] |= bits;
		group->free_count += stop - pfn;
		for (; pfn < stop; pfn++) {
			frame_set_state(pfn, FRAME_RESERVED, FRAME_FREE);
			frame_poison(pfn);
		}
	}
}

void frame_reserve(pfn_t first, pfn_t end, enum frame_state state)
{
	for (pfn_t pfn = first; pfn < end; pfn++)
		frame_set_state(pfn, FRAME_RESERVED, state);
}

static void check_groups(struct check *check, uint64_t *in_bitmap)
{
	uint32_t listed = 0, with_free = 0;

	for (uint32_t i = READ_ONCE(bitmap.first); i != GROUP_NONE; i = bitmap.groups[i].next)
		listed++;
	for (uint32_t i = 0; i < DIV_ROUND_UP(frame_limit, GROUP_FRAMES); i++) {
		const struct frame_group *group = &bitmap.groups[i];
		uint32_t bits = 0;

		for (unsigned word = 0; word < GROUP_WORDS; word++)
			bits += bit_count(group->words[word]);
		if (bits != group->free_count)
			check_fail(check, 2, "group %u counts %u free frames, its bitmap has %u", i,
				   group->free_count, bits);
		with_free += bits != 0;
		*in_bitmap += bits;
	}
	if (listed != with_free)
		check_fail(check, 2, "%u groups are listed, %u have free frames", listed,
			   with_free);
}

void frame_check(struct check *check)
{
	uint64_t counts[FRAME_STATE_COUNT], in_bitmap = 0, in_magazines = 0;

	frame_census(counts);
	if (frame_limit - counts[FRAME_RESERVED] != frame_memory.ram_pages)
		check_fail(check, 1, "the states of RAM add up to %lu frames of %lu",
			   frame_limit - counts[FRAME_RESERVED], frame_memory.ram_pages);
	check_groups(check, &in_bitmap);
	for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
		const struct magazine *magazine = &magazines[cpu];

		in_magazines += magazine->count;
		for (uint32_t i = 0; i < magazine->count; i++) {
			pfn_t pfn = magazine->pfns[i];

			if (frames[pfn].state != FRAME_FREE || bitmap_has(pfn))
				check_fail(check, 2, "frame %u is in cpu %u's magazine and %s%s",
					   pfn, cpu, frame_state_name(frames[pfn].state),
					   bitmap_has(pfn) ? ", and in the bitmap" : "");
		}
	}
	if (in_bitmap + in_magazines != counts[FRAME_FREE])
		check_fail(check, 2, "%lu frames are free, bitmap and magazines hold %lu",
			   counts[FRAME_FREE], in_bitmap + in_magazines);
	for (pfn_t pfn = 0; pfn < frame_limit; pfn++) {
		if (frames[pfn].state != FRAME_FREE && bitmap_has(pfn))
			check_fail(check, 2, "frame %u is %s and has its bit set", pfn,
				   frame_state_name(frames[pfn].state));
		if (frames[pfn].state == FRAME_FREE && !frame_poison_intact(pfn))
			check_fail(check, 2, "free frame %u was written to", pfn);
	}
}
