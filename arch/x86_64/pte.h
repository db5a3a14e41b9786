/*
 * pte.h: page-table entries of 4-level paging.
 *
 * The present layout is the processor's (Intel SDM volume 3, section 4.5,
 * table 4-20; bits 9..11 are free for software). An entry that is not present
 * is all ours: bits 1..3 tell which kind it is.
 *
 *   kind        bits 63..12                     meaning
 *   none        0                               no block there; touching it is an error
 *   untouched   flags                           promised, never written: a zeroed frame (or
 *                                               the program's initial data) at the first touch
 *   present     frame                           mapped
 *   resting     frame                           still in memory, not mapped
 *   transit     frame                           being read from swap into this frame
 *   swapped     slot (32 bits), generation (16) in a swap slot
 *   ask         mapping (20 bits), generation (31)   the mapping's object knows where it is
 *
 * PTE_SHARED, in an entry of any kind, says that the page is an object's, which
 * other entries may map too (kernel/mm/mapping.h); such an entry is present,
 * resting or ask.
 *
 * The page table is the only truth about private pages; the frame's
 * descriptor points back here. All entries of a table change under that
 * table's lock, except that the processor sets accessed and dirty, and that
 * pte_test_and_clear_accessed() may clear accessed at any time: so entries that may be
 * present are changed by an atomic exchange.
 */
#pragma once

#include "arch/x86_64/layout.h"
#include "kernel/schedule_point.h"
#include "lib/assert.h"
#include "lib/types.h"

typedef struct {
	uint64_t bits;
} pte_t;

#define PTE_PRESENT 0x001ull
#define PTE_WRITABLE 0x002ull
#define PTE_WRITE_THROUGH 0x008ull
#define PTE_CACHE_DISABLE 0x010ull
#define PTE_ACCESSED 0x020ull
#define PTE_DIRTY 0x040ull
#define PTE_LARGE 0x080ull
#define PTE_GLOBAL 0x100ull
#define PTE_SHARED 0x200ull /* software: the page is a shared memory object's ... */
#define PTE_COPY 0x400ull   /* ... and the first write to it makes a copy, which is private */
#define PTE_OBJECT_FLAGS (PTE_SHARED | PTE_COPY)
#define PTE_NO_EXECUTE (1ull << 63)
#define PTE_FRAME_MASK 0x000ffffffffff000ull

/*
 * Not present: the kind, and flags that a page keeps while it is away. Bit 5 stays 0, so
 * that clearing accessed changes no such entry.
 */
#define PTE_KIND_MASK 0x00eull
#define PTE_KIND_UNTOUCHED 0x002ull
#define PTE_KIND_RESTING 0x004ull
#define PTE_KIND_TRANSIT 0x006ull
#define PTE_KIND_SWAPPED 0x008ull
#define PTE_KIND_ASK 0x00aull
#define PTE_AWAY_READ_ONLY 0x010ull /* the page was not writable */
#define PTE_AWAY_NO_ACCESS 0x040ull /* ask: nobody may touch it */
#define PTE_AWAY_IMAGE 0x080ull     /* untouched: starts as the program's initial data */

STATIC_ASSERT(!((PTE_KIND_MASK | PTE_AWAY_READ_ONLY | PTE_AWAY_NO_ACCESS | PTE_AWAY_IMAGE |
		 PTE_OBJECT_FLAGS) &
		PTE_ACCESSED));

#define PTE_COUNT 512                      /* entries of a table */
#define TABLE_SPAN (PAGE_SIZE * PTE_COUNT) /* bytes that a level-1 table covers */
#define PTE_NONE ((pte_t){0})

/* Index into the table of `level` (4 is the root, 1 holds pages) for an address. */
ALWAYS_INLINE unsigned pte_index(vaddr_t address, int level)
{
	return (unsigned)(address >> (PAGE_SHIFT + 9 * (level - 1))) & (PTE_COUNT - 1);
}

/* Which one of all the entries that there may be in RAM it is, and back. */
ALWAYS_INLINE uint32_t pte_number(const pte_t *entry)
{
	STATIC_ASSERT((uint32_t)(DIRECT_BASE / sizeof(pte_t)) == 0);
	return (uint32_t)((vaddr_t)entry / sizeof(pte_t));
}

ALWAYS_INLINE pte_t *pte_numbered(uint32_t number)
{
	return (pte_t *)DIRECT_BASE + number;
}

ALWAYS_INLINE bool pte_is_none(pte_t pte)
{
	return pte.bits == 0;
}

ALWAYS_INLINE bool pte_is_present(pte_t pte)
{
	return pte.bits & PTE_PRESENT;
}

/* Never true of an entry that is not present. */
ALWAYS_INLINE bool pte_is_accessed(pte_t pte)
{
	return pte.bits & PTE_ACCESSED;
}

ALWAYS_INLINE uint64_t pte_kind(pte_t pte)
{
	return pte.bits & (PTE_PRESENT | PTE_KIND_MASK);
}

/* pte_kind() == kind, by a subtraction of the lowest bits. */
ALWAYS_INLINE bool pte_is_kind(pte_t pte, uint64_t kind)
{
	STATIC_ASSERT((PTE_PRESENT | PTE_KIND_MASK) == 0xf);
	return ((pte.bits - kind) & 0xf) == 0;
}

ALWAYS_INLINE bool pte_is_untouched(pte_t pte)
{
	return pte_is_kind(pte, PTE_KIND_UNTOUCHED);
}

/* Untouched, and all that a first touch of it wants is a zeroed frame, mapped writable. */
ALWAYS_INLINE bool pte_is_plain_untouched(pte_t pte)
{
	return pte.bits == PTE_KIND_UNTOUCHED;
}

ALWAYS_INLINE bool pte_is_resting(pte_t pte)
{
	return pte_is_kind(pte, PTE_KIND_RESTING);
}

ALWAYS_INLINE bool pte_is_transit(pte_t pte)
{
	return pte_is_kind(pte, PTE_KIND_TRANSIT);
}

ALWAYS_INLINE bool pte_is_swapped(pte_t pte)
{
	return pte_is_kind(pte, PTE_KIND_SWAPPED);
}

ALWAYS_INLINE bool pte_is_ask(pte_t pte)
{
	return pte_is_kind(pte, PTE_KIND_ASK);
}

/* Does the entry hold a frame number (present, resting or transit)? */
ALWAYS_INLINE bool pte_has_frame(pte_t pte)
{
	return pte_is_present(pte) || pte_is_resting(pte) || pte_is_transit(pte);
}

ALWAYS_INLINE bool pte_is_writable(pte_t pte)
{
	return pte_is_present(pte) ? pte.bits & PTE_WRITABLE : !(pte.bits & PTE_AWAY_READ_ONLY);
}

/* The flags that a page keeps while it is away, from an entry of any kind. */
ALWAYS_INLINE uint64_t pte_away_flags(pte_t pte)
{
	STATIC_ASSERT(PTE_WRITABLE << 3 == PTE_AWAY_READ_ONLY);
	return (pte_is_present(pte) ? ~pte.bits << 3 : pte.bits) & PTE_AWAY_READ_ONLY;
}

ALWAYS_INLINE pfn_t pte_pfn(pte_t pte)
{
	return (pfn_t)((pte.bits & PTE_FRAME_MASK) >> PAGE_SHIFT);
}

/* The same, of an entry that is not present. */
ALWAYS_INLINE uint64_t pte_kept_flags(pte_t pte)
{
	return pte.bits & PTE_AWAY_READ_ONLY;
}

/* A page of a process: never executable. away: flags from pte_away_flags(). */
ALWAYS_INLINE pte_t pte_make_present(pfn_t pfn, uint64_t away)
{
	return (pte_t){(uint64_t)pfn << PAGE_SHIFT | PTE_NO_EXECUTE | PTE_PRESENT |
		       (~away & PTE_AWAY_READ_ONLY) >> 3};
}

ALWAYS_INLINE pte_t pte_make_untouched(uint64_t away)
{
	return (pte_t){PTE_KIND_UNTOUCHED | away};
}

ALWAYS_INLINE pte_t pte_make_resting(pfn_t pfn, uint64_t away)
{
	return (pte_t){(uint64_t)pfn << PAGE_SHIFT | PTE_KIND_RESTING | away};
}

/* The resting entry of what an entry, present or resting, has. */
ALWAYS_INLINE pte_t pte_let_rest(pte_t pte)
{
	uint64_t flags = pte.bits & (PTE_PRESENT | PTE_WRITABLE);
	uint64_t frame = pte.bits & PTE_FRAME_MASK;

	if (LIKELY(flags == (PTE_PRESENT | PTE_WRITABLE)))
		return (pte_t){frame | PTE_KIND_RESTING};
	if (flags != PTE_PRESENT)
		return pte;
	return (pte_t){frame | PTE_KIND_RESTING | PTE_AWAY_READ_ONLY};
}

ALWAYS_INLINE pte_t pte_make_transit(pfn_t pfn, uint64_t away)
{
	return (pte_t){(uint64_t)pfn << PAGE_SHIFT | PTE_KIND_TRANSIT | away};
}

/* flags: PTE_AWAY_* and PTE_COPY. */
ALWAYS_INLINE pte_t pte_make_ask(uint32_t mapping, uint32_t generation, uint64_t flags)
{
	return (pte_t){(uint64_t)(generation & 0x7fffffff) << 32 | (uint64_t)mapping << PAGE_SHIFT |
		       PTE_KIND_ASK | PTE_SHARED | flags};
}

ALWAYS_INLINE uint32_t pte_mapping(pte_t pte)
{
	return (uint32_t)pte.bits >> PAGE_SHIFT;
}

ALWAYS_INLINE uint32_t pte_slot(pte_t pte)
{
	return (uint32_t)(pte.bits >> PAGE_SHIFT);
}

ALWAYS_INLINE uint16_t pte_generation(pte_t pte)
{
	return (uint16_t)(pte.bits >> 44);
}

/* transit -> present. */
ALWAYS_INLINE pte_t pte_arrived(pte_t transit)
{
	if (UNLIKELY(transit.bits & PTE_AWAY_READ_ONLY))
		return pte_make_present(pte_pfn(transit), PTE_AWAY_READ_ONLY);
	return (pte_t){transit.bits ^
		       (PTE_KIND_TRANSIT ^ PTE_PRESENT ^ PTE_WRITABLE ^ PTE_NO_EXECUTE)};
}

/* A swap slot and its generation, as the entry of a page away has them. */
typedef struct {
	uint64_t bits;
} swap_place_t;

ALWAYS_INLINE swap_place_t swap_place(uint32_t slot, uint16_t generation)
{
	return (swap_place_t){(uint64_t)generation << 32 | slot};
}

ALWAYS_INLINE pte_t pte_make_swapped(swap_place_t place, uint64_t away)
{
	DEBUG_ASSERT(place.bits >> 48 == 0);
	return (pte_t){place.bits << PAGE_SHIFT | PTE_KIND_SWAPPED | away};
}

ALWAYS_INLINE swap_place_t pte_place(pte_t pte)
{
	return (swap_place_t){pte.bits >> PAGE_SHIFT};
}

ALWAYS_INLINE pte_t pte_read(const pte_t *entry)
{
	return (pte_t){__atomic_load_n(&entry->bits, __ATOMIC_ACQUIRE)};
}

/* Stores an entry that is not present now, so that no processor changes it meanwhile. */
ALWAYS_INLINE void pte_write(pte_t *entry, pte_t value)
{
	schedule_point();
	__atomic_store_n(&entry->bits, value.bits, __ATOMIC_RELEASE);
}

/* Replaces an entry and returns the old one with the processor's last accessed and dirty. */
ALWAYS_INLINE pte_t pte_exchange(pte_t *entry, pte_t value)
{
	schedule_point();
	return (pte_t){__atomic_exchange_n(&entry->bits, value.bits, __ATOMIC_SEQ_CST)};
}

/*
 * Clears accessed and tells if it was set. Needs no lock: whatever the entry has become
 * meanwhile, nothing else of it changes. The bit comes back only after the address was
 * flushed from the TLB.
 */
ALWAYS_INLINE bool pte_test_and_clear_accessed(pte_t *entry)
{
	schedule_point();
	return __atomic_fetch_and(&entry->bits, ~PTE_ACCESSED, __ATOMIC_RELAXED) & PTE_ACCESSED;
}

/* The same where it is mostly clear: then the entry is only read. */
ALWAYS_INLINE bool pte_clear_accessed(pte_t *entry)
{
	return __atomic_load_n(&entry->bits, __ATOMIC_RELAXED) & PTE_ACCESSED &&
	       pte_test_and_clear_accessed(entry);
}

/*
 * untouched -> none, without a lock: whoever makes an untouched entry another
 * kind does so by pte_replace() too. False if it is not untouched (any more).
 */
ALWAYS_INLINE bool pte_forget(pte_t *entry)
{
	uint64_t old = __atomic_load_n(&entry->bits, __ATOMIC_RELAXED);

	schedule_point();
	return (old & (PTE_PRESENT | PTE_KIND_MASK)) == PTE_KIND_UNTOUCHED &&
	       __atomic_compare_exchange_n(&entry->bits, &old, 0, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

/* Stores an entry only if it is still `old`; false if it is another by now. */
ALWAYS_INLINE bool pte_replace(pte_t *entry, pte_t old, pte_t value)
{
	schedule_point();
	/* Unlike __atomic_compare_exchange_n() it does not store what it found: nobody asks. */
	return __sync_bool_compare_and_swap(&entry->bits, old.bits, value.bits);
}
