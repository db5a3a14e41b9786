/*
 * vmap.c: blocks: the lab's vmap_malloc and vmap_free.
 *
 * Slice of the process in slot s:
 *
 *   s * 128 GiB    +4 GiB         +8 GiB                       +112 GiB    +128 GiB
 *   | blocks of 16 | blocks of 32 | ... | blocks of 2 GiB       | not used  |
 *
 * Invariants, under the mutex:
 *  1. A block is live if its size_bytes is not 0. A free block below `used` is
 *     on its arena's free list, once.
 *  2. Entries of the pages of a live block are not none; entries of pages in
 *     which no live block lies are none.
 *  3. Small blocks share pages: the first block of a page counts the live ones.
 *  4. committed = pages in which live blocks lie + pages of the programs' data.
 * vmap_free makes the block free first and then takes its pages, so a racing
 * second free of it finds nothing; both run under the mutex anyway.
 * Locks: the mutex (class vmap) is outside all spinlocks. Faults do not take
 * it: whether a page may be touched is in its entry alone.
 */
#include "kernel/mm/vmap.h"

#include "arch/x86_64/page_bytes.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/vmap_internal.h"
#include "kernel/sched/gate.h"
#include "lib/string.h"

struct VMap *vmap_by_slot[PROCESS_MAX + 1];

int *vmap_errno(void)
{
	return &thread_current()->error_number;
}

/* May the calling thread work on this VMap? 0, -EINVAL, -EPERM. */
static int caller_check(const struct VMap *vmap)
{
	const struct thread *thread = thread_current();

	if (UNLIKELY(!vmap))
		return -EINVAL;
	if (UNLIKELY(thread->space != &vmap->space && thread->process))
		return -EPERM;
	return 0;
}

ALWAYS_INLINE struct block *block_at(struct VMap *vmap, unsigned arena, uint32_t index)
{
	return page_array_get(&vmap->arenas[arena].blocks, index);
}

struct block *block_live(struct VMap *vmap, vaddr_t address, struct block_place *place)
{
	struct block *block;

	if (!block_place(vmap, address, place) || place->index >= vmap->arenas[place->arena].used)
		return NULL;
	block = block_at(vmap, place->arena, place->index);
	return block->size_bytes ? block : NULL;
}

struct block *block_of_page(struct VMap *vmap, const struct block_place *place)
{
	uint32_t per_page_shift = PAGE_SHIFT - place->shift;

	return block_at(vmap, place->arena, place->index >> per_page_shift << per_page_shift);
}

/* The arena whose blocks are the smallest that hold `size` bytes. */
static unsigned arena_for(uint32_t size_bytes)
{
	unsigned shift = size_bytes <= 1 ? 0 : 32 - (unsigned)__builtin_clz(size_bytes - 1);

	return MAX(shift, ARENA_MIN_SHIFT) - ARENA_MIN_SHIFT;
}

/* Gives a block that was never used to the arena: its record and the tables for its pages. */
static COLD struct block *arena_grow(struct VMap *vmap, unsigned index)
{
	struct arena *arena = &vmap->arenas[index];
	unsigned shift = index + ARENA_MIN_SHIFT;
	vaddr_t offset = (vaddr_t)arena->used << shift;
	uint64_t end = offset + (1ull << shift);
	struct block *block;

	if (arena->used >= ARENA_BLOCK_MAX || end > 1ull << ARENA_SHIFT)
		return NULL;
	block = page_array_make(&arena->blocks, arena->used);
	if (!block)
		return NULL;
	if (end > arena->tables_end) {
		vaddr_t base = arena_base(vmap, index);

		if (tables_make(vmap, base + arena->tables_end, base + end))
			return NULL;
		arena->tables_end = ALIGN_UP(end, MIB(2));
	}
	return block;
}

/* Takes a block from the arena: index in *index. It is not live yet. NULL: no memory. */
static struct block *arena_take(struct VMap *vmap, unsigned arena_index, uint32_t *index)
{
	struct arena *arena = &vmap->arenas[arena_index];
	struct block *block;

	if (LIKELY(arena->first_free)) {
		*index = arena->first_free - 1;
		block = block_at(vmap, arena_index, *index);
		arena->first_free = block->next_free;
		return block;
	}
	block = arena_grow(vmap, arena_index);
	if (block)
		*index = arena->used++;
	return block;
}

static void arena_give(struct arena *arena, struct block *block, uint32_t index)
{
	block->next_free = arena->first_free & 0x7fffff;
	arena->first_free = index + 1;
}

/* Promises the pages of a block that was taken. 0 or -ENOMEM. */
static int block_promise(struct VMap *vmap, struct block *block, const struct block_place *place,
			 uint32_t size_bytes)
{
	uint64_t pages = DIV_ROUND_UP((uint64_t)size_bytes, PAGE_SIZE);

	if (place->shift < PAGE_SHIFT) {
		struct block *counter = block_of_page(vmap, place);

		if (counter->page_live++)
			pages = 0;
		else if (commit_charge(1)) {
			counter->page_live--;
			return -ENOMEM;
		}
	} else if (UNLIKELY(commit_charge(pages))) {
		return -ENOMEM;
	}
	block->size_bytes = size_bytes;
	vmap->committed += pages;
	if (pages)
		pages_promise(vmap, place->address & PAGE_MASK, pages, 0);
	return 0;
}

static void *malloc_locked(struct VMap *vmap, uint32_t size_bytes)
{
	struct block_place place;
	struct block *block;

	place.arena = arena_for(size_bytes);
	place.shift = place.arena + ARENA_MIN_SHIFT;
	block = arena_take(vmap, place.arena, &place.index);
	if (UNLIKELY(!block))
		return NULL;
	place.address = arena_base(vmap, place.arena) + ((vaddr_t)place.index << place.shift);
	if (UNLIKELY(block_promise(vmap, block, &place, size_bytes))) {
		arena_give(&vmap->arenas[place.arena], block, place.index);
		return NULL;
	}
	return (void *)place.address;
}

void *vmap_malloc(struct VMap *vmap, int size)
{
	void *data = NULL;
	int error;

	gate_enter();
	error = caller_check(vmap);
	if (UNLIKELY(!error && size <= 0))
		error = -EINVAL;
	if (LIKELY(!error)) {
		mutex_lock(&vmap->mutex);
		data = malloc_locked(vmap, (uint32_t)size);
		mutex_unlock(&vmap->mutex);
		if (UNLIKELY(!data))
			error = -ENOMEM;
	}
	if (UNLIKELY(error)) {
		*vmap_errno() = -error;
		COUNT(MALLOC_ERROR);
	} else {
		COUNT(MALLOC);
	}
	gate_leave();
	return data;
}

/* Frees a live block: record first, then its pages. */
static void block_release(struct VMap *vmap, struct block *block, const struct block_place *place)
{
	uint64_t pages = DIV_ROUND_UP((uint64_t)block->size_bytes, PAGE_SIZE);

	block->size_bytes = 0;
	arena_give(&vmap->arenas[place->arena], block, place->index);
	if (place->shift < PAGE_SHIFT)
		pages = --block_of_page(vmap, place)->page_live == 0;
	if (pages == 0)
		return;
	pages_release(vmap, place->address & PAGE_MASK, pages);
	vmap->committed -= pages;
	commit_uncharge(pages);
}

static int free_locked(struct VMap *vmap, vaddr_t address)
{
	struct block_place place;
	struct block *block;

	block = block_live(vmap, address, &place);
	if (LIKELY(block && place.address == address)) {
		block_release(vmap, block, &place);
		return 0;
	}
	if (address >= PROCESS_END)
		return -EPERM; /* the kernel's */
	if (vmap_slice(address) != vmap->slot && vmap_slice(address) != 0 &&
	    READ_ONCE(vmap_by_slot[vmap_slice(address)]))
		return -EPERM; /* another process's */
	return -EINVAL;
}

void vmap_free(struct VMap *vmap, void *data)
{
	int error = 0;

	if (!data)
		return;
	gate_enter();
	error = caller_check(vmap);
	if (LIKELY(!error)) {
		mutex_lock(&vmap->mutex);
		error = free_locked(vmap, (vaddr_t)data);
		mutex_unlock(&vmap->mutex);
	}
	*vmap_errno() = -error;
	if (UNLIKELY(error))
		COUNT(FREE_ERROR);
	else
		COUNT(FREE);
	gate_leave();
}

/* The root, with the kernel's upper half. 0 or -ENOMEM. */
static int root_make(struct VMap *vmap)
{
	const pte_t *kernel_root = direct_map(tlb_kernel_root);
	pfn_t pfn = kernel_frame_alloc(FRAME_PAGE_TABLE);
	pte_t *root;

	if (pfn == PFN_NONE)
		return -ENOMEM;
	frames[pfn].owner = vmap->slot;
	frames[pfn].table.level = 4;
	frames[pfn].table.base = 0;
	vmap->table_pages = 1;
	vmap->space.root = (paddr_t)pfn << PAGE_SHIFT;
	root = pfn_to_direct(pfn);
	memcpy(&root[PTE_COUNT / 2], &kernel_root[PTE_COUNT / 2], PAGE_SIZE / 2);
	return 0;
}

/* Promises the process its copy of the programs' data. 0 or -ENOMEM. */
static int program_make(struct VMap *vmap)
{
	uint64_t pages = (program_end() - PROGRAM_BASE) / PAGE_SIZE;

	if (pages == 0)
		return 0;
	if (tables_make(vmap, PROGRAM_BASE, program_end()))
		return -ENOMEM;
	if (commit_charge(pages))
		return -ENOMEM;
	vmap->committed = pages;
	pages_promise(vmap, PROGRAM_BASE, pages, PTE_AWAY_IMAGE);
	return 0;
}

int vmap_create(struct VMap *vmap, pid_t pid, uint16_t slot)
{
	memset(vmap, 0, sizeof(*vmap));
	vmap->pid = pid;
	vmap->slot = slot;
	mutex_init(&vmap->mutex, LOCK_VMAP);
	for (unsigned i = 0; i < ARENA_COUNT; i++)
		page_array_init(&vmap->arenas[i].blocks, sizeof(struct block));
	if (root_make(vmap))
		return -ENOMEM;
	if (program_make(vmap)) {
		tables_destroy(vmap);
		return -ENOMEM;
	}
	vmap_by_slot[slot] = vmap;
	return 0;
}

/* Every page of every live block. */
static void arenas_release(struct VMap *vmap)
{
	for (unsigned i = 0; i < ARENA_COUNT; i++) {
		struct arena *arena = &vmap->arenas[i];
		unsigned shift = i + ARENA_MIN_SHIFT;

		for (uint32_t index = 0; index < arena->used; index++) {
			struct block *block = block_at(vmap, i, index);
			struct block_place place = {
				.arena = i,
				.shift = shift,
				.index = index,
				.address = arena_base(vmap, i) + ((vaddr_t)index << shift),
			};

			if (block->size_bytes)
				block_release(vmap, block, &place);
		}
		page_array_destroy(&arena->blocks);
	}
}

void vmap_destroy(struct VMap *vmap)
{
	uint64_t pages = (program_end() - PROGRAM_BASE) / PAGE_SIZE;

	mutex_lock(&vmap->mutex);
	WRITE_ONCE(vmap->closing, true);
	arenas_release(vmap);
	if (pages) {
		pages_release(vmap, PROGRAM_BASE, pages);
		vmap->committed -= pages;
		commit_uncharge(pages);
	}
	ASSERT(vmap->committed == 0);
	mutex_unlock(&vmap->mutex);
	/* No page is listed any more; those that evictors took before are theirs to release. */
	while (__atomic_load_n(&vmap->evictor_refs, __ATOMIC_ACQUIRE))
		thread_yield();
	ASSERT(address_space_active(&vmap->space) == 0);
	vmap_by_slot[vmap->slot] = NULL;
	fault_forget(&vmap->space);
	tables_destroy(vmap);
}
