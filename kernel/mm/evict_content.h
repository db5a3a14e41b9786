/*
 * evict_content.h: where the bytes of a page go when it leaves.
 */
#pragma once

#include "arch/x86_64/page_bytes.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/swap.h"

/* Where the bytes are now. */
struct evicted_content {
	int result;    /* 0, or -ENOSPC/-EIO: the page must stay */
	uint32_t slot; /* SLOT_NONE: all zero */
};

/* Out of line: no slot is needed for zeroes; or there is none, or it was bad. */
struct evicted_content evict_content_zero(uint32_t slot);
struct evicted_content evict_content_elsewhere(pfn_t pfn);

/*
 * Saves the content of an unmapped page that the caller is evicting, with the
 * slot that it kept, or SLOT_NONE:
 *   clean with a slot     nothing to do, the slot holds it         evict_content_keep()
 *   clean without         it was never written: all zero           evict_content_keep()
 *   dirty and all zero    no slot needed; one it kept is freed     evict_content_save()
 *   dirty                 written to its own slot, or a new one,   evict_content_save()
 *                         or one taken from a clean resident page
 * A slot whose write fails is retired and another one tried. Interrupts off.
 */
ALWAYS_INLINE struct evicted_content evict_content_save(pfn_t pfn, uint32_t slot)
{
	if (UNLIKELY(page_is_zero(pfn_to_direct(pfn))))
		return evict_content_zero(slot);
	if (slot == SLOT_NONE)
		slot = swap_slot_alloc();
	if (UNLIKELY(slot == SLOT_NONE) || UNLIKELY(swap_write(slot, pfn)))
		return evict_content_elsewhere(pfn);
	return (struct evicted_content){0, slot};
}

ALWAYS_INLINE struct evicted_content evict_content_keep(uint32_t slot)
{
	if (slot == SLOT_NONE)
		COUNT(PGSTEAL_ZERO);
	else
		COUNT(PGSTEAL_CLEAN);
	return (struct evicted_content){0, slot};
}
