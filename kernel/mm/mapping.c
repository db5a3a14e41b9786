/*
 * mapping.c: see mapping.h.
 *
 *                    mapping_create, mapping_inherit
 *     free place --------------------------------------> lives, on two lists
 *        ^   place_take   objects_promise  mapping_enter     |
 *        |                                                   | mapping_remove: entries
 *        +---- mapping_leave <------- no page is left -------+
 *
 * Invariants:
 *  1. Two mappings do not overlap, unless they are of different processes and
 *     map the same pages of the same object.
 *  2. A mapping with an object is on the object's list before an entry names
 *     it, and until no CPU has a translation of it: see object_page.c.
 *  3. live_pages is the number of its entries that are not none. Entries become
 *     none only here, under the VMap's mutex.
 * Locks: the VMap's mutex, inside it the object's mutex, and `mappings`, a
 * spinlock that guards which places of the table are taken.
 */
#include "kernel/mm/mapping.h"

#include "kernel/bugs.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/vmap_internal.h"

static struct {
	struct spinlock lock;
	vaddr_t next;        /* where the search for addresses begins: they rest a while */
	uint32_t generation; /* of the last one made */
	struct mapping table[MAPPING_MAX];
} mappings = {.lock = SPINLOCK(MAPPINGS), .next = MAPPING_BASE};

static vaddr_t mapping_end(const struct mapping *mapping)
{
	return mapping->start + mapping->page_count * PAGE_SIZE;
}

struct mapping *mapping_of(pte_t entry)
{
	ASSERT(pte_mapping(entry) < MAPPING_MAX);
	return &mappings.table[pte_mapping(entry)];
}

pte_t mapping_entry(const struct mapping *mapping)
{
	return pte_make_ask((uint32_t)(mapping - mappings.table), mapping->generation,
			    mapping->entry_flags);
}

/* ---- Places and addresses ----------------------------------------------------- */

/* Does any mapping touch [start, end)? Then *behind is where it ends. */
static bool range_is_taken(vaddr_t start, vaddr_t end, vaddr_t *behind) REQUIRES(mappings.lock)
{
	for (unsigned i = 0; i < MAPPING_MAX; i++) {
		const struct mapping *mapping = &mappings.table[i];

		if (mapping->vmap && mapping->start < end && mapping_end(mapping) > start) {
			*behind = mapping_end(mapping);
			return true;
		}
	}
	return false;
}

/* An address with so many bytes free behind it; 0 if there is none. */
static vaddr_t range_find(vaddr_t hint, uint64_t size_bytes) REQUIRES(mappings.lock)
{
	vaddr_t start = mappings.next;
	vaddr_t behind;
	bool wrapped = false;

	if (hint >= MAPPING_BASE && hint < MAPPING_END && MAPPING_END - hint >= size_bytes &&
	    !range_is_taken(hint, hint + size_bytes, &behind))
		return hint;
	for (;;) {
		if (MAPPING_END - start < size_bytes) {
			if (wrapped)
				return 0;
			wrapped = true;
			start = MAPPING_BASE;
			continue;
		}
		if (!range_is_taken(start, start + size_bytes, &behind)) {
			mappings.next = start + size_bytes;
			return start;
		}
		start = behind;
	}
}

/* A copy of `wanted` in the table, at its start or, if that is 0, at an address; NULL: no room. */
static struct mapping *place_take(const struct mapping *wanted, vaddr_t hint)
{
	uint64_t flags = spin_lock_irq(&mappings.lock);
	struct mapping *mapping = mappings.table;
	vaddr_t start = wanted->start;

	while (mapping < mappings.table + MAPPING_MAX && mapping->vmap)
		mapping++;
	if (mapping == mappings.table + MAPPING_MAX)
		mapping = NULL;
	else if (start == 0)
		start = range_find(hint, wanted->page_count * PAGE_SIZE);
	if (mapping && start) {
		*mapping = *wanted;
		mapping->start = start;
		mapping->generation = ++mappings.generation;
	}
	spin_unlock_irq(&mappings.lock, flags);
	return start ? mapping : NULL;
}

static void place_give(struct mapping *mapping)
{
	uint64_t flags = spin_lock_irq(&mappings.lock);

	mapping->vmap = NULL;
	spin_unlock_irq(&mappings.lock, flags);
}

/* ---- Making one ---------------------------------------------------------------- */

/*
 * Everything that can fail, but for the place: promises first, so that what is too
 * large leaves no tables behind. What was promised to the object stays with it.
 */
static int mapping_prepare(const struct mapping *mapping)
{
	int error = 0;

	if (mapping->charged)
		error = commit_charge(mapping->page_count);
	else if (mapping->object && !(mapping->entry_flags & PTE_AWAY_NO_ACCESS))
		error = object_promise(mapping->object, mapping->first, mapping->page_count);
	if (error)
		return error;
	error = tables_make(mapping->vmap, mapping->start, mapping_end(mapping));
	if (error && mapping->charged)
		commit_uncharge(mapping->page_count);
	return error;
}

/* On the lists: evictors find it from here on. Its entries are still none. */
static void mapping_enter(struct mapping *mapping)
{
	struct object *object = mapping->object;

	LIST_INSERT_HEAD(&mapping->vmap->mappings, mapping, of_vmap);
	if (mapping->charged)
		mapping->vmap->committed += mapping->page_count;
	if (object) {
		uint64_t flags;

		object_hold(object);
		flags = spin_lock_irq(&object->lock);
		LIST_INSERT_HEAD(&object->mappings, mapping, of_object);
		spin_unlock_irq(&object->lock, flags);
	}
}

/* The entry with which each of its pages begins. */
static pte_t entry_first(const struct mapping *mapping)
{
	if (mapping->object || mapping->entry_flags & PTE_AWAY_NO_ACCESS)
		return mapping_entry(mapping);
	return pte_make_untouched(mapping->entry_flags);
}

static uint64_t entry_flags_of(const struct mapping_request *request)
{
	bool write = request->protection & MAPPING_WRITE;

	if (request->protection == 0)
		return PTE_AWAY_NO_ACCESS | PTE_AWAY_READ_ONLY;
	if (!request->object)
		return write ? 0 : PTE_AWAY_READ_ONLY;
	/* What is private and only read cannot differ from the object. */
	if (request->share == MAPPING_PRIVATE && write && !BUG_PLANTED(BUG_SHARE_COPY))
		return PTE_COPY | PTE_AWAY_READ_ONLY;
	return write ? 0 : PTE_AWAY_READ_ONLY;
}

int mapping_create(struct VMap *vmap, const struct mapping_request *request, vaddr_t *address)
{
	struct mapping wanted = {
		.vmap = vmap,
		.page_count = request->page_count,
		.object = request->object,
		.first = request->first,
		.share = request->share,
		.entry_flags = entry_flags_of(request),
		.live_pages = request->page_count,
	};
	struct mapping *mapping;
	int error = -ENOMEM;

	wanted.charged = wanted.entry_flags & PTE_COPY ||
			 (!wanted.object && !(wanted.entry_flags & PTE_AWAY_NO_ACCESS));
	mutex_lock(&vmap->mutex);
	mapping = place_take(&wanted, request->hint);
	if (mapping) {
		error = mapping_prepare(mapping);
		if (error)
			place_give(mapping);
	}
	if (error == 0) {
		mapping_enter(mapping);
		for (uint64_t i = 0; i < mapping->page_count; i++)
			pte_write(vmap_entry(vmap, mapping->start + i * PAGE_SIZE),
				  entry_first(mapping));
		*address = mapping->start;
	}
	mutex_unlock(&vmap->mutex);
	return error;
}

/* ---- Unmapping ------------------------------------------------------------------ */

/* No page of it is left, and no CPU knows one. */
static void mapping_leave(struct mapping *mapping)
{
	struct object *object = mapping->object;

	LIST_REMOVE(mapping, of_vmap);
	if (object) {
		uint64_t flags = spin_lock_irq(&object->lock);

		LIST_REMOVE(mapping, of_object);
		spin_unlock_irq(&object->lock, flags);
	}
	place_give(mapping);
	if (object)
		object_release(object);
}

/* Entries of [start, end) that are not none; all tables exist. */
static uint64_t live_count(const struct VMap *vmap, vaddr_t start, vaddr_t end)
{
	uint64_t count = 0;

	for (vaddr_t page = start; page < end; page += PAGE_SIZE)
		count += !pte_is_none(pte_read(vmap_entry(vmap, page)));
	return count;
}

/* Unmaps what it has in [start, end), which lies within it; returns how many pages. */
static uint64_t mapping_cut(struct mapping *mapping, vaddr_t start, vaddr_t end)
{
	struct VMap *vmap = mapping->vmap;
	uint64_t live = live_count(vmap, start, end);

	if (live == 0)
		return 0;
	(void)pages_release(vmap, start, (end - start) / PAGE_SIZE, NULL);
	if (mapping->charged) {
		vmap->committed -= live;
		commit_uncharge(live);
	}
	mapping->live_pages -= live;
	if (mapping->live_pages == 0)
		mapping_leave(mapping);
	return live;
}

int mapping_remove(struct VMap *vmap, vaddr_t address, uint64_t page_count)
{
	vaddr_t end = address + page_count * PAGE_SIZE;
	struct mapping *mapping, *next;
	uint64_t live = 0;

	mutex_lock(&vmap->mutex);
	for (mapping = LIST_FIRST(&vmap->mappings); mapping; mapping = next) {
		next = LIST_NEXT(mapping, of_vmap);
		if (mapping->start < end && mapping_end(mapping) > address)
			live += mapping_cut(mapping, MAX(mapping->start, address),
					    MIN(mapping_end(mapping), end));
	}
	mutex_unlock(&vmap->mutex);
	return live ? 0 : -EINVAL;
}

void mapping_remove_all(struct VMap *vmap)
{
	struct mapping *mapping;

	while ((mapping = LIST_FIRST(&vmap->mappings)))
		(void)mapping_cut(mapping, mapping->start, mapping_end(mapping));
}

/* ---- Inheriting ------------------------------------------------------------------ */

/* The child gets the pages that the parent still has. 0 or -ENOMEM. */
static int inherit_one(struct VMap *child, const struct mapping *from)
{
	struct mapping wanted = *from;
	struct mapping *mapping;
	int error;

	wanted.vmap = child;
	mapping = place_take(&wanted, 0);
	if (!mapping)
		return -ENOMEM;
	error = tables_make(child, mapping->start, mapping_end(mapping));
	if (error) {
		place_give(mapping);
		return error;
	}
	mapping_enter(mapping);
	for (vaddr_t page = from->start; page < mapping_end(from); page += PAGE_SIZE)
		if (!pte_is_none(pte_read(vmap_entry(from->vmap, page))))
			pte_write(vmap_entry(child, page), mapping_entry(mapping));
	return 0;
}

int mapping_inherit(struct VMap *child, struct VMap *parent)
{
	const struct mapping *mapping;
	int error = 0;

	mutex_lock(&parent->mutex);
	LIST_FOREACH (mapping, &parent->mappings, of_vmap) {
		if (mapping->share == MAPPING_SHARED && error == 0)
			error = inherit_one(child, mapping);
	}
	mutex_unlock(&parent->mutex);
	return error;
}

/* ---- Looking --------------------------------------------------------------------- */

bool mapping_range_valid(const struct VMap *vmap, vaddr_t address, uint64_t size_bytes)
{
	vaddr_t page = address & PAGE_MASK;

	if (address < MAPPING_BASE || address >= MAPPING_END || size_bytes > MAPPING_END - address)
		return false;
	for (; page < address + size_bytes; page += PAGE_SIZE) {
		const pte_t *entry = vmap_entry(vmap, page);

		if (!entry || pte_is_none(pte_read(entry)) ||
		    (pte_is_ask(pte_read(entry)) && pte_read(entry).bits & PTE_AWAY_NO_ACCESS))
			return false;
	}
	return true;
}

void mapping_visit_quiet(void (*visit)(const struct mapping *mapping, void *context), void *context)
{
	for (unsigned i = 0; i < MAPPING_MAX; i++)
		if (mappings.table[i].vmap)
			visit(&mappings.table[i], context);
}
