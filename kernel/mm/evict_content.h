/*
 * evict_content.h: where the bytes of a page go when it leaves.
 */
#pragma once

#include "arch/x86_64/page_bytes.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/swap.h"

/* In place of a slot: no slot was to be had, so the page must stay, and keeps none. */
#define SLOT_FAILED 0xfffffffeu

ALWAYS_INLINE bool slot_is_one(uint32_t slot)
{
	STATIC_ASSERT(SLOT_FAILED < SLOT_NONE);
	return slot < SLOT_FAILED;
}

/* Out of line: no slot is needed for zeroes; or there is none, or it was bad. */
uint32_t evict_content_zero(uint32_t slot);
uint32_t evict_content_elsewhere(pfn_t pfn);

/*
 * Saves the content of an unmapped page that the caller is evicting, with the
 * slot that it kept, or SLOT_NONE. Returns the slot where it is now, SLOT_NONE if it is
 * all zero, or SLOT_FAILED:
 *   clean with a slot     nothing to do, the slot holds it         evict_content_keep()
 *   clean without         it was never written: all zero           evict_content_keep()
 *   dirty and all zero    no slot needed; one it kept is freed     evict_content_save()
 *   dirty                 written to its own slot, or a new one,   evict_content_save()
 *                         or one taken from a clean resident page
 * A slot whose write fails is retired and another one tried. Interrupts off.
 */
ALWAYS_INLINE uint32_t evict_content_save(pfn_t pfn, uint32_t slot)
{
	const void *page = pfn_to_direct(pfn);

	if (UNLIKELY(page_is_zero(page)))
		return evict_content_zero(slot);
	if (slot == SLOT_NONE)
		slot = swap_slot_alloc();
	if (UNLIKELY(slot == SLOT_NONE) || UNLIKELY(swap_write(slot, page)))
		return evict_content_elsewhere(pfn);
	return slot;
}

ALWAYS_INLINE uint32_t evict_content_keep(uint32_t slot)
{
	if (slot == SLOT_NONE)
		COUNT(PGSTEAL_ZERO);
	else
		COUNT(PGSTEAL_CLEAN);
	return slot;
}
