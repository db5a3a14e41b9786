/*
 * probe.c: walks the page tables by hand (Intel SDM volume 3, section 4.5.4).
 */
#include "arch/x86_64/probe.h"

#include "arch/x86_64/direct.h"
#include "arch/x86_64/pte.h"

#define ROOT_LEVEL 4

/* The first address that the entry mapping `address` does not map, or 0 if none maps it. */
static vaddr_t mapping_end(vaddr_t address)
{
	pte_t table_entry;

	__asm__ volatile("movq %%cr3, %0" : "=r"(table_entry.bits));
	for (int level = ROOT_LEVEL; level > 0; level--) {
		const pte_t *table = pfn_to_direct(pte_pfn(table_entry));

		table_entry = pte_read(&table[pte_index(address, level)]);
		if (!pte_is_present(table_entry))
			return 0;
		if (level == 1 || (level < ROOT_LEVEL && (table_entry.bits & PTE_LARGE))) {
			uint64_t size_bytes = (uint64_t)PAGE_SIZE << (9 * (level - 1));

			return ALIGN_DOWN(address, size_bytes) + size_bytes;
		}
	}
	return 0;
}

bool probe_mapped(vaddr_t address, uint64_t size_bytes)
{
	while (size_bytes > 0) {
		bool canonical = (vaddr_t)((int64_t)(address << 16) >> 16) == address;
		vaddr_t end = canonical ? mapping_end(address) : 0;

		if (end == 0) /* also for the last page of all, which nobody needs */
			return false;
		if (size_bytes <= end - address)
			return true;
		size_bytes -= end - address;
		address = end;
	}
	return true;
}
