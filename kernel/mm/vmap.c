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
 *     on its arena's free list, once; or its pages are being taken out; or it
 *     rests, once (vmap_rest.c).
 *  2. Entries of the pages of a live block are not none; entries of pages in
 *     which no live block lies are none.
 *  3. Small blocks share pages: the first block of a page counts the live ones.
 *  4. committed = pages in which live blocks lie + pages of the programs' data
 *     + pages of mappings that are its own (mapping.h).
 * vmap_free makes the block free first, so that a racing second free of it finds
 * nothing, then takes its pages (a large block's without the mutex), and then puts
 * it on the list: so nobody is given it while it has pages, or while another CPU
 * may still see them, but with just these (vmap_rest.c).
 * Locks: the mutex (class vmap) is outside all spinlocks. Faults do not take
 * it: whether a page may be touched is in its entry alone.
 */
#include "kernel/mm/vmap.h"

#include "kernel/bugs.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/policy.h"
#include "kernel/mm/quarantine.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/release_quick.h"
#include "kernel/mm/vmap_internal.h"
#include "kernel/sched/gate.h"

int *vmap_errno(void)
{
	return &thread_current()->error_number;
}

static bool vmap_lives(const struct VMap *vmap)
{
	for (unsigned slot = 1; slot <= PROCESS_MAX; slot++)
		if (READ_ONCE(vmap_by_slot[slot]) == vmap)
			return true;
	return false;
}

int vmap_caller_check(const struct VMap *vmap)
{
	const struct thread *thread = thread_current();

	if (!vmap)
		return -EINVAL;
	if (thread->space == &vmap->space)
		return 0;
	if (!vmap_lives(vmap))
		return -ESRCH;
	return thread->process ? -EPERM : 0;
}

/* The arena whose blocks are the smallest that hold `size` bytes, at least 1. */
ALWAYS_INLINE unsigned arena_for(uint32_t size_bytes)
{
	unsigned highest_bit =
		31 ^ (unsigned)__builtin_clz((size_bytes - 1) | ((1u << ARENA_MIN_SHIFT) - 1));

	return highest_bit + 1 - ARENA_MIN_SHIFT;
}

ALWAYS_INLINE uint64_t pages_of(uint32_t size_bytes)
{
	return ((uint64_t)size_bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/*
 * Makes the arena's first free block live: promises its pages, or counts it in
 * the page that it shares. NULL, and nothing is changed, if the arena has no
 * free block, the pages cannot be promised, or QUICK does not suffice. The
 * mutex is held.
 */
ALWAYS_INLINE void *block_take(struct VMap *vmap, unsigned arena_index, uint32_t size_bytes,
			       enum effort effort)
{
	struct arena *arena = &vmap->arenas[arena_index];
	struct block_place place = {.arena = arena_index, .shift = arena_index + ARENA_MIN_SHIFT};
	uint64_t pages = arena_index == PAGE_ARENA ? 1 : pages_of(size_bytes);
	struct block *block;
	pte_t *entry;

	if (UNLIKELY(arena->first_free == 0))
		return NULL;
	place.index = arena->first_free - 1;
	place.address = arena_base(vmap, arena_index) + ((vaddr_t)place.index << place.shift);
	if (effort == QUICK && !arena_knows_table(arena, place.address))
		return NULL;
	block = block_at(vmap, arena_index, place.index);
	entry = arena_entry(vmap, arena, place.address, effort);
	if (place.shift < PAGE_SHIFT) {
		struct block *counter = block_of_page(block, &place);

		pages = counter->page_live == 0;
		if (UNLIKELY(commit_charge(pages)))
			return NULL;
		counter->page_live++;
	} else if (UNLIKELY(commit_charge(pages))) {
		return NULL;
	}
	arena->first_free = block->next_free;
	block->size_bytes = size_bytes;
	vmap->committed += pages;
	if (effort == THOROUGH)
		pages_promise(vmap, place.address & PAGE_MASK, pages, 0);
	else /* all in this table */
		for (const pte_t *end = entry + pages; entry < end; entry++)
			pte_write(entry, pte_make_untouched(0));
	return (void *)place.address;
}

/*
 * Gives the arena one more free block, never used before: its record, and the
 * tables for its pages. False: no memory, or no room in the arena. The mutex is held.
 */
static bool arena_grow(struct VMap *vmap, unsigned index)
{
	struct arena *arena = &vmap->arenas[index];
	unsigned shift = index + ARENA_MIN_SHIFT;
	uint64_t end = ((uint64_t)arena->used + 1) << shift;
	struct block *block;

	if (arena->used >= ARENA_BLOCK_MAX || end > 1ull << ARENA_SHIFT)
		return false;
	block = page_array_make(&arena->blocks, arena->used);
	if (!block)
		return false;
	if (end > arena->tables_end) {
		vaddr_t base = arena_base(vmap, index);

		if (tables_make(vmap, base + arena->tables_end, base + end))
			return false;
		arena->tables_end = ALIGN_UP(end, MIB(2));
	}
	arena_give(arena, block, arena->used++);
	return true;
}

/* The same if the block's pages can be promised beside: a block too large leaves no tables behind.
 */
static bool arena_grow_for(struct VMap *vmap, unsigned index, uint32_t size_bytes)
{
	uint64_t pages = pages_of(size_bytes);
	bool grown;

	if (commit_charge(pages))
		return false;
	grown = arena_grow(vmap, index);
	commit_uncharge(pages);
	return grown;
}

/*
 * Has the arena a free block, or can it be given one, for so many bytes? Those that rest are
 * waited for only if there is no other. The mutex is held.
 */
static bool arena_provide(struct VMap *vmap, unsigned index, uint32_t size_bytes)
{
	struct arena *arena = &vmap->arenas[index];

	if (arena->first_free == 0)
		blocks_wake(vmap);
	if (arena->first_free || arena_grow_for(vmap, index, size_bytes))
		return true;
	(void)quarantine_drain();
	blocks_wake(vmap);
	return arena->first_free;
}

/*
 * A block of several pages that this CPU freed, which rests, with its frames, as long as pages
 * may be mapped ahead of a touch. NULL: there is none such, or the arena has another.
 */
static void *malloc_again(struct VMap *vmap, unsigned arena, uint32_t size_bytes)
{
	uint64_t pages = pages_of(size_bytes);
	pfn_t pfns[NEIGHBOURS_MAX];
	void *data = NULL;

	if (LIKELY(READ_ONCE(vmap->resting_count) == 0) || pages < 2 || pages > vmap->neighbours)
		return NULL;
	mutex_lock(&vmap->mutex);
	irq_disable();
	if (policy_accessed() && reclaim_is_plenty() && vmap->arenas[arena].first_free == 0 &&
	    block_wake_own(vmap, arena, pfns, (unsigned)pages)) {
		data = block_take(vmap, arena, size_bytes, THOROUGH);
		if (UNLIKELY(!data))
			frames_drop(vmap, pfns, (unsigned)pages);
	}
	mutex_unlock(&vmap->mutex);
	if (data)
		block_map_again(vmap, (vaddr_t)data, pfns, (unsigned)pages);
	irq_enable();
	return data;
}

/* Any block that can be had. */
static void *malloc_thorough(struct VMap *vmap, unsigned arena, uint32_t size_bytes)
{
	void *data = NULL;

	mutex_lock(&vmap->mutex);
	if (arena_provide(vmap, arena, size_bytes))
		data = block_take(vmap, arena, size_bytes, THOROUGH);
	mutex_unlock(&vmap->mutex);
	return data;
}

/* All that the quick way below does not do: errors, waiting, growing. */
static SLOW_PATH void *malloc_slow(struct VMap *vmap, int size)
{
	void *data = NULL;
	int error;

	gate_enter();
	error = vmap_caller_check(vmap);
	if (!error && size <= 0)
		error = -EINVAL;
	if (!error) {
		unsigned arena = arena_for((uint32_t)size);

		data = malloc_again(vmap, arena, (uint32_t)size);
		if (!data)
			data = malloc_thorough(vmap, arena, (uint32_t)size);
		if (!data)
			error = -ENOMEM;
	}
	if (error) {
		*vmap_errno() = -error;
		COUNT(MALLOC_ERROR);
	} else {
		COUNT(MALLOC);
	}
	gate_leave();
	return data;
}

/* malloc without waiting, growing or searching; NULL: malloc_slow() has to do it. */
ALWAYS_INLINE void *malloc_quick(struct VMap *vmap, unsigned arena, uint32_t size_bytes)
{
	struct thread *thread = thread_current();
	void *data;

	if (UNLIKELY(!vmap) || UNLIKELY(thread->space != &vmap->space) ||
	    UNLIKELY(!gate_try_enter(thread)))
		return NULL;
	if (UNLIKELY(!mutex_try_lock_as(&vmap->mutex, thread))) {
		gate_leave_as(thread);
		return NULL;
	}
	data = block_take(vmap, arena, size_bytes, QUICK);
	mutex_unlock_as(&vmap->mutex, thread);
	gate_leave_as(thread);
	return data;
}

/* A block that shares its page, or has several, all in one table. */
static NOINLINE void *malloc_other(struct VMap *vmap, int size)
{
	void *data = NULL;

	if (LIKELY((unsigned)size - 1 < TABLE_SPAN))
		data = malloc_quick(vmap, arena_for((uint32_t)size), (uint32_t)size);
	if (UNLIKELY(!data))
		return malloc_slow(vmap, size);
	COUNT(MALLOC);
	return data;
}

void *vmap_malloc(struct VMap *vmap, int size)
{
	void *data;

	/* A block of one page: here the compiler knows arena and shifts. */
	if ((unsigned)size - PAGE_SIZE / 2 - 1 >= PAGE_SIZE / 2)
		return malloc_other(vmap, size);
	data = malloc_quick(vmap, PAGE_ARENA, (uint32_t)size);
	if (UNLIKELY(!data))
		return malloc_slow(vmap, size);
	COUNT(MALLOC);
	return data;
}

/*
 * The live block that begins at the address is free from now on. Returns how
 * many whole pages go with it, from the address's page on: one of several is given
 * to nobody before it rests or is free, others at once, and their page leaves under the
 * mutex. -1, and nothing is changed, if no live block begins there. The mutex is held.
 */
ALWAYS_INLINE int64_t block_end(struct VMap *vmap, unsigned arena_index, vaddr_t address)
{
	struct arena *arena = &vmap->arenas[arena_index];
	unsigned shift = arena_index + ARENA_MIN_SHIFT;
	uint32_t index = (uint32_t)address >> shift;
	struct block *block;
	uint64_t pages;

	if (UNLIKELY((uint32_t)address & ((1u << shift) - 1)) || UNLIKELY(index >= arena->used))
		return -1;
	block = block_at(vmap, arena_index, index);
	if (UNLIKELY(block->size_bytes == 0))
		return -1;
	if (shift < PAGE_SHIFT) {
		struct block_place place = {.arena = arena_index, .shift = shift, .index = index};

		pages = --block_of_page(block, &place)->page_live == 0;
	} else {
		pages = pages_of(block->size_bytes);
	}
	if (shift >= PAGE_SHIFT)
		*block = (struct block){0};
	else
		block->size_bytes = 0;
	if (arena_index <= PAGE_ARENA)
		arena_give(arena, block, index);
	return (int64_t)pages;
}

/* The arena that an address lies in, or ARENA_COUNT and more if none of this VMap's. */
ALWAYS_INLINE uint64_t arena_of(const struct VMap *vmap, vaddr_t address)
{
	return (address - vmap->arenas[0].base) >> ARENA_SHIFT;
}

/* Why the address cannot be freed. */
static int free_error(const struct VMap *vmap, vaddr_t address)
{
	if (address >= PROCESS_END)
		return -EPERM; /* the kernel's */
	if (vmap_slice(address) != vmap->slot && vmap_slice(address) != 0 &&
	    READ_ONCE(vmap_by_slot[vmap_slice(address)]))
		return -EPERM; /* another process's */
	return -EINVAL;
}

/* The pages of a block that ended: taken out, and promised no more. The mutex is held. */
static void block_release(struct VMap *vmap, unsigned arena_index, vaddr_t address, uint64_t pages)
	REQUIRES(vmap->mutex)
{
	if (arena_index > PAGE_ARENA || BUG_PLANTED(BUG_DROP_LOCK))
		block_release_apart(vmap, arena_index, address, pages);
	else
		(void)pages_release(vmap, address & PAGE_MASK, pages, NULL);
	pages_forget(vmap, pages);
}

/* All that the quick way below does not do: errors, waiting, pages that were touched. */
static SLOW_PATH void free_slow(struct VMap *vmap, void *data)
{
	int error;

	gate_enter();
	error = vmap_caller_check(vmap);
	if (!error) {
		uint64_t arena = arena_of(vmap, (vaddr_t)data);
		int64_t pages;

		mutex_lock(&vmap->mutex);
		pages = arena < ARENA_COUNT ? block_end(vmap, (unsigned)arena, (vaddr_t)data) : -1;
		if (pages >= 0)
			block_release(vmap, (unsigned)arena, (vaddr_t)data, (uint64_t)pages);
		else
			error = free_error(vmap, (vaddr_t)data);
		mutex_unlock(&vmap->mutex);
	}
	*vmap_errno() = -error;
	if (error)
		COUNT(FREE_ERROR);
	else
		COUNT(FREE);
	gate_leave();
}

/* The last page of a block that ended leaves, and the service. The mutex is held. */
static NOINLINE void free_rest(struct VMap *vmap, vaddr_t address) RELEASES(vmap->mutex)
{
	block_release(vmap, (unsigned)arena_of(vmap, address), address, 1);
	mutex_unlock(&vmap->mutex);
	COUNT(FREE);
	gate_leave();
}

/* The same of a page that was touched, quickly if it was only just now. */
static NOINLINE void free_touched(struct VMap *vmap, vaddr_t address, pte_t *entry)
	RELEASES(vmap->mutex)
{
	bool done;

	irq_disable(); /* they are on: a mutex is held */
	done = page_release_quick(vmap, entry, address & PAGE_MASK);
	irq_enable();
	if (UNLIKELY(!done)) {
		free_rest(vmap, address);
		return;
	}
	pages_forget(vmap, 1);
	mutex_unlock(&vmap->mutex);
	COUNT(FREE);
	gate_leave();
}

/* free of a block that shares its page or has one that was never touched; else the slow ways. */
ALWAYS_INLINE void free_quick(struct VMap *vmap, unsigned arena_index, vaddr_t address)
{
	struct thread *thread = thread_current();
	struct arena *arena = &vmap->arenas[arena_index];
	int64_t pages;

	if (UNLIKELY(!gate_try_enter(thread))) {
		free_slow(vmap, (void *)address);
		return;
	}
	if (UNLIKELY(!mutex_try_lock_as(&vmap->mutex, thread))) {
		gate_leave_as(thread);
		free_slow(vmap, (void *)address);
		return;
	}
	pages = block_end(vmap, arena_index, address);
	if (UNLIKELY(pages < 0)) {
		mutex_unlock_as(&vmap->mutex, thread);
		gate_leave_as(thread);
		free_slow(vmap, (void *)address);
		return;
	}
	thread->error_number = 0;
	if (arena_index == PAGE_ARENA || pages) {
		pte_t *entry = arena_entry(vmap, arena, address, QUICK);

		if (UNLIKELY(!arena_knows_table(arena, address))) {
			free_rest(vmap, address);
			return;
		}
		if (!pte_forget(entry)) {
			free_touched(vmap, address, entry);
			return;
		}
		pages_forget(vmap, 1);
	}
	mutex_unlock_as(&vmap->mutex, thread);
	COUNT(FREE);
	gate_leave_as(thread);
}

static NOINLINE void free_other(struct VMap *vmap, void *data)
{
	uint64_t arena = vmap ? arena_of(vmap, (vaddr_t)data) : ARENA_COUNT;

	if (!data)
		return;
	if (arena < PAGE_ARENA && thread_current()->space == &vmap->space)
		free_quick(vmap, (unsigned)arena, (vaddr_t)data);
	else
		free_slow(vmap, data);
}

void vmap_free(struct VMap *vmap, void *data)
{
	/* A block of one page: here the compiler knows arena and shifts. */
	if (LIKELY(vmap) && LIKELY(thread_current()->space == &vmap->space) &&
	    (vaddr_t)data - vmap->arenas[PAGE_ARENA].base < 1ull << ARENA_SHIFT)
		free_quick(vmap, PAGE_ARENA, (vaddr_t)data);
	else
		free_other(vmap, data);
}

void blocks_release_all(struct VMap *vmap)
{
	for (unsigned i = 0; i < ARENA_COUNT; i++) {
		struct arena *arena = &vmap->arenas[i];

		for (uint32_t index = 0; index < arena->used; index++) {
			vaddr_t address =
				arena_base(vmap, i) + ((vaddr_t)index << (i + ARENA_MIN_SHIFT));
			int64_t pages = block_end(vmap, i, address);

			if (pages > 0) {
				(void)pages_release(vmap, address & PAGE_MASK, (uint64_t)pages,
						    NULL);
				pages_forget(vmap, (uint64_t)pages);
			}
		}
		page_array_destroy(&arena->blocks);
	}
}
