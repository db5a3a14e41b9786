/*
 * quarantine.h: frames of pages that were freed while other CPUs had the address space
 * loaded: these are told of many at once, and until then the frames are nobody's.
 *
 * They count as resident, but promised they are no longer: whoever wants a frame
 * drains the quarantine before a page is evicted.
 */
#pragma once

#include "arch/x86_64/tlb.h"
#include "lib/types.h"

/* When something was taken in. */
struct quarantine_mark {
	uint16_t cpu, batch; /* the batch's last digits: where they come round, it seems not past */
};

/*
 * Takes in frames, state PRIVATE, whose pages were none before `others` was read from the
 * space: the CPUs that may still have translations of them. The caller's own has flushed.
 * count <= QUARANTINE_PAGES. Interrupts are off, no spinlock is held.
 */
struct quarantine_mark quarantine_add(struct address_space *space, uint64_t others,
				      const pfn_t *pfns, unsigned count);

/*
 * Takes out what this CPU took in last, if it is a frame for each of the first `count` of a
 * block's `span` pages, and for no other of them: pfns[i] is that of page i. address: where the
 * block begins, in the VMap of that slot. Other CPUs may have these translations yet.
 * False: nothing is taken out. Interrupts are off.
 */
bool quarantine_take_back(uint16_t slot, vaddr_t address, unsigned span, pfn_t *pfns,
			  unsigned count);

/* Have all CPUs flushed what was taken in with that mark? */
bool quarantine_is_past(struct quarantine_mark mark);

extern uint64_t quarantine_pages; /* taken in and not freed yet, or more: never less; atomic */
SLOW_PATH void quarantine_drain_all(void);

/*
 * Tells the other CPUs. True if there was anything to tell; all that was taken in before the
 * call is past then, and the frames are free. No spinlock is held.
 */
ALWAYS_INLINE bool quarantine_drain(void)
{
	if (LIKELY(__atomic_load_n(&quarantine_pages, __ATOMIC_ACQUIRE) == 0))
		return false;
	quarantine_drain_all();
	return true;
}
