/*
 * symbols.c: looks up the table in section .symbols, which tests/tools/symbols
 * makes from nm's output of a first link:
 *
 *   count; count times { address - KERNEL_BASE, offset of the name }; the names
 *
 * Entries rise by address; names end with NUL. Text only: it lies before the
 * table, so that adding the table moves nothing that is in it.
 */
#include "kernel/symbols.h"

#include "arch/x86_64/layout.h"

struct symbol {
	uint32_t address; /* less KERNEL_BASE */
	uint32_t name;	  /* offset into the names */
};

struct symbols_table {
	uint32_t count;
	struct symbol symbols[];
};

/* Weak: an image without one links as well. */
extern const struct symbols_table symbols_table __attribute__((weak));
extern const char image_text_start[], image_text_end[];

const char *symbol_find(vaddr_t address, uint64_t *offset)
{
	const struct symbols_table *table = &symbols_table;
	uint32_t low = 0, high, key;

	if (!table || table->count == 0 || address < (vaddr_t)image_text_start ||
	    address >= (vaddr_t)image_text_end)
		return NULL;

	/* The last symbol that is not above the address: low if any, high is above it. */
	key = (uint32_t)(address - KERNEL_BASE);
	high = table->count;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (table->symbols[middle].address <= key)
			low = middle;
		else
			high = middle;
	}
	if (table->symbols[low].address > key)
		return NULL;
	*offset = key - table->symbols[low].address;
	return (const char *)&table->symbols[table->count] + table->symbols[low].name;
}
