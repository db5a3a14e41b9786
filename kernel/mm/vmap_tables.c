/*
 * vmap_tables.c: the page tables of a process, and runs of entries in them.
 *
 * Tables are made under the VMap's mutex before any entry in them is used, and
 * freed only with the whole address space: so whoever finds one may follow it
 * without a lock. Entries of a level-1 table change under the lock in the
 * descriptor of its frame (class page_table).
 */
#include "arch/x86_64/page_bytes.h"
#include "kernel/bugs.h"
#include "kernel/mm/event.h"
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/lru_inbox.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/vmap_internal.h"

#define TABLE_SPAN (2ull << 20) /* bytes a level-1 table covers */

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

#define RELEASED_MAX 32u

/* Pages taken out of the tables, waiting for the shootdown that frees their frames. */
struct released {
	unsigned count;
	uint32_t slots; /* the slots of all and-ed: SLOT_NONE if none has one */
	uint64_t time;
	struct frame *pages[RELEASED_MAX];
	struct flush_batch flush;
};

static SLOW_PATH void slots_free(struct frame *const *pages, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (pages[i]->slot != SLOT_NONE)
			swap_slot_free(pages[i]->slot);
}

/* The frames that no evictor holds are ours. The table's lock is held. */
static void released_unlist(struct released *released)
{
	if (released->count == 0)
		return;
	released->count = lru_remove(released->pages, released->count);
	if (UNLIKELY(released->slots != SLOT_NONE))
		slots_free(released->pages, released->count);
}

/* Frames are free once no CPU can reach them. Interrupts are off, no spinlock held. */
static void released_flush(struct released *released)
{
	if (!BUG_PLANTED(BUG_EARLY_REUSE))
		flush_batch_send(&released->flush);
	if (released->count)
		reclaim_pages_free(released->pages, released->count);
	if (BUG_PLANTED(BUG_EARLY_REUSE))
		flush_batch_send(&released->flush);
	released->count = 0;
}

/* The entry of a page in memory -> none. The table's lock is held. */
ALWAYS_INLINE void entry_release_frame(const struct VMap *vmap, pte_t *entry, vaddr_t address,
				       struct released *released)
{
	pfn_t pfn = pte_pfn(pte_exchange(entry, PTE_NONE));
	struct frame *frame = &frames[pfn];

	released->pages[released->count++] = frame;
	released->slots &= frame->slot;
	event_record_at(released->time, EVENT_FREE, vmap->pid, address, pfn, SLOT_NONE,
			PTE_PRESENT);
}

/* Any other entry -> none. False if it is in transit: the caller waits. The table's lock is held.
 */
static NOINLINE bool entry_release(const struct VMap *vmap, pte_t *entry, vaddr_t address,
				   struct released *released)
{
	pte_t old = pte_read(entry);

	if (pte_is_transit(old)) {
		return false;
	} else if (pte_is_none(old)) {
		return true;
	} else if (UNLIKELY(old.bits & PTE_SHARED)) {
		old = pte_exchange(entry, PTE_NONE);
		if (pte_has_frame(old))
			object_entry_dropped(old);
		flush_batch_add(&released->flush, address_space_active(&vmap->space), address);
	} else if (pte_is_swapped(old)) {
		pte_write(entry, PTE_NONE);
		/* An entry that was damaged, and whose process ends for it, holds no slot. */
		if (LIKELY(swap_slot_held(pte_slot(old), pte_generation(old))) &&
		    !BUG_PLANTED(BUG_LOSE_SLOT))
			swap_slot_free(pte_slot(old));
	} else {
		entry_release_frame(vmap, entry, address, released);
	}
	return true;
}

/*
 * A run of entries in one table -> none. Returns how many: fewer than `count` if
 * one is in transit. The table's lock is held.
 */
ALWAYS_INLINE uint64_t run_release(const struct VMap *vmap, pte_t *entry, vaddr_t address,
				   uint64_t count, struct released *released)
{
	uint64_t done = 0;

	released->slots = SLOT_NONE;
	released->time = cpu_tsc();
	for (; done < count; done++, address += PAGE_SIZE) {
		pte_t old = pte_read(&entry[done]);

		if ((old.bits & (PTE_PRESENT | PTE_SHARED)) == PTE_PRESENT)
			entry_release_frame(vmap, &entry[done], address, released);
		else if (pte_is_untouched(old))
			pte_write(&entry[done], PTE_NONE);
		else if (!entry_release(vmap, &entry[done], address, released))
			break;
	}
	return done;
}

void pages_release(struct VMap *vmap, vaddr_t address, uint64_t count)
{
	struct released released;

	released.count = 0;
	flush_batch_init(&released.flush);
	while (count) {
		pte_t *entry = vmap_entry(vmap, address);
		struct frame *table = vmap_table_of(entry);
		uint64_t run = MIN(count, PTE_COUNT - pte_index(address, 1));
		uint64_t flags = irq_save();
		uint64_t done;

		run = MIN(run, RELEASED_MAX);
		spin_lock(&table->table.lock);
		done = run_release(vmap, entry, address, run, &released);
		/* Of resting pages too: whoever let one rest may not have flushed yet. */
		if (released.count && !BUG_PLANTED(BUG_NO_FREE_SHOOTDOWN))
			flush_batch_add_run(&released.flush, address_space_active(&vmap->space),
					    address, (unsigned)done);
		released_unlist(&released);
		spin_unlock(&table->table.lock);
		released_flush(&released);
		if (UNLIKELY(done < run))
			fault_transit_wait(&entry[done]);
		irq_restore(flags);
		address += done * PAGE_SIZE;
		count -= done;
	}
}
