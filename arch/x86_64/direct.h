/*
 * direct.h: between physical addresses, frame numbers and the direct map.
 */
#pragma once

#include "arch/x86_64/layout.h"
#include "lib/assert.h"
#include "lib/types.h"

/* All RAM, the loader's structures and ACPI's tables are reachable so. */
ALWAYS_INLINE void *direct_map(paddr_t address)
{
	return (void *)(DIRECT_BASE + address);
}

ALWAYS_INLINE paddr_t direct_to_phys(const void *pointer)
{
	return (vaddr_t)pointer - DIRECT_BASE;
}

ALWAYS_INLINE void *pfn_to_direct(pfn_t pfn)
{
	return direct_map((paddr_t)pfn << PAGE_SHIFT);
}

ALWAYS_INLINE pfn_t direct_to_pfn(const void *pointer)
{
	STATIC_ASSERT((pfn_t)(DIRECT_BASE >> PAGE_SHIFT) == 0);
	return (pfn_t)((vaddr_t)pointer >> PAGE_SHIFT);
}

ALWAYS_INLINE pfn_t phys_to_pfn(paddr_t address)
{
	return (pfn_t)(address >> PAGE_SHIFT);
}
