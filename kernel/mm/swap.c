/*
 * swap.c: which slots are free, and what their bytes must be.
 *
 * Free slots form a list through their descriptors, so giving one out and
 * taking it back is O(1); slots never used yet lie above `fresh`, so boot
 * touches none of them.
 *
 * Invariants, under the swap lock:
 *  1. A slot is free and on the list (or >= fresh), in use by one holder, or bad.
 *     Its link tells which: those in use, and no others, link to themselves.
 *  2. A slot's generation grows when it is given out; sum is of its last write
 *     in that generation.
 * The holder of a used slot alone touches its sum and its bytes: no lock.
 */
#include "kernel/mm/swap.h"

#include "arch/x86_64/page_bytes.h"
#include "kernel/bugs.h"
#include "kernel/mm/check.h"
#include "kernel/mm/commit.h"
#include "kernel/panic.h"
#include "lib/errno.h"

#define LINK_BAD 0xfffffffdu
#define LINK_END 0xfffffffcu /* also the limit of slots: 16 TiB */

bool swap_scarce;

static struct {
	struct spinlock lock;
	struct block_device *device;
	uint32_t slot_count;
	uint32_t scarce_from; /* with so many in use or bad few are left */
	uint32_t free_first GUARDED_BY(lock);
	uint32_t fresh; /* grows under the lock: slots from here on were never given out */
	uint32_t used;  /* changed under the lock */
	uint32_t bad;   /* changed under the lock */
} swap = {.lock = SPINLOCK(SWAP), .free_first = LINK_END};

void swap_init(struct block_device *device)
{
	swap.device = device;
	swap.slot_count = (uint32_t)device->block_count;
	swap.scarce_from = swap.slot_count - swap.slot_count / 8;
	swap_scarce = swap.slot_count == 0;
}

/* swap_slots[index] for who goes on with it: see frame_at(). */
ALWAYS_INLINE struct swap_slot *slot_at(uint32_t index)
{
	struct swap_slot *slot = &swap_slots[index];

	__asm__("" : "+r"(slot));
	return slot;
}

/* Is it given out? A hint, unless the caller has the lock or holds the slot. */
ALWAYS_INLINE bool slot_in_use(uint32_t index)
{
	return index < swap.fresh && swap_slots[index].link == index;
}

/* Called whenever `used` or `bad` has changed. */
ALWAYS_INLINE void scarce_update(void) REQUIRES(swap.lock)
{
	WRITE_ONCE(swap_scarce, swap.used + swap.bad >= swap.scarce_from);
}

/* Every bad slot is free again; returns how many. */
static uint64_t slots_forgive(void)
{
	uint64_t flags = spin_lock_irq(&swap.lock);
	uint64_t count = 0;

	for (uint32_t i = 0; swap.bad && i < swap.fresh; i++) {
		if (swap_slots[i].link != LINK_BAD)
			continue;
		swap_slots[i].link = swap.free_first;
		swap.free_first = i;
		swap.bad--;
		count++;
	}
	scarce_update();
	spin_unlock_irq(&swap.lock, flags);
	return count;
}

struct block_device *swap_set_device(struct block_device *device)
{
	struct block_device *before = swap.device;

	ASSERT(device->block_count == before->block_count);
	swap.device = device;
	commit_regain_slots(slots_forgive());
	return before;
}

uint32_t swap_slot_alloc(void)
{
	struct swap_slot *slot;
	uint32_t index;

	spin_lock(&swap.lock);
	index = swap.free_first;
	if (BUG_PLANTED(BUG_DROP_SWAP_LOCK)) {
		spin_unlock(&swap.lock);
		spin_lock(&swap.lock);
	}
	if (index != LINK_END) {
		swap.free_first = swap_slots[index].link;
	} else if (swap.fresh < swap.slot_count) {
		index = swap.fresh++;
	} else {
		spin_unlock(&swap.lock);
		return SLOT_NONE;
	}
	slot = slot_at(index);
	slot->link = index;
	slot->unwritten = 1;
	slot->generation += slot->generation == UINT16_MAX ? 2 : 1; /* never 0 */
	swap.used++;
	scarce_update();
	spin_unlock(&swap.lock);
	return index;
}

void swap_slot_free(uint32_t index)
{
	struct swap_slot *slot = slot_at(index);

	spin_lock(&swap.lock);
	if (UNLIKELY(!slot_in_use(index)))
		panic("swap slot %u is freed but not in use", index);
	slot->link = swap.free_first;
	swap.free_first = index;
	swap.used--;
	scarce_update();
	spin_unlock(&swap.lock);
}

bool swap_slot_held(uint32_t slot, uint16_t generation)
{
	return slot_in_use(slot) && swap_slots[slot].generation == generation;
}

/* A write failed: the slot is never used again. */
static COLD void slot_retire(struct swap_slot *slot)
{
	uint64_t flags = spin_lock_irq(&swap.lock);

	slot->link = LINK_BAD;
	swap.used--;
	swap.bad++;
	scarce_update();
	spin_unlock_irq(&swap.lock, flags);
	commit_lose_slots(1);
}

uint16_t swap_find_generation(uint32_t slot)
{
	return slot < swap.slot_count ? swap_slots[slot].generation : 0;
}

/* What makes the sum of a page that of this page in this slot, by exclusive or. */
ALWAYS_INLINE uint64_t slot_seed(swap_place_t place)
{
	return place.bits * 0x9e3779b97f4a7c15ull;
}

static COLD int write_failed(struct swap_slot *slot)
{
	COUNT(SWAP_WRITE_ERROR);
	slot_retire(slot);
	return -EIO;
}

int swap_write(uint32_t index, const void *page)
{
	struct swap_slot *slot = slot_at(index);
	struct block_device *device = swap.device;
	struct page_copied copied;

	slot->unwritten = 0; /* nobody reads it before this is over, or ever if it fails */
	schedule_point();
	copied = device->write(index, page, device);
	if (UNLIKELY(copied.error))
		return write_failed(slot);
	schedule_point();
	slot->sum = copied.sum ^ slot_seed(slot->place);
	COUNT(PSWPOUT);
	return 0;
}

static COLD const char *read_failed(const char *why)
{
	COUNT(SWAP_READ_ERROR);
	return why;
}

/* Nothing was ever written for a page of that place. */
static SLOW_PATH const char *place_refused(swap_place_t place)
{
	uint32_t index = (uint32_t)place.bits;

	if (!slot_in_use(index))
		return read_failed("the slot is not in use");
	if (!swap_slot_held(index, (uint16_t)(place.bits >> 32)))
		return read_failed("the slot's generation is another");
	return read_failed("nothing was written to the slot");
}

const char *swap_read(void *page, swap_place_t place)
{
	uint32_t index = (uint32_t)place.bits;
	const struct swap_slot *slot = slot_at(index);
	struct block_device *device = swap.device;
	struct page_copied copied;

	schedule_point();
	if (UNLIKELY(index >= swap.fresh || slot->place.bits != place.bits))
		return place_refused(place);
	copied = device->read(page, index, device);
	if (UNLIKELY(copied.error))
		return read_failed("the swap device could not read it");
	if (UNLIKELY((copied.sum ^ slot->sum) != slot_seed(slot->place)))
		return read_failed("its checksum is wrong");
	COUNT(PSWPIN);
	return NULL;
}

struct swap_counts swap_read_counts(void)
{
	uint64_t flags = spin_lock_irq(&swap.lock);
	struct swap_counts counts = {swap.slot_count, swap.used, swap.bad};

	spin_unlock_irq(&swap.lock, flags);
	return counts;
}

bool swap_equals(uint32_t slot, pfn_t pfn)
{
	return (page_sum(pfn_to_direct(pfn)) ^
		slot_seed(swap_place(slot, swap_slots[slot].generation))) == swap_slots[slot].sum;
}

void swap_check_mark(struct check *check, uint32_t slot)
{
	if (!slot_in_use(slot))
		check_fail(check, 8, "slot %u is held but not in use", slot);
	else if (swap_slots[slot].marked)
		check_fail(check, 8, "slot %u is held twice", slot);
	else
		swap_slots[slot].marked = 1;
}

void swap_check_end(struct check *check)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < swap.fresh; i++) {
		if (!slot_in_use(i))
			continue;
		used++;
		if (!swap_slots[i].marked)
			check_fail(check, 8, "slot %u is in use but nobody holds it", i);
		swap_slots[i].marked = 0;
	}
	if (used != swap.used)
		check_fail(check, 8, "%u slots are in use, %u are counted", used, swap.used);
	check->slots = used;
}
