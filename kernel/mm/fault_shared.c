/*
 * fault_shared.c: a fault on a page of a shared memory object.
 *
 *   entry found        what happens                                   entry then
 *   ask, no access     forbidden
 *   ask, past the end  bad address: the object has become shorter
 *   ask                the object brings the page in                  present
 *   resting            mapped again (lru-exact)                       present
 *   ask or any, and a write makes a copy:
 *                      a frame with the object's bytes                present, private
 *   present            somebody was quicker                           present
 *
 * The entry is read under its table's lock: while it asks, its mapping lives,
 * and with it the object, of which a reference is taken there. Then the object
 * is asked under its own mutex, and the answer is entered, under the table's
 * lock again, if the entry is still the same.
 *
 * Locks: the object's mutex, inside it its spinlock, inside it page_table, inside
 * it lru. A thread waits for a frame with the mutex held, which no evictor wants.
 */
#include "arch/x86_64/trap.h"
#include "kernel/mm/event.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/reclaim.h"
#include "lib/errno.h"

/* A fault on its way. */
struct shared_fault {
	struct VMap *vmap;
	pte_t *entry;
	vaddr_t page;
	pte_t seen; /* the entry at the first look */
	bool write;
	struct object *object;
	uint64_t index;
	uint64_t keep; /* PTE_AWAY_READ_ONLY and PTE_COPY of the mapping's entries */
	enum fault_reason *reason;
	const char **detail;
};

static void fault_event(const struct shared_fault *fault, pfn_t pfn)
{
	event_record(fault->write ? EVENT_FAULT_WRITE : EVENT_FAULT_READ, fault->vmap->pid,
		     fault->page, pfn, SLOT_NONE, fault->seen.bits);
}

/* The object and the index that the entry stands for, with a reference; false: it has changed. */
static bool fault_identify(struct shared_fault *fault)
{
	struct frame *table = vmap_table_of(fault->entry);
	const struct mapping *mapping;

	spin_lock(&table->table.lock);
	if (pte_read(fault->entry).bits != fault->seen.bits) {
		spin_unlock(&table->table.lock);
		return false;
	}
	if (pte_is_ask(fault->seen)) {
		mapping = mapping_of(fault->seen);
		fault->object = mapping->object;
		fault->index = mapping->first + (fault->page - mapping->start) / PAGE_SIZE;
	} else { /* it holds the frame, so the page stays the object's */
		const struct frame *frame = &frames[pte_pfn(fault->seen)];

		fault->object = object_of(frame);
		fault->index = frame->shared.index;
	}
	object_hold(fault->object);
	spin_unlock(&table->table.lock);
	return true;
}

/* What an error of the object means to who touched the page. True: that is the end of it. */
static bool fault_failed(const struct shared_fault *fault, int error)
{
	if (error == -EAGAIN)
		return false;
	*fault->reason = error == -EIO ? FAULT_SWAP_LOST : FAULT_BAD_ADDRESS;
	if (error == -ENOMEM)
		*fault->detail = "there is no memory for this page of the file";
	return true;
}

/* ask -> present. False: look again. */
static bool serve_mapped(const struct shared_fault *fault) REQUIRES(fault->object->mutex)
{
	struct frame *table = vmap_table_of(fault->entry);
	struct frame *frame;
	pte_t value;
	int error;
	bool done;

	frame = object_page_in(fault->object, fault->index, OBJECT_MAKE, &error, fault->detail);
	if (!frame)
		return fault_failed(fault, error);
	value = pte_make_present(frame_pfn(frame), fault->keep);
	value.bits |= PTE_SHARED | (fault->keep & PTE_COPY);
	spin_lock(&table->table.lock);
	done = pte_replace(fault->entry, fault->seen, value);
	if (done) {
		__atomic_fetch_add(&frame->map_count, 1, __ATOMIC_RELAXED);
		/* An evictor may have named it meanwhile. */
		if (frame_flag(frame, PAGE_EVICTING | PAGE_TAIL))
			lru_touch(frame);
	}
	spin_unlock(&table->table.lock);
	spin_unlock(&fault->object->lock);
	if (done)
		fault_event(fault, frame_pfn(frame));
	return done;
}

/* Does the entry still stand for the page of the object? Its table's lock is held. */
static bool entry_is_same(const struct shared_fault *fault, pte_t entry)
{
	const struct mapping *mapping;

	if (!(entry.bits & PTE_COPY))
		return false;
	if (pte_has_frame(entry))
		return object_of(&frames[pte_pfn(entry)]) == fault->object &&
		       frames[pte_pfn(entry)].shared.index == fault->index;
	mapping = mapping_of(entry);
	return mapping->object == fault->object &&
	       mapping->first + (fault->page - mapping->start) / PAGE_SIZE == fault->index;
}

/* Any kind -> present, private, with the object's bytes. False: look again. */
static bool serve_copied(const struct shared_fault *fault) REQUIRES(fault->object->mutex)
{
	struct frame *table = vmap_table_of(fault->entry);
	pfn_t pfn = reclaim_page_alloc();
	int error;
	pte_t old;

	if (pfn == PFN_NONE)
		return false;
	error = object_page_copy(fault->object, fault->index, pfn, fault->detail);
	if (error) {
		reclaim_page_free(pfn);
		return fault_failed(fault, error);
	}
	frame_describe(&frames[pfn], frame_head(PAGE_DIRTY, fault->vmap->slot, SLOT_NONE),
		       fault->entry, fault->page);
	spin_lock(&table->table.lock);
	old = pte_read(fault->entry);
	/* The object's page may have left or come meanwhile. */
	if (!entry_is_same(fault, old)) {
		spin_unlock(&table->table.lock);
		fault_give_back(pfn);
		return false;
	}
	old = pte_exchange(fault->entry, pte_make_present(pfn, 0));
	if (pte_has_frame(old))
		object_entry_dropped(old);
	lru_insert(&frames[pfn]);
	spin_unlock(&table->table.lock);
	/* Other CPUs of this process still read the object's page: from now on this one. */
	tlb_shootdown(address_space_active(&fault->vmap->space), &fault->page, 1);
	COUNT(PGCOPY);
	fault_event(fault, pfn);
	return true;
}

/* resting -> present. False: look again. */
static bool serve_rested(const struct shared_fault *fault)
{
	struct frame *table = vmap_table_of(fault->entry);
	pte_t value = pte_make_present(pte_pfn(fault->seen), fault->seen.bits);
	bool done;

	value.bits |= fault->seen.bits & PTE_OBJECT_FLAGS;
	spin_lock(&table->table.lock);
	done = pte_replace(fault->entry, fault->seen, value);
	if (done)
		lru_touch(&frames[pte_pfn(value)]);
	spin_unlock(&table->table.lock);
	COUNT(PGSOFTFAULT);
	return done;
}

/* With the object held: its size and pages are looked at under its mutex. */
static bool serve_asked(const struct shared_fault *fault)
{
	bool done = true;

	mutex_lock(&fault->object->mutex);
	if (fault->index >= DIV_ROUND_UP(fault->object->size_bytes, PAGE_SIZE)) {
		*fault->reason = FAULT_BAD_ADDRESS;
		*fault->detail = "the mapped file ends before this page";
	} else if (fault->keep & PTE_COPY && fault->write) {
		done = serve_copied(fault);
	} else {
		fault->object->was_mapped = true;
		done = serve_mapped(fault);
	}
	mutex_unlock(&fault->object->mutex);
	return done;
}

bool fault_shared(struct VMap *vmap, pte_t *entry, vaddr_t page, pte_t seen, uint64_t error,
		  enum fault_reason *reason, const char **detail)
{
	struct shared_fault fault = {
		.vmap = vmap,
		.entry = entry,
		.page = page,
		.seen = seen,
		.write = error & FAULT_WRITE,
		.reason = reason,
		.detail = detail,
	};
	bool copies = fault.write && seen.bits & PTE_COPY;
	bool done;

	if (error & FAULT_EXECUTE || (pte_is_ask(seen) && seen.bits & PTE_AWAY_NO_ACCESS) ||
	    (fault.write && !copies && !pte_is_writable(seen))) {
		*reason = FAULT_FORBIDDEN;
		*detail = "the mapping does not allow this";
		return true;
	}
	if (!copies && pte_is_resting(seen))
		return serve_rested(&fault);
	if (!copies && pte_is_present(seen)) {
		COUNT(PGSPURIOUS);
		tlb_flush_local(page);
		return true;
	}
	if (!fault_identify(&fault))
		return false;
	fault.keep = (seen.bits & PTE_COPY) | (pte_is_writable(seen) ? 0 : PTE_AWAY_READ_ONLY);
	done = serve_asked(&fault);
	object_release(fault.object);
	return done;
}
