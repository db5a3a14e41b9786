/*
 * evict_content.h: where the bytes of a page go when it leaves.
 */
#pragma once

#include "kernel/mm/frame.h"
#include "kernel/mm/swap.h"

struct evicted_content {
	int result;    /* 0, or -ENOSPC/-EIO: the page must stay */
	uint32_t slot; /* in: the one it kept, or SLOT_NONE; out: the one that holds it now;
			  SLOT_NONE: all zero */
};

/*
 * Saves the content of an unmapped page that the caller is evicting:
 *   clean with a slot     nothing to do, the slot holds it         evict_content_keep()
 *   clean without         it was never written: all zero           evict_content_keep()
 *   dirty and all zero    no slot needed; one it kept is freed     evict_content_save()
 *   dirty                 written to its own slot, or a new one,   evict_content_save()
 *                         or one taken from a clean resident page
 * A slot whose write fails is retired and another one tried. Interrupts off.
 */
void evict_content_save(pfn_t pfn, struct evicted_content *content);

/* The same, of a clean page: no byte moves. */
ALWAYS_INLINE void evict_content_keep(const struct evicted_content *content)
{
	if (content->slot == SLOT_NONE)
		COUNT(PGSTEAL_ZERO);
	else
		COUNT(PGSTEAL_CLEAN);
}
