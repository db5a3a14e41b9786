/*
 * lru_tail.c: the next victims, which rest.
 *
 *                          filling_begin()   rest()        filling_end()
 *   [the policy's lists] ---------------> [tail] ----> resting ----> flushed --> evictor
 *             ^                             |             |            |  lru_take_resting()
 *             +-----------------------------+-------------+------------+
 *                                 lru_touch(): mapped again
 *
 * When a victim is wanted and a part of the tail has gone, the policy names the
 * next ones together. They are unmapped with one shootdown and wait on the tail,
 * still in memory. One that is touched there is mapped again by a soft fault, and
 * the policy keeps it: so the order at the old end is nearly exact, the more so
 * the more of memory rests (policy->rest_max) (Levy and Lipman, "Virtual Memory
 * Management in the VAX/VMS Operating System", 1982). One that is not leaves
 * without another shootdown.
 *
 * Invariants:
 *  1. The tail's pages are PAGE_TAIL. Only one CPU at a time puts pages there
 *     (`filling`), so a page that it finds marked afterwards is the one it put.
 *  2. A page that is PAGE_TAIL and PAGE_FLUSHED rests, and no CPU has a
 *     translation of it: mapping it again takes it off the tail, under the same
 *     page_table lock.
 *  3. The CPU that fills keeps a reference to each page's VMap or object meanwhile.
 * Locks: page_table outside lru.
 */
#include "kernel/bugs.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/lru_internal.h"
#include "kernel/mm/reclaim_internal.h"

/* What is about to rest: used by the CPU that fills the tail. */
static struct {
	unsigned count;
	struct filling_page {
		struct frame *frame;
		pfn_t pfn;    /* its number */
		pte_t *entry; /* of a private page, at an address ... */
		vaddr_t address;
		struct VMap *vmap;     /* ... and in which VMap; NULL: of an object ... */
		struct object *object; /* ... and in which record */
		pfn_t record;
		uint32_t index;
	} pages[TAIL_BATCH];
	struct flush_batch batch;
} filling;
STATIC_ASSERT(DIV_ROUND_UP(TAIL_PAGES, 4) <= TAIL_BATCH);

/* Puts a victim on the tail; it keeps a reference to its VMap or object. */
ALWAYS_INLINE void filling_add(struct filling_page *page, struct frame *frame) REQUIRES(lru.lock)
{
	page->frame = frame;
	page->pfn = frame_pfn(frame);
	page->vmap = owner_hold(frame);
	if (UNLIKELY(!page->vmap)) {
		page->object = object_of(frame);
		page->record = frame->shared.record;
		page->index = frame->shared.index;
	} else {
		page->entry = policy_entry(frame);
		page->address = frame->page.address;
	}
	page_list_add_youngest(&lru.tail, frame);
	frame_flag_set(frame, PAGE_TAIL);
}

/* How many pages may rest, and how many of them are put there at once, in *batch. */
static uint64_t tail_size(uint64_t *batch) REQUIRES(lru.lock)
{
	uint64_t most = commit_resident_max();
	uint64_t wanted = READ_ONCE(policy_current->rest_max) ? TAIL_BATCH : 0;

	/* A tail makes no sense in a tiny memory, nor where the order is not that of use. */
	if (most < TAIL_FRAMES_MIN || !policy_current->accessed)
		wanted = 0;
	*batch = wanted;
	if (most <= TAIL_MEMORY_SMALL && wanted) {
		wanted =
			MIN(most * READ_ONCE(policy_current->rest_max) / 100, (uint64_t)TAIL_PAGES);
		*batch = DIV_ROUND_UP(wanted, 4);
	}
	return wanted;
}

/* The policy's next victims go on the tail. False if there is no need, or another CPU is at it. */
static bool filling_begin(void)
{
	struct frame *frame;
	unsigned count = 0;
	uint64_t wanted, batch;

	lru_lock();
	wanted = tail_size(&batch);
	lru.tail_low = wanted - batch;
	if (wanted == 0 || lru.tail.count > lru.tail_low || lru.filling || lru.ahead.count) {
		spin_unlock(&lru.lock);
		return false;
	}
	lru.filling = true;
	flush_batch_init(&filling.batch);
	while (count < batch && (frame = policy_current->victim(policy_current, &filling.batch)))
		filling_add(&filling.pages[count++], frame);
	filling.count = count;
	spin_unlock(&lru.lock);
	return true;
}

/* present -> resting, if the page has not gone meanwhile. */
ALWAYS_INLINE void rest(const struct filling_page *page)
{
	struct frame *table = vmap_table_of(page->entry);
	pte_t old;

	spin_lock(&table->table.lock);
	old = pte_read(page->entry);
	if (LIKELY(pte_pfn(old) == page->pfn && (pte_is_present(old) || pte_is_resting(old))))
		entry_let_rest(page->entry, old, page->frame, page->address, page->vmap,
			       &filling.batch);
	spin_unlock(&table->table.lock);
}

/* The same of an object's page, in every mapping. */
static COLD void rest_shared(const struct filling_page *page)
{
	const struct object_page *record = object_record(page->record, page->index);
	pfn_t pfn = page->pfn;

	spin_lock(&page->object->lock);
	if (object_page_kind(record) == OBJECT_PAGE_FRAME && object_page_number(record) == pfn)
		object_page_unmap(page->object, page->index, pfn, &filling.batch);
	spin_unlock(&page->object->lock);
}

/* The shootdown was acknowledged: what is still on the tail may leave without another. */
static void filling_end(void)
{
	const struct filling_page *end = &filling.pages[filling.count];

	lru_lock();
	for (const struct filling_page *page = filling.pages; page < end; page++) {
		if (LIKELY(frame_flag(page->frame, PAGE_TAIL)))
			frame_flag_set(page->frame, PAGE_FLUSHED);
		if (LIKELY(page->vmap))
			lru_unhold(page->vmap);
		else
			lru_unhold_shared(page->object);
	}
	lru.filling = false;
	spin_unlock(&lru.lock);
}

void lru_rest_oldest(void)
{
	const struct filling_page *end;

	if (!filling_begin())
		return;
	end = &filling.pages[filling.count];
	for (const struct filling_page *page = filling.pages; page < end; page++) {
		if (LIKELY(page->vmap))
			rest(page);
		else
			rest_shared(page);
	}
	if (BUG_PLANTED(BUG_EARLY_REUSE))
		filling_end();
	flush_batch_send(&filling.batch);
	if (!BUG_PLANTED(BUG_EARLY_REUSE))
		filling_end();
}

struct frame *lru_take_resting(struct VMap **vmap)
{
	struct frame *frame = NULL;

	/* The inboxes are left alone: their pages come later, but for those mapped ahead. */
	spin_lock(&lru.lock);
	if (LIKELY(lru.tail.count > lru.tail_low) && LIKELY(!READ_ONCE(lru.any_ahead)) &&
	    LIKELY((frame = page_list_oldest_free(&lru.tail)) != NULL)) {
		page_list_remove(&lru.tail, frame);
		*vmap = victim_take(frame);
	}
	spin_unlock(&lru.lock);
	return frame;
}
