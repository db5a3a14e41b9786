/*
 * swap.c: which slots are free, and what their bytes must be.
 *
 * Free slots form a list through their descriptors, so giving one out and
 * taking it back is O(1); slots never used yet lie above `fresh`, so boot
 * touches none of them.
 *
 * Invariants, under the swap lock:
 *  1. A slot is FREE and on the list (or >= fresh), USED by one holder, or BAD.
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

#define LINK_USED 0xfffffffeu
#define LINK_BAD 0xfffffffdu
#define LINK_END 0xfffffffcu /* also the limit of slots: 16 TiB */

struct swap_slot {
	uint64_t sum;        /* page_sum() of what was written, seeded */
	uint32_t link;       /* next free slot, or LINK_* */
	uint16_t generation; /* 1 .. 65535 once it was used */
	uint8_t written;     /* 0: used, but nothing was written in this generation yet */
	uint8_t marked;      /* by check */
};
STATIC_ASSERT(sizeof(struct swap_slot) == 16);

static struct {
	struct spinlock lock;
	struct block_device *device;
	struct swap_slot *slots;
	uint32_t slot_count;
	uint32_t free_first GUARDED_BY(lock);
	uint32_t fresh; /* changed under the lock: slots from here on were never given out */
	uint32_t used;  /* changed under the lock */
	uint32_t bad;   /* changed under the lock */
} swap = {.lock = SPINLOCK(SWAP), .free_first = LINK_END};

size_t swap_descriptors_bytes(uint64_t slots)
{
	return slots * sizeof(struct swap_slot);
}

void swap_init(struct block_device *device, void *descriptors)
{
	swap.device = device;
	swap.slots = descriptors;
	swap.slot_count = (uint32_t)device->block_count;
}

/* Every bad slot is free again; returns how many. */
static uint64_t slots_forgive(void)
{
	uint64_t flags = spin_lock_irq(&swap.lock);
	uint64_t count = 0;

	for (uint32_t i = 0; swap.bad && i < swap.fresh; i++) {
		if (swap.slots[i].link != LINK_BAD)
			continue;
		swap.slots[i].link = swap.free_first;
		swap.free_first = i;
		swap.bad--;
		count++;
	}
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
		swap.free_first = swap.slots[index].link;
	} else if (swap.fresh < swap.slot_count) {
		index = swap.fresh++;
	} else {
		spin_unlock(&swap.lock);
		return SLOT_NONE;
	}
	slot = &swap.slots[index];
	slot->link = LINK_USED;
	slot->written = 0;
	if (++slot->generation == 0)
		slot->generation = 1;
	swap.used++;
	spin_unlock(&swap.lock);
	return index;
}

void swap_slot_free(uint32_t index)
{
	struct swap_slot *slot = &swap.slots[index];

	spin_lock(&swap.lock);
	if (UNLIKELY(index >= swap.slot_count || slot->link != LINK_USED))
		panic("swap slot %u is freed but not in use", index);
	slot->link = swap.free_first;
	swap.free_first = index;
	swap.used--;
	spin_unlock(&swap.lock);
}

bool swap_slot_held(uint32_t slot, uint16_t generation)
{
	return slot < swap.slot_count && swap.slots[slot].link == LINK_USED &&
	       swap.slots[slot].generation == generation;
}

/* A write failed: the slot is never used again. */
static COLD void slot_retire(uint32_t index)
{
	uint64_t flags = spin_lock_irq(&swap.lock);

	swap.slots[index].link = LINK_BAD;
	swap.used--;
	swap.bad++;
	spin_unlock_irq(&swap.lock, flags);
	commit_lose_slots(1);
}

uint16_t swap_slot_generation(uint32_t slot)
{
	return slot < swap.slot_count ? swap.slots[slot].generation : 0;
}

/* Makes the sum of a page that of this page in this slot. */
static uint64_t seeded(uint64_t sum, uint32_t slot, uint16_t generation)
{
	return sum ^ ((uint64_t)slot << 16 | generation) * 0x9e3779b97f4a7c15ull;
}

int swap_write(uint32_t index, pfn_t pfn)
{
	struct swap_slot *slot = &swap.slots[index];
	uint64_t sum;
	int result;

	schedule_point();
	result = swap.device->write(swap.device, index, pfn_to_direct(pfn), &sum);
	schedule_point();
	if (UNLIKELY(result)) {
		COUNT(SWAP_WRITE_ERROR);
		slot_retire(index);
		return result;
	}
	slot->sum = seeded(sum, index, slot->generation);
	slot->written = 1;
	COUNT(PSWPOUT);
	return 0;
}

int swap_read(uint32_t index, uint16_t generation, pfn_t pfn, const char **why)
{
	const struct swap_slot *slot = &swap.slots[index];
	const char *reason;
	uint64_t sum;

	schedule_point();
	if (index >= swap.slot_count || slot->link != LINK_USED)
		reason = "the slot is not in use";
	else if (slot->generation != generation || !slot->written)
		reason = "the slot's generation is another";
	else if (swap.device->read(swap.device, index, pfn_to_direct(pfn), &sum))
		reason = "the swap device could not read it";
	else if (seeded(sum, index, generation) != slot->sum)
		reason = "its checksum is wrong";
	else {
		COUNT(PSWPIN);
		return 0;
	}
	COUNT(SWAP_READ_ERROR);
	if (why)
		*why = reason;
	return -EIO;
}

struct swap_counts swap_read_counts(void)
{
	uint64_t flags = spin_lock_irq(&swap.lock);
	struct swap_counts counts = {swap.slot_count, swap.used, swap.bad};

	spin_unlock_irq(&swap.lock, flags);
	return counts;
}

bool swap_is_scarce(void)
{
	uint32_t taken = READ_ONCE(swap.used) + READ_ONCE(swap.bad);

	return taken >= swap.slot_count - swap.slot_count / 8;
}

bool swap_equals(uint32_t slot, pfn_t pfn)
{
	return seeded(page_sum(pfn_to_direct(pfn)), slot, swap.slots[slot].generation) ==
	       swap.slots[slot].sum;
}

void swap_check_begin(void)
{
	for (uint32_t i = 0; i < swap.fresh; i++)
		swap.slots[i].marked = 0;
}

void swap_check_mark(struct check *check, uint32_t slot)
{
	if (slot >= swap.fresh || swap.slots[slot].link != LINK_USED)
		check_fail(check, 8, "slot %u is held but not in use", slot);
	else if (swap.slots[slot].marked)
		check_fail(check, 8, "slot %u is held twice", slot);
	else
		swap.slots[slot].marked = 1;
}

void swap_check_end(struct check *check)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < swap.fresh; i++) {
		if (swap.slots[i].link != LINK_USED)
			continue;
		used++;
		if (!swap.slots[i].marked)
			check_fail(check, 8, "slot %u is in use but nobody holds it", i);
	}
	if (used != swap.used)
		check_fail(check, 8, "%u slots are in use, %u are counted", used, swap.used);
	check->slots = used;
}
