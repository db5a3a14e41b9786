/*
 * mapping.h: shared memory objects in address spaces: what is behind mmap.
 *
 *     object:   [ 0 ][ 1 ][ 2 ][ 3 ] ...            records: hole, promised, frame, slot
 *                    first |
 *     mapping:       [ start + 0 ][ + 1 page ]      in the VMap of one process
 *     entries:       present         ask
 *
 * Mappings lie in a region of their own (MAPPING_BASE), and no two overlap,
 * whoever they belong to, but for those that a child inherits: so an address
 * there means the same page in every process that can touch it at all.
 *
 * Anonymous private memory has a mapping without an object: it keeps the
 * addresses; its pages are the process's own, as a block's are.
 *
 * Lifetime of a mapping: from mapping_create() until its last page is unmapped.
 * Its entries are cleared, each under its table's lock, and every CPU has
 * forgotten them, before it goes. So whoever finds an `ask` entry under that
 * lock may follow it.
 */
#pragma once

#include "kernel/mm/object.h"
#include "kernel/mm/vmap.h"

enum mapping_share {
	MAPPING_SHARED,  /* stores are everybody's */
	MAPPING_PRIVATE, /* the first store to a page makes a copy */
};

#define MAPPING_READ 1u
#define MAPPING_WRITE 2u /* reading comes with it, as on the processor; neither: no access */

struct mapping {
	/* Constant while it lives. */
	struct VMap *vmap; /* NULL: the place in the table is free */
	vaddr_t start;
	uint64_t page_count;
	struct object *object; /* with a reference; NULL: anonymous, private */
	uint64_t first;        /* page of the object at start */
	enum mapping_share share;
	uint64_t entry_flags; /* PTE_AWAY_* and PTE_COPY of its entries */
	uint32_t generation;  /* tells it from those that had its place before */
	bool charged;         /* its pages are promised to the process, not to the object */

	uint64_t live_pages;           /* not yet unmapped; the VMap's mutex */
	LIST_ENTRY(mapping) of_vmap;   /* the VMap's mutex */
	LIST_ENTRY(mapping) of_object; /* the object's spinlock */
};

/* What is asked for. */
struct mapping_request {
	vaddr_t hint; /* 0: none */
	uint64_t page_count;
	struct object *object; /* or NULL */
	uint64_t first;
	unsigned protection; /* MAPPING_READ, MAPPING_WRITE */
	enum mapping_share share;
};

/*
 * Maps, in the calling process, at the hint if that is free, else elsewhere.
 * All arguments are valid but for the hint. 0, or -ENOMEM (too many mappings,
 * no addresses, no memory; nothing is changed). May sleep.
 */
int mapping_create(struct VMap *vmap, const struct mapping_request *request, vaddr_t *address)
	MUST_CHECK;

/*
 * Unmaps the pages of [address, address + pages) that are mapped. 0, or -EINVAL:
 * none is. Private pages are gone with what was written to them. May sleep.
 */
int mapping_remove(struct VMap *vmap, vaddr_t address, uint64_t page_count) MUST_CHECK;

/* All that a process has. Called at its end, with the VMap's mutex held. */
void mapping_remove_all(struct VMap *vmap);

/* Gives a new process, which does not run yet, the shared mappings of another. 0 or -ENOMEM. */
int mapping_inherit(struct VMap *child, struct VMap *parent) MUST_CHECK;

/* Are all pages of [address, address + size) mapped? The VMap's mutex is held. */
bool mapping_range_valid(const struct VMap *vmap, vaddr_t address, uint64_t size_bytes);

/* The mapping that an `ask` entry names. The entry's page_table lock is held. */
struct mapping *mapping_of(pte_t entry);

/* The `ask` entry of a page of the mapping. */
pte_t mapping_entry(const struct mapping *mapping);

/* Calls visit for each mapping there is, for check, while all is quiet. */
void mapping_visit_quiet(void (*visit)(const struct mapping *mapping, void *context),
			 void *context);
