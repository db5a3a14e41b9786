/*
 * quarantine.h: frames of pages that were freed while other CPUs had the address space
 * loaded: these are told of many at once, and until then the frames are nobody's.
 *
 * They count as resident, and promised they are no longer: whoever wants a frame
 * drains the quarantine before a page is evicted.
 */
#pragma once

#include "arch/x86_64/tlb.h"
#include "lib/types.h"

/*
 * Takes in frames, state PRIVATE, whose pages were none before `others` was read from the
 * space: the CPUs that may still have translations of them. The caller's own has flushed.
 * 1 <= count <= QUARANTINE_PAGES. Interrupts are off, no spinlock is held.
 */
void quarantine_add(struct address_space *space, uint64_t others, const pfn_t *pfns,
		    unsigned count);

/*
 * Tells the other CPUs. True if there was anything to tell; what was taken in before the
 * call is free then, and its addresses nobody's. No spinlock is held.
 */
bool quarantine_drain(void);
