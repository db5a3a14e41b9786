/*
 * vmap_internal.h: what the files of VMap share.
 */
#pragma once

#include "kernel/bugs.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/quarantine.h"
#include "kernel/mm/vmap.h"
#include "lib/errno.h"

/* The programs' data: linked at PROGRAM_BASE, loaded with the image (linker.ld). */
extern char program_data_start[], program_data_end[], program_bss_end[];
extern char program_image_load_start[];

ALWAYS_INLINE vaddr_t program_end(void)
{
	return ALIGN_UP((vaddr_t)program_bss_end, PAGE_SIZE);
}

#define BLOCKS_PER_PAGE (PAGE_SIZE / (uint32_t)sizeof(struct block))

/* Which block an address names. */
struct block_place {
	unsigned arena; /* its index; the block's size is 1 << shift */
	unsigned shift;
	uint32_t index;  /* of the block */
	vaddr_t address; /* of the block's first byte */
};

ALWAYS_INLINE vaddr_t slice_base(const struct VMap *vmap)
{
	return (vaddr_t)vmap->slot << SLICE_SHIFT;
}

ALWAYS_INLINE vaddr_t arena_base(const struct VMap *vmap, unsigned arena)
{
	return vmap->arenas[arena].base;
}

/* False if the address is not in an arena of this VMap's slice. */
ALWAYS_INLINE bool block_place(const struct VMap *vmap, vaddr_t address, struct block_place *place)
{
	uint64_t arena = (address - vmap->arenas[0].base) >> ARENA_SHIFT;

	if (UNLIKELY(arena >= ARENA_COUNT))
		return false;
	place->arena = (unsigned)arena;
	place->shift = (unsigned)arena + ARENA_MIN_SHIFT;
	place->index = (uint32_t)address >> place->shift;
	place->address = address & ~0ull << place->shift;
	return true;
}

/*
 * How far to go for something: QUICK gives up where a search or a call would be
 * needed, and then nothing was changed; THOROUGH does it. Always a constant:
 * the quick ways of malloc and free are the same code without its slow parts.
 */
enum effort { QUICK, THOROUGH };

/* A block's record, which exists: what page_array_get() does, with the sizes known here. */
ALWAYS_INLINE struct block *block_at(struct VMap *vmap, unsigned arena, uint32_t index)
{
	STATIC_ASSERT(ARENA_BLOCK_MAX / BLOCKS_PER_PAGE <= PAGE_ARRAY_FANOUT * PAGE_ARRAY_FANOUT);
	const struct page_array *blocks = &vmap->arenas[arena].blocks;
	uint32_t page = index / BLOCKS_PER_PAGE;
	void **pages = blocks->root;

	if (LIKELY((blocks->height | page) == 0))
		return (struct block *)blocks->root + index;
	if (UNLIKELY(blocks->height == 2))
		pages = pages[page / PAGE_ARRAY_FANOUT];
	return (struct block *)pages[page % PAGE_ARRAY_FANOUT] + index % BLOCKS_PER_PAGE;
}

/* May the calling thread work on this VMap? 0, -EINVAL (NULL), -EPERM, -ESRCH (its process is
 * gone). */
int vmap_caller_check(const struct VMap *vmap);

/* The live block that an address lies in, or NULL. The mutex is held. */
ALWAYS_INLINE struct block *block_live(struct VMap *vmap, vaddr_t address,
				       struct block_place *place)
{
	struct block *block;

	if (UNLIKELY(!block_place(vmap, address, place) ||
		     place->index >= vmap->arenas[place->arena].used))
		return NULL;
	block = block_at(vmap, place->arena, place->index);
	return LIKELY(block->size_bytes) ? block : NULL;
}

/*
 * The first block of the page that a small block lies in: it counts the live
 * ones. A page of records holds those of whole pages, so it is near.
 */
ALWAYS_INLINE struct block *block_of_page(struct block *block, const struct block_place *place)
{
	STATIC_ASSERT(BLOCKS_PER_PAGE % (PAGE_SIZE >> ARENA_MIN_SHIFT) == 0);
	return block - (place->index & ((1u << (PAGE_SHIFT - place->shift)) - 1));
}

/* The block may be given to somebody. The mutex is held. */
ALWAYS_INLINE void arena_give(struct arena *arena, struct block *block, uint32_t index)
{
	block->next_free = arena->first_free & 0x7fffff;
	arena->first_free = index + 1;
}

/*
 * The pages of a block of several that ended are taken out without the mutex, so
 * that threads of the process can do so at once: it is nobody's meanwhile. Then it may be
 * given out again; or later (vmap_rest.c). The mutex is held before and after.
 */
void block_release_apart(struct VMap *vmap, unsigned arena, vaddr_t address, uint64_t pages)
	REQUIRES(vmap->mutex);

/* Blocks that rested, and whose pages no CPU can reach any more, may be given out again. */
void blocks_wake(struct VMap *vmap);

/*
 * The block of the arena that this CPU freed last is on the arena's free list, the first, though
 * it rests, if it has `count` pages and each its frame, in pfns[], which are the caller's now.
 * False: no block is such, and nothing was changed. The mutex is held, interrupts are off.
 */
bool block_wake_own(struct VMap *vmap, unsigned arena, pfn_t *pfns, unsigned count);

/*
 * That block, which is live now, gets them. The mutex is not held: the caller alone knows the
 * block. Interrupts are off, since block_wake_own().
 */
void block_map_again(struct VMap *vmap, vaddr_t address, const pfn_t *pfns, unsigned count);

/* These frames are for nobody: they are free once no CPU can reach them. Interrupts are off. */
void frames_drop(const struct VMap *vmap, const pfn_t *pfns, unsigned count);

/* Is the page's level-1 table the one that the arena used last? Then arena_entry() is quick. */
ALWAYS_INLINE bool arena_knows_table(const struct arena *arena, vaddr_t address)
{
	return LIKELY(address / TABLE_SPAN == arena->recent_span);
}

/* The entry of a page in an arena; its table exists. */
ALWAYS_INLINE pte_t *arena_entry(const struct VMap *vmap, struct arena *arena, vaddr_t address,
				 enum effort effort)
{
	if (effort == THOROUGH && !arena_knows_table(arena, address)) {
		arena->recent_table = (pte_t *)((vaddr_t)vmap_entry(vmap, address) & PAGE_MASK);
		arena->recent_span = address / TABLE_SPAN;
	}
	return arena->recent_table + pte_index(address, 1);
}

/* Page tables for [start, end). 0 or -ENOMEM (what was made stays). The mutex is held. May sleep.
 */
int tables_make(struct VMap *vmap, vaddr_t start, vaddr_t end) MUST_CHECK;

/* Frees all tables, the root included. Nothing is mapped any more. */
void tables_destroy(struct VMap *vmap);

/* none -> untouched for `count` pages from an address on; tables exist. The mutex is held. */
void pages_promise(struct VMap *vmap, vaddr_t address, uint64_t count, uint64_t away);

/*
 * Any kind -> none for `count` pages: frames and slots are released. With `mark` other CPUs may
 * be told later: then, true and the mark says until when they may reach pages of these.
 * The mutex is held, or nobody can be given these pages meanwhile (block_release_apart()).
 * May sleep.
 */
bool pages_release(struct VMap *vmap, vaddr_t address, uint64_t count,
		   struct quarantine_mark *mark);

/* Frees every page of every live block, and the blocks' records. The mutex is held. May sleep. */
void blocks_release_all(struct VMap *vmap);

/* Pages are promised no more. The mutex is held. */
ALWAYS_INLINE void pages_forget(struct VMap *vmap, uint64_t pages)
{
	vmap->committed -= pages;
	if (!BUG_PLANTED(BUG_KEEP_PROMISE))
		commit_uncharge(pages);
}
