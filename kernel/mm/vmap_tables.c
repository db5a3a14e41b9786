/*
 * vmap_tables.c: the page tables of a process, and promises in them.
 *
 * Tables are made under the VMap's mutex before any entry in them is used, and
 * freed only with the whole address space: so whoever finds one may follow it
 * without a lock. Entries of a level-1 table change under the lock in the
 * descriptor of its frame (class page_table).
 */
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/vmap_internal.h"

/* A new, empty table, accounted to the VMap; PFN_NONE if there is no memory. */
static pfn_t table_alloc(struct VMap *vmap, vaddr_t base, uint32_t level)
{
	pfn_t pfn = kernel_frame_alloc(FRAME_PAGE_TABLE);

	if (pfn == PFN_NONE)
		return PFN_NONE;
	frames[pfn].owner = vmap->slot;
	frames[pfn].table.lock = (struct spinlock)SPINLOCK(PAGE_TABLE);
	frames[pfn].table.base = base;
	frames[pfn].table.level = level;
	vmap->table_pages++;
	return pfn;
}

/* The tables on the way to one level-1 table. */
static int tables_make_path(struct VMap *vmap, vaddr_t address)
{
	pte_t *table = direct_map(vmap->space.root);

	for (uint32_t level = 4; level > 1; level--) {
		pte_t *entry = &table[pte_index(address, (int)level)];

		if (!pte_is_present(pte_read(entry))) {
			vaddr_t span = 1ull << (PAGE_SHIFT + 9 * (level - 1));
			pfn_t pfn = table_alloc(vmap, ALIGN_DOWN(address, span), level - 1);

			if (pfn == PFN_NONE)
				return -ENOMEM;
			pte_write(entry, (pte_t){(uint64_t)pfn << PAGE_SHIFT | PTE_PRESENT |
						 PTE_WRITABLE});
		}
		table = direct_map(pte_read(entry).bits & PTE_FRAME_MASK);
	}
	return 0;
}

int tables_make(struct VMap *vmap, vaddr_t start, vaddr_t end)
{
	for (vaddr_t at = ALIGN_DOWN(start, TABLE_SPAN); at < end; at += TABLE_SPAN) {
		int result = tables_make_path(vmap, at);

		if (result)
			return result;
	}
	return 0;
}

static void table_free(struct VMap *vmap, pfn_t pfn, int level, unsigned entries)
{
	const pte_t *table = pfn_to_direct(pfn);

	if (level > 1)
		for (unsigned i = 0; i < entries; i++)
			if (pte_is_present(table[i]))
				table_free(vmap, pte_pfn(table[i]), level - 1, PTE_COUNT);
	kernel_frame_free(pfn);
	vmap->table_pages--;
}

void tables_destroy(struct VMap *vmap)
{
	/* The upper half of the root is the kernel's. */
	table_free(vmap, phys_to_pfn(vmap->space.root), 4, PTE_COUNT / 2);
	ASSERT(vmap->table_pages == 0);
}

void pages_promise(struct VMap *vmap, vaddr_t address, uint64_t count, uint64_t away)
{
	while (count) {
		pte_t *entry = vmap_entry(vmap, address);
		uint64_t run = MIN(count, PTE_COUNT - pte_index(address, 1));

		/* An entry that is none changes only under the VMap's mutex: no other lock is
		 * needed. */
		for (uint64_t i = 0; i < run; i++)
			pte_write(&entry[i], pte_make_untouched(away));
		address += run * PAGE_SIZE;
		count -= run;
	}
}
