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
 *   clean with a slot     nothing to do, the slot holds it
 *   clean without         it was never written: all zero
 *   dirty and all zero    no slot needed; one it kept is freed
 *   dirty                 written to its own slot, or a new one, or one taken
 *                         from a clean resident page
 * A slot whose write fails is retired and another one tried. Interrupts off.
 */
void evict_content_save(struct frame *frame, bool dirty, struct evicted_content *content);
