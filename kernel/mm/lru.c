/*
 * lru.c: the lists of resident pages.
 *
 *   lru_inbox.c          lru_rest_oldest()      lru_take_victim()
 *   -> [the policy's lists] -> [tail, resting] -> evictor
 *             ^                     |              ^
 *             +---------------------+ lru_touch()  |
 *   -> [ahead] ------------------------------------+
 *
 * When a victim is wanted and a part of the tail has gone, the policy names the
 * next ones together. They are unmapped with one shootdown and wait on the tail,
 * still in memory. One that is touched there is mapped again by a soft fault, and
 * the policy keeps it: so the order at the old end is nearly exact, the more so
 * the more of memory rests (policy->rest_max) (Levy and Lipman, "Virtual Memory
 * Management in the VAX/VMS Operating System", 1982). One that is not leaves
 * without another shootdown. Before all others leave those that nobody ever touched.
 *
 * Invariants:
 *  1. A resident page that nobody frees or evicts is PAGE_LISTED, and on an
 *     inbox, the policy's lists, the tail or the list of those mapped ahead, once.
 *  2. The tail's pages are PAGE_TAIL. Only one CPU at a time puts pages there
 *     (`filling`), so a page that it finds marked afterwards is the one it put.
 *  3. A page that is PAGE_TAIL and PAGE_FLUSHED rests, and no CPU has a
 *     translation of it: mapping it again takes it off the tail, under the same
 *     page_table lock.
 *  4. Whoever names a VMap after the lock is dropped holds a reference
 *     (evictor_refs), so its tables stay.
 * Locks: page_table outside lru.
 */
#include "kernel/mm/lru.h"

#include "kernel/bugs.h"
#include "kernel/mm/check.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/lru_internal.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/policy_internal.h"
#include "kernel/mm/turn.h"
#include "kernel/mm/vmap.h"

struct lru_lists lru = {.lock = SPINLOCK(LRU), .tail = PAGE_LIST_INIT, .ahead = PAGE_LIST_INIT};

/* Takes a listed page off whichever list it is on. */
static void unlist(struct frame *frame) REQUIRES(lru.lock)
{
	if (UNLIKELY(frame_flag(frame, PAGE_TAIL)))
		page_list_remove(&lru.tail, frame);
	else if (UNLIKELY(frame_flag(frame, PAGE_AHEAD)))
		page_list_remove(&lru.ahead, frame);
	else
		policy_remove(policy_current, frame);
	frame_flag_clear(frame, PAGE_LISTED | PAGE_TAIL | PAGE_FLUSHED | PAGE_AHEAD);
}

unsigned lru_remove(struct frame **pages, unsigned count)
{
	unsigned owned = 0;

	if (inbox_take_back(pages, count))
		return count;
	lru_lock();
	for (unsigned i = 0; i < count; i++) {
		struct frame *frame = pages[i];

		if (LIKELY(frame_flag(frame, PAGE_LISTED))) {
			unlist(frame);
			pages[owned++] = frame;
		} else {
			ASSERT(frame_flag(frame, PAGE_EVICTING));
			frame_flag_set(frame, PAGE_DISOWNED);
		}
	}
	spin_unlock(&lru.lock);
	return owned;
}

void lru_touch(struct frame *frame)
{
	lru_lock();
	if (frame_flag(frame, PAGE_TAIL)) {
		page_list_remove(&lru.tail, frame);
		frame_flag_clear(frame, PAGE_TAIL | PAGE_FLUSHED);
		policy_keep(policy_current, frame);
	} else if (frame_flag(frame, PAGE_EVICTING)) {
		/* It may rest again before its evictor looks: the entry alone would not tell. */
		frame_flag_set(frame, PAGE_TOUCHED);
	} else if (policy_current->exact) {
		policy_current->touch(policy_current, frame);
	}
	spin_unlock(&lru.lock);
}

/*
 * The VMap of a listed page, which lives, and will as long as it has references;
 * NULL for an object's, which has the reference then.
 */
ALWAYS_INLINE struct VMap *hold(const struct frame *frame) REQUIRES(lru.lock)
{
	struct VMap *vmap;

	if (UNLIKELY(frame->state == FRAME_SHARED)) {
		__atomic_fetch_add(&object_of(frame)->evictor_refs, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	vmap = vmap_by_slot[frame->owner];
	__atomic_fetch_add(&vmap->evictor_refs, 1, __ATOMIC_RELAXED);
	return vmap;
}

void lru_unhold_shared(struct object *object)
{
	__atomic_fetch_sub(&object->evictor_refs, 1, __ATOMIC_RELEASE);
}

/* Off the lists and into an evictor's hands, with the reference that hold() gives. */
ALWAYS_INLINE struct VMap *take(struct frame *frame) REQUIRES(lru.lock)
{
	struct VMap *vmap = hold(frame);

	frame_flag_clear(frame, PAGE_LISTED | PAGE_TAIL);
	frame_flag_set(frame, PAGE_EVICTING);
	return vmap;
}

struct frame *lru_take_resting(struct VMap **vmap)
{
	struct frame *frame = NULL;

	/* The inboxes are left alone: their pages come later, but for those mapped ahead. */
	spin_lock(&lru.lock);
	if (LIKELY(lru.tail.count > lru.tail_low) && LIKELY(!READ_ONCE(lru.any_ahead)) &&
	    LIKELY((frame = page_list_oldest_free(&lru.tail)) != NULL)) {
		page_list_remove(&lru.tail, frame);
		*vmap = take(frame);
	}
	spin_unlock(&lru.lock);
	return frame;
}

struct frame *lru_take_victim(struct flush_batch *batch, struct VMap **vmap)
{
	struct frame *frame;

	lru_lock();
	frame = ahead_victim(batch);
	if (LIKELY(!frame)) {
		frame = page_list_oldest_free(&lru.tail);
		if (frame)
			page_list_remove(&lru.tail, frame);
		else
			frame = policy_current->victim(policy_current, batch);
	}
	if (frame)
		*vmap = take(frame);
	spin_unlock(&lru.lock);
	return frame;
}

void lru_put_back(struct frame *frame)
{
	lru_lock();
	frame_flag_clear(frame, PAGE_EVICTING | PAGE_TOUCHED | PAGE_FLUSHED);
	frame_flag_set(frame, PAGE_LISTED);
	policy_keep(policy_current, frame);
	spin_unlock(&lru.lock);
}

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
	page->vmap = hold(frame);
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
	uint64_t wanted = policy_current->rest_max ? TAIL_BATCH : 0;

	/* A tail makes no sense in a tiny memory, nor where the order is not that of use. */
	if (most < TAIL_FRAMES_MIN || !policy_current->accessed)
		wanted = 0;
	*batch = wanted;
	if (most <= TAIL_MEMORY_SMALL && wanted) {
		wanted = MIN(most * policy_current->rest_max / 100, (uint64_t)TAIL_PAGES);
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
	pfn_t pfn = page->pfn;
	pte_t old;

	spin_lock(&table->table.lock);
	old = pte_read(page->entry);
	if (LIKELY(pte_pfn(old) == pfn && (pte_is_present(old) || pte_is_resting(old)))) {
		old = pte_exchange(page->entry, pte_make_resting(pfn, pte_away_flags(old)));
		if (old.bits & PTE_DIRTY && pte_is_present(old) && !BUG_PLANTED(BUG_LOSE_DIRTY))
			frame_flag_set(page->frame, PAGE_DIRTY);
		/* A resting page too: whoever let it rest may not have flushed yet. */
		if (!BUG_PLANTED(BUG_NO_SHOOTDOWN))
			flush_batch_add(&filling.batch, address_space_active(&page->vmap->space),
					page->address);
	}
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

struct VMap *lru_hold(struct frame *frame, pfn_t *table)
{
	struct VMap *vmap = NULL;

	lru_lock();
	if (frame->state == FRAME_PRIVATE && frame_flag(frame, PAGE_LISTED)) {
		vmap = hold(frame);
		*table = frame->page.table;
	}
	spin_unlock(&lru.lock);
	return vmap;
}

struct object *lru_hold_shared(struct frame *frame)
{
	struct object *object = NULL;

	lru_lock();
	if (frame->state == FRAME_SHARED && frame_flag(frame, PAGE_LISTED)) {
		(void)hold(frame);
		object = object_of(frame);
	}
	spin_unlock(&lru.lock);
	return object;
}

static uint32_t slot_take(struct frame *frame) REQUIRES(lru.lock)
{
	uint32_t slot = frame->slot;

	frame->slot = SLOT_NONE;
	frame_flag_set(frame, PAGE_DIRTY);
	return slot;
}

uint32_t lru_take_slot_shared(struct frame *frame, const struct object *object)
{
	uint32_t slot = SLOT_NONE;

	lru_lock();
	if (frame->state == FRAME_SHARED && frame_flag(frame, PAGE_LISTED) &&
	    object_of(frame) == object)
		slot = slot_take(frame);
	spin_unlock(&lru.lock);
	return slot;
}

uint32_t lru_take_slot(struct frame *frame, const struct VMap *vmap, pfn_t table)
{
	uint32_t slot = SLOT_NONE;

	lru_lock();
	if (frame->state == FRAME_PRIVATE && frame_flag(frame, PAGE_LISTED) &&
	    vmap_by_slot[frame->owner] == vmap && frame->page.table == table)
		slot = slot_take(frame);
	spin_unlock(&lru.lock);
	return slot;
}

void lru_end_turn(void)
{
	/* Whoever looks at the holder has the lock, so the holder may go away afterwards. */
	uint64_t flags = lru_lock_irq();

	turn_holder = NULL;
	spin_unlock_irq(&lru.lock, flags);
}

struct policy *lru_policy(void)
{
	return READ_ONCE(policy_current);
}

void lru_set_policy(struct policy *policy)
{
	uint64_t flags = lru_lock_irq();
	struct policy *before = policy_current;
	struct frame *frame;

	while (policy != before && (frame = page_list_oldest(&lru.ahead))) {
		page_list_remove(&lru.ahead, frame);
		frame_flag_clear(frame, PAGE_AHEAD);
		policy_insert(policy, frame);
	}
	while (policy != before && (frame = page_list_oldest(&lru.tail))) {
		page_list_remove(&lru.tail, frame);
		frame_flag_clear(frame, PAGE_TAIL | PAGE_FLUSHED);
		policy_insert(policy, frame);
	}
	for (unsigned i = 0; i < POLICY_LISTS && policy != before; i++) {
		struct page_list *list = &before->lists[(before->first + i) % POLICY_LISTS];

		while ((frame = page_list_oldest(list))) {
			policy_remove(before, frame);
			policy_insert(policy, frame);
		}
	}
	WRITE_ONCE(policy_current, policy);
	spin_unlock_irq(&lru.lock, flags);
}

void lru_visit(void (*visit)(struct frame *frame, void *context), void *context)
{
	uint64_t flags = lru_lock_irq();

	page_list_visit(&lru.ahead, visit, context);
	page_list_visit(&lru.tail, visit, context);
	policy_visit(policy_current, visit, context);
	spin_unlock_irq(&lru.lock, flags);
}

struct list_walk {
	struct check *check;
	uint64_t seen;
};

/* All lists are page_lists. */
static bool links_are_symmetric(const struct frame *frame)
{
	pfn_t pfn = frame_pfn(frame), next = frame->page.next, prev = frame->page.prev;

	return (next == PFN_NONE || (next < frame_limit && frames[next].page.prev == pfn)) &&
	       (prev == PFN_NONE || (prev < frame_limit && frames[prev].page.next == pfn));
}

static void check_listed(struct frame *frame, void *context)
{
	struct list_walk *walk = context;

	walk->seen++;
	if (!links_are_symmetric(frame))
		check_fail(walk->check, 7,
			   "frame %u has neighbours on its list that do not know it",
			   frame_pfn(frame));
	if (!frame_is_page(frame) || !frame_flag(frame, PAGE_LISTED))
		check_fail(walk->check, 7, "frame %u is on the policy's list and %s%s",
			   frame_pfn(frame), frame_state_name(frame->state),
			   frame_flag(frame, PAGE_LISTED) ? "" : ", not marked so");
}

static bool rests(const struct frame *frame)
{
	if (frame->state == FRAME_SHARED)
		return frame->map_count == 0;
	return pte_is_resting(pte_read(policy_entry(frame)));
}

static void check_tail(struct frame *frame, struct check *check)
{
	if (!frame_flag(frame, PAGE_TAIL) || !frame_flag(frame, PAGE_FLUSHED))
		check_fail(check, 7, "frame %u is on the tail and not marked so", frame_pfn(frame));
	else if (!rests(frame))
		check_fail(check, 7, "frame %u is on the tail and does not rest", frame_pfn(frame));
}

void lru_check(struct check *check)
{
	struct list_walk walk = {check, 0};
	uint64_t listed = 0, marked_tail = 0, marked_ahead = 0, flags;
	uint64_t tail, ahead, count;

	lru_visit(check_listed, &walk);
	for (pfn_t pfn = 0; pfn < frame_limit; pfn++) {
		const struct frame *frame = &frames[pfn];

		if (!frame_is_page(frame))
			continue;
		listed += frame_flag(frame, PAGE_LISTED);
		marked_tail += frame_flag(frame, PAGE_TAIL);
		if (frame_flag(frame, PAGE_EVICTING))
			check_fail(check, 12, "frame %u is being evicted", pfn);
		else if (!frame_flag(frame, PAGE_LISTED))
			check_fail(check, 7, "frame %u is a page and on no list", pfn);
		else
			marked_ahead += frame_flag(frame, PAGE_AHEAD);
	}
	flags = lru_lock_irq();
	tail = lru.tail.count;
	ahead = lru.ahead.count;
	count = policy_pages(policy_current) + tail + ahead;
	for (struct frame *frame = page_list_oldest(&lru.tail); frame;
	     frame = page_list_younger(frame))
		check_tail(frame, check);
	spin_unlock_irq(&lru.lock, flags);
	if (walk.seen != listed || count != listed)
		check_fail(check, 7,
			   "policy %s, tail and ahead count %lu pages, list %lu, and %lu are "
			   "marked so",
			   policy_current->name, count, walk.seen, listed);
	if (tail != marked_tail)
		check_fail(check, 7, "the tail has %lu pages, %lu are marked so", tail,
			   marked_tail);
	if (ahead != marked_ahead)
		check_fail(check, 7, "%lu pages are listed as mapped ahead, %lu are marked so",
			   ahead, marked_ahead);
}
