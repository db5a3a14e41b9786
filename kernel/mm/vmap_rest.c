/*
 * vmap_rest.c: freed blocks whose pages other CPUs may still reach.
 *
 *   live --vmap_free()--> [resting] --blocks_wake()--> [the arena's free list] --> live
 *                            the quarantine that has its frames is emptied
 *
 * Whoever was given such a block would map new frames where another CPU still sees the old ones.
 * One CPU alone never lets a block rest.
 *
 * Locks: the VMap's mutex.
 */
#include "kernel/mm/quarantine.h"
#include "kernel/mm/vmap_internal.h"

void block_give(struct VMap *vmap, unsigned arena, uint32_t index)
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

void block_rest(struct VMap *vmap, unsigned arena, uint32_t index, struct quarantine_mark mark)
{
	if (UNLIKELY(vmap->resting_count >= QUARANTINE_BLOCKS - 1))
		blocks_wake(vmap);
	if (UNLIKELY(vmap->resting_count == QUARANTINE_BLOCKS)) { /* others came meanwhile */
		(void)quarantine_drain();
		blocks_wake(vmap);
	}
	vmap->resting[vmap->resting_count++] = (struct resting_block){.arena = arena,
								      .index = index,
								      .cpu = mark.cpu,
								      .batch = mark.batch};
}
