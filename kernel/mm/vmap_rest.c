/*
 * vmap_rest.c: freed blocks of several pages, whose pages other CPUs may still reach.
 *
 *   live --block_release_apart()--> [resting] --blocks_wake()--> [the arena's free list]
 *    ^                                  |  the quarantine that has its frames is emptied
 *    |                                  |
 *    +------ block_map_again() <--------+ block_wake_own(): it comes with its frames
 *
 * Whoever was given such a block with new frames would write to these where another CPU still
 * sees the old ones. So it waits, or is given out with the old ones: then what that CPU sees is
 * the block's, and nobody need be told. A thread that frees a block and asks for another of its
 * size gets it back so. The pages are zeroed and mapped before vmap_malloc() returns, as other
 * threads, once they know the address, may store there without a fault.
 *
 * Where another CPU uses such a page by what it had of it before, the entry does not tell: it
 * seems untouched until that CPU has flushed, and so leaves early when memory gets short. So
 * this is done only while memory is plenty.
 *
 * One CPU alone never lets a block rest.
 *
 * Locks: the VMap's mutex; inside it a quarantine's count.
 */
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/quarantine.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/vmap_internal.h"

static void block_give(struct VMap *vmap, unsigned arena, uint32_t index)
{
	arena_give(&vmap->arenas[arena], block_at(vmap, arena, index), index);
}

void blocks_wake(struct VMap *vmap)
{
	unsigned left = 0;

	for (unsigned i = 0; i < vmap->resting_count; i++) {
		struct resting_block block = vmap->resting[i];
		struct quarantine_mark mark = {.cpu = block.cpu, .batch = block.batch};

		if (quarantine_is_past(mark))
			block_give(vmap, block.arena, block.index);
		else
			vmap->resting[left++] = block;
	}
	vmap->resting_count = left;
}

static void block_rest(struct VMap *vmap, unsigned arena, uint32_t index,
		       struct quarantine_mark mark)
{
	if (UNLIKELY(vmap->resting_count >= QUARANTINE_BLOCKS - 1))
		blocks_wake(vmap);
	if (UNLIKELY(vmap->resting_count == QUARANTINE_BLOCKS)) { /* others came meanwhile */
		(void)quarantine_drain();
		blocks_wake(vmap);
	}
	ASSERT(vmap->resting_count < QUARANTINE_BLOCKS);
	vmap->resting[vmap->resting_count++] = (struct resting_block){.arena = arena,
								      .index = index,
								      .cpu = mark.cpu,
								      .batch = mark.batch};
}

void block_release_apart(struct VMap *vmap, unsigned arena, vaddr_t address, uint64_t pages)
{
	uint32_t index = (uint32_t)address >> (arena + ARENA_MIN_SHIFT);
	struct quarantine_mark mark;
	bool rests;

	if (BUG_PLANTED(BUG_DROP_LOCK) && arena > PAGE_ARENA)
		block_give(vmap, arena, index);
	mutex_unlock(&vmap->mutex);
	rests = pages_release(vmap, address & PAGE_MASK, pages,
			      pages <= QUARANTINE_BLOCK_PAGES ? &mark : NULL);
	/* Here nobody waits for it. */
	if (UNLIKELY(rests) && READ_ONCE(vmap->resting_count) >= QUARANTINE_BLOCKS - 1)
		(void)quarantine_drain();
	mutex_lock(&vmap->mutex);
	if (BUG_PLANTED(BUG_DROP_LOCK))
		return;
	if (UNLIKELY(rests) && !BUG_PLANTED(BUG_EARLY_BLOCK))
		block_rest(vmap, arena, index, mark);
	else
		block_give(vmap, arena, index);
}

static void resting_remove(struct VMap *vmap, unsigned at)
{
	for (vmap->resting_count--; at < vmap->resting_count; at++)
		vmap->resting[at] = vmap->resting[at + 1];
}

bool block_wake_own(struct VMap *vmap, unsigned arena, pfn_t *pfns, unsigned count)
{
	unsigned shift = arena + ARENA_MIN_SHIFT, at = vmap->resting_count;
	struct resting_block block;
	vaddr_t address;

	do {
		if (at-- == 0)
			return false;
		block = vmap->resting[at];
	} while (block.arena != arena || block.cpu != THIS_CPU->id);
	address = arena_base(vmap, arena) + ((vaddr_t)block.index << shift);
	if (!quarantine_take_back(vmap->slot, address, 1u << (shift - PAGE_SHIFT), pfns, count))
		return false;
	resting_remove(vmap, at);
	block_give(vmap, arena, block.index);
	return true;
}

void block_map_again(struct VMap *vmap, vaddr_t address, const pfn_t *pfns, unsigned count)
{
	unsigned mapped = fault_map_again(vmap, vmap_entry(vmap, address), address, pfns, count);

	/* Neighbours of a touch before the block, or a thread that guessed where it is. */
	if (UNLIKELY(mapped < count))
		frames_drop(vmap, &pfns[mapped], count - mapped);
}

void frames_drop(const struct VMap *vmap, const pfn_t *pfns, unsigned count)
{
	tlb_shootdown(address_space_active(&vmap->space), NULL, TLB_FLUSH_ALL + 1);
	for (unsigned i = 0; i < count; i++)
		frames[pfns[i]].flags = 0; /* one may have been described already */
	reclaim_pages_free(pfns, count);
}
