/*
 * vmap_inspect.c: looking at an address space: counts for `ps`, blocks for
 * `vmap`, and the invariants for `check`.
 *
 * Counting follows the tables without locks: they stay, and a count that other
 * threads change meanwhile is as good as any. check runs when all is quiet.
 */
#include "kernel/mm/check.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/policy_internal.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/vmap_internal.h"
#include "lib/string.h"

uint64_t program_data_bytes(void)
{
	return program_end() - PROGRAM_BASE;
}

typedef void entry_visit(pte_t entry, vaddr_t address, void *context);

/* Calls visit for each level-1 entry that is not none, below a table of the level. */
static void walk(const pte_t *table, int level, vaddr_t base, unsigned entries, entry_visit *visit,
		 void *context)
{
	for (unsigned i = 0; i < entries; i++) {
		vaddr_t address = base + ((vaddr_t)i << (PAGE_SHIFT + 9 * (level - 1)));
		pte_t entry = pte_read(&table[i]);

		if (level == 1 && !pte_is_none(entry))
			visit(entry, address, context);
		else if (level > 1 && pte_is_present(entry))
			walk(direct_map(entry.bits & PTE_FRAME_MASK), level - 1, address, PTE_COUNT,
			     visit, context);
	}
}

static void walk_all(const struct VMap *vmap, entry_visit *visit, void *context)
{
	walk(direct_map(vmap->space.root), 4, 0, PTE_COUNT / 2, visit, context);
}

static void count_entry(pte_t entry, vaddr_t address, void *context)
{
	struct vmap_usage *usage = context;

	(void)address;
	usage->resident += pte_has_frame(entry);
	usage->shared += pte_has_frame(entry) && entry.bits & PTE_SHARED;
	usage->swapped += pte_is_swapped(entry);
	usage->untouched += pte_is_untouched(entry);
}

void vmap_usage(struct VMap *vmap, struct vmap_usage *usage)
{
	memset(usage, 0, sizeof(*usage));
	walk_all(vmap, count_entry, usage);
	usage->committed = READ_ONCE(vmap->committed);
}

void vmap_visit_blocks(struct VMap *vmap,
		       bool (*visit)(const struct vmap_block *block, void *context), void *context)
{
	bool go_on = true;

	mutex_lock(&vmap->mutex);
	for (unsigned arena = 0; arena < ARENA_COUNT && go_on; arena++) {
		for (uint32_t index = 0; index < vmap->arenas[arena].used && go_on; index++) {
			const struct block *block =
				page_array_get(&vmap->arenas[arena].blocks, index);
			struct vmap_block shown = {0};
			struct vmap_usage usage = {0};

			if (!block->size_bytes)
				continue;
			shown.address = arena_base(vmap, arena) +
					((vaddr_t)index << (arena + ARENA_MIN_SHIFT));
			shown.size_bytes = block->size_bytes;
			for (vaddr_t page = shown.address & PAGE_MASK;
			     page < shown.address + shown.size_bytes; page += PAGE_SIZE)
				count_entry(pte_read(vmap_entry(vmap, page)), page, &usage);
			shown.resident = usage.resident;
			shown.swapped = usage.swapped;
			shown.untouched = usage.untouched;
			go_on = visit(&shown, context);
		}
	}
	mutex_unlock(&vmap->mutex);
}

struct page_check {
	struct check *check;
	struct VMap *vmap;
	uint64_t pages;
};

/* The mapping in which an address lies, or NULL. */
static const struct mapping *mapping_find(const struct VMap *vmap, vaddr_t address)
{
	const struct mapping *mapping;

	LIST_FOREACH (mapping, &vmap->mappings, of_vmap)
		if (address - mapping->start < mapping->page_count * PAGE_SIZE)
			return mapping;
	return NULL;
}

/* Invariant 10: does a live block lie in the page? */
static bool page_is_promised(struct VMap *vmap, vaddr_t address)
{
	struct block_place place;
	struct block *block;

	if (address >= PROGRAM_BASE && address < program_end())
		return true;
	if (mapping_find(vmap, address))
		return true;
	if (!block_place(vmap, address, &place) || place.index >= vmap->arenas[place.arena].used)
		return false;
	if (place.shift < PAGE_SHIFT)
		return block_of_page(block_at(vmap, place.arena, place.index), &place)->page_live;
	block = block_live(vmap, address, &place);
	return block && address - place.address < block->size_bytes;
}

/* Invariants 3, 4 and 9 for an entry with a frame. */
static void check_frame(struct page_check *walk, pte_t entry, vaddr_t address)
{
	pid_t pid = walk->vmap->pid;
	const struct frame *frame;

	if (pte_pfn(entry) >= frame_limit) {
		check_fail(walk->check, 4, "pid %d %p maps frame %u, which is not RAM", pid,
			   (void *)address, pte_pfn(entry));
		return;
	}
	frame = &frames[pte_pfn(entry)];
	if (frame->state != FRAME_PRIVATE) {
		check_fail(walk->check, 4, "pid %d %p maps frame %u, which is %s", pid,
			   (void *)address, pte_pfn(entry), frame_state_name(frame->state));
		return;
	}
	if (frame->owner != walk->vmap->slot || frame->page.address != address ||
	    pte_pfn(pte_read(policy_entry(frame))) != pte_pfn(entry))
		check_fail(walk->check, 3, "pid %d %p maps frame %u, which says slot %u address %p",
			   pid, (void *)address, pte_pfn(entry), frame->owner,
			   (void *)frame->page.address);
	if (frame->slot == SLOT_NONE)
		return;
	swap_check_mark(walk->check, frame->slot);
	if (!frame_flag(frame, PAGE_DIRTY) && !(pte_is_present(entry) && entry.bits & PTE_DIRTY) &&
	    !swap_equals(frame->slot, pte_pfn(entry)) &&
	    /* A program that computes may have written to it meanwhile: then it is dirty by now. */
	    !(pte_read(policy_entry(frame)).bits & PTE_DIRTY))
		check_fail(walk->check, 9, "pid %d %p is clean but differs from its slot %u", pid,
			   (void *)address, frame->slot);
}

/* Invariant 3 for an entry of an object's page. */
static void check_shared(struct page_check *walk, pte_t entry, vaddr_t address)
{
	const struct mapping *mapping = mapping_find(walk->vmap, address);
	pid_t pid = walk->vmap->pid;
	const struct frame *frame;

	if (!mapping)
		return; /* said by invariant 10 */
	if (pte_is_ask(entry)) {
		if (entry.bits != mapping_entry(mapping).bits)
			check_fail(walk->check, 3, "pid %d %p asks another mapping", pid,
				   (void *)address);
		return;
	}
	frame = pte_pfn(entry) < frame_limit ? &frames[pte_pfn(entry)] : NULL;
	if (!frame || frame->state != FRAME_SHARED)
		check_fail(walk->check, 4, "pid %d %p maps frame %u as shared, which is %s", pid,
			   (void *)address, pte_pfn(entry),
			   frame ? frame_state_name(frame->state) : "not RAM");
	else if (object_of(frame) != mapping->object ||
		 frame->shared.index - mapping->first != (address - mapping->start) / PAGE_SIZE)
		check_fail(walk->check, 3, "pid %d %p maps frame %u, which is another page's", pid,
			   (void *)address, pte_pfn(entry));
}

static void check_entry(pte_t entry, vaddr_t address, void *context)
{
	struct page_check *walk = context;
	pid_t pid = walk->vmap->pid;

	/* Pages of objects are promised to these, unless they may become private. */
	walk->pages += !(entry.bits & PTE_SHARED) || entry.bits & PTE_COPY;
	if (pte_is_present(entry) && (!(entry.bits & PTE_NO_EXECUTE) || entry.bits & PTE_GLOBAL ||
				      entry.bits & ~(PTE_FRAME_MASK | PTE_NO_EXECUTE | 0xfffull)))
		check_fail(walk->check, 6, "pid %d %p has the entry %016lx", pid, (void *)address,
			   entry.bits);
	if (pte_is_transit(entry))
		check_fail(walk->check, 12, "pid %d %p is in transit", pid, (void *)address);
	if (!page_is_promised(walk->vmap, address))
		check_fail(walk->check, 10, "pid %d %p has the entry %016lx but no block", pid,
			   (void *)address, entry.bits);
	if (entry.bits & PTE_SHARED)
		check_shared(walk, entry, address);
	else if (pte_is_present(entry) || pte_is_resting(entry))
		check_frame(walk, entry, address);
	else if (pte_is_swapped(entry)) {
		swap_check_mark(walk->check, pte_slot(entry));
		if (swap_find_generation(pte_slot(entry)) != pte_generation(entry))
			check_fail(walk->check, 8,
				   "pid %d %p names a generation of slot %u that is past", pid,
				   (void *)address, pte_slot(entry));
	}
}

/* Invariant 5: counts the tables below and checks whose they are. */
static uint64_t check_tables(struct VMap *vmap, struct check *check, pfn_t pfn, int level,
			     unsigned entries)
{
	const pte_t *table = pfn_to_direct(pfn);
	uint64_t count = 1;

	if (frames[pfn].state != FRAME_PAGE_TABLE || frames[pfn].owner != vmap->slot ||
	    frames[pfn].table.level != (uint32_t)level)
		check_fail(check, 5,
			   "frame %u is a level-%d table of pid %d, but says %s of slot %u", pfn,
			   level, vmap->pid, frame_state_name(frames[pfn].state),
			   frames[pfn].owner);
	if (level == 1 && spin_is_locked(&frames[pfn].table.lock))
		check_fail(check, 12, "the lock of table %u of pid %d is held", pfn, vmap->pid);
	for (unsigned i = 0; level > 1 && i < entries; i++)
		if (pte_is_present(table[i]))
			count += check_tables(vmap, check, pte_pfn(table[i]), level - 1, PTE_COUNT);
	return count;
}

/* Invariant 10: a block that was ever given out is live, on the free list, or rests. */
static void check_arena(struct VMap *vmap, unsigned index, struct check *check)
{
	const struct arena *arena = &vmap->arenas[index];
	uint32_t live = 0, resting = 0, free = 0;

	for (uint32_t i = 0; i < arena->used; i++)
		live += block_at(vmap, index, i)->size_bytes != 0;
	for (unsigned i = 0; i < vmap->resting_count; i++)
		resting += vmap->resting[i].arena == index;
	for (uint32_t next = arena->first_free; next && free < arena->used; free++)
		next = block_at(vmap, index, next - 1)->next_free;
	if (live + resting + free != arena->used)
		check_fail(check, 10,
			   "pid %d has %u blocks of %lu bytes: %u live, %u free and %u that rest",
			   vmap->pid, arena->used, 1ul << (index + ARENA_MIN_SHIFT), live, free,
			   resting);
}

void vmap_check(struct VMap *vmap, struct check *check)
{
	const pte_t *root = direct_map(vmap->space.root);
	const pte_t *kernel_root = direct_map(tlb_kernel_root);
	struct page_check pages = {check, vmap, 0};
	uint64_t tables;

	tables = check_tables(vmap, check, phys_to_pfn(vmap->space.root), 4, PTE_COUNT / 2);
	if (tables != vmap->table_pages)
		check_fail(check, 5, "pid %d has %lu tables and counts %lu", vmap->pid, tables,
			   vmap->table_pages);
	if (memcmp(&root[PTE_COUNT / 2], &kernel_root[PTE_COUNT / 2], PAGE_SIZE / 2))
		check_fail(check, 5, "the kernel's half differs in pid %d", vmap->pid);
	if (!pte_is_none(root[0]) && vmap_entry(vmap, 0) && !pte_is_none(*vmap_entry(vmap, 0)))
		check_fail(check, 6, "page zero is mapped in pid %d", vmap->pid);
	for (unsigned i = 0; i < ARENA_COUNT; i++)
		check_arena(vmap, i, check);
	walk_all(vmap, check_entry, &pages);
	if (pages.pages != vmap->committed)
		check_fail(check, 10, "pid %d has %lu pages promised and counts %lu", vmap->pid,
			   pages.pages, vmap->committed);
	if (mutex_is_locked(&vmap->mutex))
		check_fail(check, 12, "the mutex of pid %d is held", vmap->pid);
	if (vmap->evictor_refs)
		check_fail(check, 12, "pid %d has %u pages held by evictors", vmap->pid,
			   vmap->evictor_refs);
}
