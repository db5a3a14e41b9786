/*
 * vmap_create.c: how an address space comes and goes.
 *
 * It begins with a root, whose upper half is the kernel's, and the promise of the
 * programs' data. It ends when no thread runs in it: first what its pages hold is
 * given back, then evictors that still hold a page of it are waited for, then its
 * tables are freed.
 */
#include "kernel/mm/commit.h"
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/quarantine.h"
#include "kernel/mm/vmap_internal.h"
#include "kernel/sched/thread.h"
#include "lib/string.h"

struct VMap *vmap_by_slot[PROCESS_MAX + 1];

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
	vmap->new_head = frame_head(PAGE_LISTED, slot, SLOT_NONE);
	vmap->neighbours = READ_ONCE(fault_neighbours);
	mutex_init(&vmap->mutex, LOCK_VMAP);
	for (unsigned i = 0; i < ARENA_COUNT; i++) {
		page_array_init(&vmap->arenas[i].blocks, sizeof(struct block));
		vmap->arenas[i].base = slice_base(vmap) + ((vaddr_t)i << ARENA_SHIFT);
	}
	for (unsigned i = 0; i < RECENT_TABLES; i++)
		vmap->recent_tables[i] = RECENT_TABLE_NONE;
	if (root_make(vmap))
		return -ENOMEM;
	if (program_make(vmap)) {
		tables_destroy(vmap);
		return -ENOMEM;
	}
	vmap_by_slot[slot] = vmap;
	return 0;
}

void vmap_destroy(struct VMap *vmap)
{
	uint64_t pages = (program_end() - PROGRAM_BASE) / PAGE_SIZE;

	mutex_lock(&vmap->mutex);
	blocks_release_all(vmap);
	(void)pages_release(vmap, PROGRAM_BASE, pages, NULL);
	pages_forget(vmap, pages);
	mapping_remove_all(vmap);
	ASSERT(vmap->committed == 0);
	mutex_unlock(&vmap->mutex);
	(void)quarantine_drain(); /* its frames do not outlive it */
	/* No page is listed any more; those that evictors took before are theirs to release. */
	while (__atomic_load_n(&vmap->evictor_refs, __ATOMIC_ACQUIRE))
		thread_yield();
	ASSERT(address_space_active(&vmap->space) == 0);
	vmap_by_slot[vmap->slot] = NULL;
	fault_forget(&vmap->space);
	tables_destroy(vmap);
}
