/*
 * vmap_internal.h: what the files of VMap share.
 */
#pragma once

#include "kernel/mm/vmap.h"
#include "lib/errno.h"

/* The programs' data: linked at PROGRAM_BASE, loaded with the image (linker.ld). */
extern char program_data_start[], program_data_end[], program_bss_end[];
extern char program_image_load_start[];

ALWAYS_INLINE vaddr_t program_end(void)
{
	return ALIGN_UP((vaddr_t)program_bss_end, PAGE_SIZE);
}

/* Which block an address names. */
struct block_place {
	unsigned arena;   /* its index; the block's size is 1 << shift */
	unsigned shift;
	uint32_t index;   /* of the block */
	vaddr_t address;  /* of the block's first byte */
};

ALWAYS_INLINE vaddr_t slice_base(const struct VMap *vmap)
{
	return (vaddr_t)vmap->slot << SLICE_SHIFT;
}

ALWAYS_INLINE vaddr_t arena_base(const struct VMap *vmap, unsigned arena)
{
	return slice_base(vmap) + ((vaddr_t)arena << ARENA_SHIFT);
}

/* False if the address is not in an arena of this VMap's slice. */
ALWAYS_INLINE bool block_place(const struct VMap *vmap, vaddr_t address, struct block_place *place)
{
	vaddr_t offset = address - slice_base(vmap);
	unsigned arena = (unsigned)(offset >> ARENA_SHIFT);

	if (offset >= SLICE_SIZE || arena >= ARENA_COUNT)
		return false;
	offset &= (1ull << ARENA_SHIFT) - 1;
	place->arena = arena;
	place->shift = arena + ARENA_MIN_SHIFT;
	place->index = (uint32_t)(offset >> place->shift);
	place->address = address & ~((1ull << place->shift) - 1);
	return true;
}

/* The live block that an address lies in, or NULL. The mutex is held. */
struct block *block_live(struct VMap *vmap, vaddr_t address, struct block_place *place);

/* The first block of the page that a small block lies in: it counts the live ones. */
struct block *block_of_page(struct VMap *vmap, const struct block_place *place);

/* Page tables for [start, end). 0 or -ENOMEM (what was made stays). The mutex is held. May sleep. */
int tables_make(struct VMap *vmap, vaddr_t start, vaddr_t end) MUST_CHECK;

/* Frees all tables, the root included. Nothing is mapped any more. */
void tables_destroy(struct VMap *vmap);

/* none -> untouched for `count` pages from an address on; tables exist. */
void pages_promise(struct VMap *vmap, vaddr_t address, uint64_t count, uint64_t away);

/* Any kind -> none for `count` pages: frames and slots are released. The mutex is held. May sleep. */
void pages_release(struct VMap *vmap, vaddr_t address, uint64_t count);
