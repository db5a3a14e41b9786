/*
 * lru_tail.c: the next victims, which rest.
 *
 *                          filling_begin()                   filling_end()
 *   [the policy's lists] ------------------> [tail] resting -------------> flushed --> evictor
 *             ^                                        |                      |  lru_take_resting()
 *             +----------------------------------------+----------------------+
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
 *  2. A page that is PAGE_TAIL and PAGE_FLUSHED rests, and unless it is one of the
 *     youngest while the tail is being filled (lru.tail_low), no CPU has a translation
 *     of it: mapping it again takes it off the tail, under the same page_table lock.
 *  3. The CPU that fills keeps a reference to the object of each shared page meanwhile.
 * Locks: page_table outside lru. Here lru is held first, so a table's lock is only
 * tried: a page whose table is busy goes on the tail as it is, and its evictor unmaps it.
 */
#include "kernel/bugs.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/lru_internal.h"
#include "kernel/mm/reclaim_internal.h"

/* Used by the CPU that fills the tail. */
static struct {
	uint64_t low; /* what lru.tail_low is to be when all of them are flushed */
	struct flush_batch batch;
	vaddr_t addresses[TLB_FLUSH_ALL]; /* the batch's */
	/* Pages of objects: they are unmapped without the lru lock. */
	unsigned shared_count;
	struct filling_page {
		struct frame *frame;
		struct object *object;
		pfn_t record;
		uint32_t index;
	} shared[TAIL_BATCH];
} filling;
STATIC_ASSERT(DIV_ROUND_UP(TAIL_PAGES, 4) <= TAIL_BATCH);

/*
 * present -> resting, if nobody works in the page's table just now. It is listed, so it is
 * what the entry has.
 */
ALWAYS_INLINE bool try_rest(struct frame *frame, pte_t *entry, struct flush_batch *batch)
	REQUIRES(lru.lock)
{
	struct frame *table = policy_table(frame);
	pte_t old;

	if (UNLIKELY(!spin_try_lock(&table->table.lock)))
		return false;
	old = pte_read(entry);
	DEBUG_ASSERT(pte_has_frame(old) && pte_pfn(old) == frame_pfn(frame));
	entry_let_rest(entry, old, frame, frame->page.address, vmap_by_slot[frame->owner], batch);
	spin_unlock(&table->table.lock);
	return true;
}

/* Marks a victim that is a process's page, and lets it rest. */
ALWAYS_INLINE void tail_mark(struct frame *frame, pte_t *entry, struct flush_batch *batch)
	REQUIRES(lru.lock)
{
	/* Where it cannot rest, it is looked at once more when it is to leave: tail_victim(). */
	if (LIKELY(try_rest(frame, entry, batch)))
		frame_flag_set(frame, PAGE_TAIL | PAGE_FLUSHED);
	else
		frame_flag_set(frame, PAGE_TAIL);
}

/* The same of an object's page, but it rests later. */
static COLD void tail_mark_shared(struct frame *frame) REQUIRES(lru.lock)
{
	frame_flag_set(frame, PAGE_TAIL);
	(void)owner_hold(frame);
	filling.shared[filling.shared_count++] =
		(struct filling_page){frame, object_of(frame), frame->shared.record,
				      frame->shared.index};
}

/*
 * Goes along the list from its oldest page: those that were not used since last looked at become
 * the youngest of the tail, until they are as many as wanted, and the others the youngest of the
 * list. As policy_take_unused(), but in one pass, and only one. Returns how many.
 */
static uint64_t tail_add_unused(struct page_list *list, uint64_t wanted) REQUIRES(lru.lock)
{
	struct flush_batch batch = filling.batch; /* a copy, as that can stay in registers */
	struct frame head, used_head;
	struct page_chain victims = page_chain_begin(&head), used = page_chain_begin(&used_head);
	uint32_t time = policy_time;
	struct frame *frame, *next;

	for (frame = list->oldest; frame && victims.count < wanted; frame = next) {
		pte_t *entry = policy_entry(frame);

		next = page_younger(frame);
		if (UNLIKELY(frame->state == FRAME_SHARED)) {
			tail_mark_shared(frame);
		} else if (page_test_accessed(frame, entry, &batch)) {
			frame->page.stamp = time += POLICY_TICK;
			page_chain_add(&used, frame);
			continue;
		} else {
			tail_mark(frame, entry, &batch);
		}
		page_chain_add(&victims, frame);
	}
	filling.batch = batch;
	policy_time = time + (uint32_t)victims.count * POLICY_TICK;
	COUNT_ADD(PGSCAN, victims.count + used.count);
	COUNT_ADD(PGROTATED, used.count);
	page_list_drop(list, frame, victims.count + used.count);
	page_list_join(list, &used_head, &used);
	page_list_join(&lru.tail, &head, &victims);
	return victims.count;
}

/* The next victims, as the policy names them, go on the tail. Returns how many. */
static uint64_t tail_add(struct policy *policy, uint64_t wanted) REQUIRES(lru.lock)
{
	struct frame *frame;
	uint64_t count = 0;

	if (LIKELY(policy->victim == policy_take_unused) && LIKELY(!turn_is_taken()))
		count = tail_add_unused(&policy->lists[0], wanted);
	while (count < wanted && (frame = policy->victim(policy, &filling.batch))) {
		page_list_add_youngest(&lru.tail, frame);
		if (UNLIKELY(frame->state == FRAME_SHARED))
			tail_mark_shared(frame);
		else
			tail_mark(frame, policy_entry(frame), &filling.batch);
		count++;
	}
	return count;
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
	uint64_t wanted, batch, count;

	lru_lock();
	wanted = tail_size(&batch);
	if (lru.filling || wanted == 0 || lru.tail.count > wanted - batch || lru.ahead.count) {
		if (!lru.filling)
			lru.tail_low = wanted - batch;
		spin_unlock(&lru.lock);
		return false;
	}
	lru.filling = true;
	filling.low = wanted - batch;
	filling.shared_count = 0;
	flush_batch_init(&filling.batch, filling.addresses);
	count = tail_add(policy_current, batch);
	lru.tail_low = MAX(filling.low, count);
	spin_unlock(&lru.lock);
	return true;
}

/* An object's page rests, in every mapping, if it has not gone meanwhile. */
static COLD void rest_shared(const struct filling_page *page)
{
	const struct object_page *record = object_record(page->record, page->index);
	pfn_t pfn = frame_pfn(page->frame);

	spin_lock(&page->object->lock);
	if (object_page_kind(record) == OBJECT_PAGE_FRAME && object_page_number(record) == pfn)
		object_page_unmap(page->object, page->index, pfn, &filling.batch);
	spin_unlock(&page->object->lock);
}

/* The shootdown was acknowledged: what is still on the tail may leave without another. */
static void filling_end(void)
{
	spin_lock(&lru.lock);
	for (unsigned i = 0; UNLIKELY(i < filling.shared_count); i++) {
		const struct filling_page *page = &filling.shared[i];

		if (LIKELY(frame_flag(page->frame, PAGE_TAIL)))
			frame_flag_set(page->frame, PAGE_FLUSHED);
		lru_unhold_shared(page->object);
	}
	lru.tail_low = filling.low;
	lru.filling = false;
	spin_unlock(&lru.lock);
}

void lru_rest_oldest(void)
{
	if (!filling_begin())
		return;
	for (unsigned i = 0; UNLIKELY(i < filling.shared_count); i++)
		rest_shared(&filling.shared[i]);
	if (BUG_PLANTED(BUG_EARLY_REUSE))
		filling_end();
	flush_batch_send(&filling.batch);
	if (!BUG_PLANTED(BUG_EARLY_REUSE))
		filling_end();
}

/* A page that could not rest, as its table was busy, and was used since: the policy keeps it. */
static bool was_used(struct frame *frame, struct flush_batch *batch) REQUIRES(lru.lock)
{
	if (frame_flag(frame, PAGE_FLUSHED) || !policy_test_accessed(frame, batch))
		return false;
	frame_flag_clear(frame, PAGE_TAIL);
	policy_keep(policy_current, frame);
	return true;
}

struct frame *tail_victim(struct flush_batch *batch)
{
	struct frame *frame;
	bool is_old;

	do {
		frame = page_list_oldest_free(&lru.tail);
		if (!frame)
			return NULL;
		is_old = frame == lru.tail.oldest && lru.tail.count > lru.tail_low;
		page_list_remove(&lru.tail, frame);
	} while (was_used(frame, batch));
	if (lru.filling && !is_old)
		frame_flag_clear(frame, PAGE_FLUSHED);
	return frame;
}
