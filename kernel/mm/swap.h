/*
 * swap.h: slots, and the backend that stores them.
 *
 * A slot holds one page. Its descriptor, in the kernel's memory, keeps a
 * checksum of the bytes, seeded with slot and generation, and the generation,
 * which grows each time the slot is given out; the entry of the page away
 * carries the generation too. So a flipped bit, a torn page, a wrong slot and
 * a stale one are told apart from the page that was written.
 */
#pragma once

#include "arch/x86_64/pte.h"
#include "kernel/dev/block_device.h"
#include "kernel/mm/frame.h"
#include "kernel/sched/spinlock.h"
#include "lib/types.h"

struct swap_counts {
	uint64_t slots, used, bad;
};

/* Boot: all slots of the device, whose descriptors are mapped and zeroed. */
void swap_init(struct block_device *device);

/*
 * Replaces the backend, for tests; returns the one before. Same number of
 * blocks. Slots that were retired because of the former are good again.
 */
struct block_device *swap_set_device(struct block_device *device);

/* A free slot, or SLOT_NONE. Interrupts off. O(1). */
uint32_t swap_slot_alloc(void);

/* Panics if it is free already. Interrupts off. */
void swap_slot_free(uint32_t slot);

/* A slot's descriptor: for swap.c, and for the next function. */
struct swap_slot {
	uint64_t sum; /* of what was written, seeded */
	union {
		swap_place_t place; /* in use and written: what the entry of its page carries */
		struct {
			uint32_t link;       /* in use: itself; free: the next one, or LINK_* */
			uint16_t generation; /* 1 .. 65535 once it was used */
			uint8_t unwritten;   /* 1: nothing was written in this generation yet */
			/* 1 only while check runs: no page may come or go then, as none would be
			 * read */
			uint8_t marked;
		};
	};
};
STATIC_ASSERT(sizeof(struct swap_slot) == 16);

extern struct swap_slot swap_slots[]; /* at SLOTS_BASE */

/* The present generation of a slot that the caller holds. */
ALWAYS_INLINE uint16_t swap_slot_generation(uint32_t slot)
{
	return swap_slots[slot].generation;
}

/* The same and the slot, which was written: what the entry carries. */
ALWAYS_INLINE swap_place_t swap_slot_place(uint32_t slot)
{
	return swap_slots[slot].place;
}

/* The same of any number: 0 if there is no such slot. */
uint16_t swap_find_generation(uint32_t slot);

/* Does a slot of that number exist, in use, in that generation? */
bool swap_slot_held(uint32_t slot, uint16_t generation);

/*
 * Writes a page of the direct map to a slot that the caller holds. 0, or -EIO: then
 * the slot is bad and has been retired (it counts as used no more and is never
 * given out again). May sleep one day: no spinlock held. Interrupts off.
 */
int swap_write(uint32_t slot, const void *page) MUST_CHECK;

/*
 * Reads a slot into a page of the direct map and verifies it. NULL, or a sentence: the device
 * failed, or the bytes are not those written. Interrupts off.
 */
const char *swap_read(void *page, swap_place_t place) MUST_CHECK;

struct swap_counts swap_read_counts(void);

extern bool swap_scarce; /* changed under the swap lock */

/* True when most slots are taken: then a page read back should give its slot up. A hint. */
ALWAYS_INLINE bool swap_is_scarce(void)
{
	return READ_ONCE(swap_scarce);
}

/* Has the frame the bytes that were written to the slot? */
bool swap_equals(uint32_t slot, pfn_t pfn);

/*
 * Invariant 8, for check: mark each slot that an entry or a clean page holds,
 * then end, which takes the marks away: used slots that nobody marked, and marks
 * of slots that are not in use or were marked before, are violations.
 */
struct check;
void swap_check_mark(struct check *check, uint32_t slot);
void swap_check_end(struct check *check);
