/*
 * reclaim.c: how a page leaves memory.
 *
 *   listed ----> evicting ---------------------------------> frame free again
 *     ^            |  1. off the policy's list   (lru lock)
 *     |            |  2. entry: present -> resting (page_table lock)
 *     |            |  3. shootdown, acknowledged
 *     |            |  4. written to its slot if dirty
 *     |            |  5. entry still resting: -> swapped or untouched
 *     |            |     freed meanwhile (disowned): frame and slot released
 *     +------------+     touched meanwhile: it stays
 *
 * Invariants:
 *  1. A resident page that nobody frees or evicts is listed, once.
 *  2. From PAGE_EVICTING on the evictor alone releases the frame; whoever frees
 *     the page meanwhile only marks it PAGE_DISOWNED.
 *  3. An evictor holds a reference to the VMap, so the tables stay.
 *  4. resident counts the frames of process pages, those in flight included;
 *     it never exceeds the limit, but for a limit just lowered.
 * Locks: page_table outside lru. An evictor holds at most one of each and
 * waits with none.
 */
#include "kernel/mm/reclaim.h"

#include "kernel/bugs.h"
#include "kernel/mm/check.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/event.h"
#include "kernel/mm/evict_content.h"
#include "kernel/mm/policy_internal.h"
#include "kernel/mm/turn.h"
#include "kernel/mm/vmap.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"

static struct {
	struct spinlock lock; /* lru */
	uint64_t resident;    /* atomic */
} reclaim = {.lock = SPINLOCK(LRU)};

uint64_t reclaim_resident(void)
{
	return READ_ONCE(reclaim.resident);
}

/* Raises the counter if the limit allows it. */
ALWAYS_INLINE bool resident_try_raise(void)
{
	uint64_t max = commit_resident_max();
	uint64_t resident = READ_ONCE(reclaim.resident);

	do {
		if (resident >= max)
			return false;
	} while (!__atomic_compare_exchange_n(&reclaim.resident, &resident, resident + 1, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

static void resident_lower(void)
{
	__atomic_fetch_sub(&reclaim.resident, 1, __ATOMIC_RELAXED);
}

/* Lets others go on: another thread here, or another CPU. Interrupts are on meanwhile. */
static void wait_a_moment(void)
{
	uint64_t flags = irq_save();

	irq_enable();
	thread_yield();
	irq_restore(flags);
}

bool reclaim_gives_up(void)
{
	const struct thread *thread = thread_current();

	return READ_ONCE(thread->killed) && thread->process &&
	       (thread->gate_depth == 1 || thread->copying);
}

/* The limit is reached, or no frame is free. */
static NOINLINE pfn_t page_alloc_evicting(void)
{
	for (;;) {
		pfn_t pfn = reclaim_evict();

		if (pfn != PFN_NONE)
			return pfn;
		wait_a_moment();
		if (reclaim_gives_up())
			return PFN_NONE;
		if (!resident_try_raise())
			continue;
		pfn = frame_alloc(FRAME_PRIVATE);
		if (pfn != PFN_NONE)
			return pfn;
		resident_lower();
	}
}

pfn_t reclaim_page_alloc(void)
{
	if (LIKELY(resident_try_raise())) {
		pfn_t pfn = frame_alloc(FRAME_PRIVATE);

		if (LIKELY(pfn != PFN_NONE))
			return pfn;
		resident_lower();
	}
	return page_alloc_evicting();
}

void reclaim_page_free(pfn_t pfn)
{
	frame_free(pfn);
	resident_lower();
}

void reclaim_page_convert(pfn_t pfn, enum frame_state state)
{
	frame_set_state(pfn, FRAME_PRIVATE, state);
	resident_lower();
}

void reclaim_insert(struct frame *frame)
{
	spin_lock(&reclaim.lock);
	frame->flags |= PAGE_LISTED;
	if (!BUG_PLANTED(BUG_UNLISTED))
		policy_current->insert(frame);
	spin_unlock(&reclaim.lock);
}

bool reclaim_remove(struct frame *frame)
{
	bool listed;

	spin_lock(&reclaim.lock);
	listed = frame_flag(frame, PAGE_LISTED);
	if (listed) {
		policy_current->remove(frame);
		frame_flag_clear(frame, PAGE_LISTED);
	} else {
		ASSERT(frame_flag(frame, PAGE_EVICTING));
		frame_flag_set(frame, PAGE_DISOWNED);
	}
	spin_unlock(&reclaim.lock);
	return listed;
}

void reclaim_touch(struct frame *frame)
{
	if (!policy_current->exact)
		return;
	spin_lock(&reclaim.lock);
	if (frame_flag(frame, PAGE_LISTED))
		policy_current->touch(frame);
	spin_unlock(&reclaim.lock);
}

/* Takes the policy's victim off its lists, with a reference to its VMap. */
static struct frame *take_victim(struct flush_batch *batch, struct VMap **vmap)
{
	struct frame *frame;

	spin_lock(&reclaim.lock);
	frame = policy_current->victim(batch);
	if (frame) {
		/* It was listed, so its owner lives, and will as long as it has references. */
		*vmap = vmap_by_slot[frame->owner];
		__atomic_fetch_add(&(*vmap)->evictor_refs, 1, __ATOMIC_RELAXED);
		frame_flag_clear(frame, PAGE_LISTED);
		frame_flag_set(frame, PAGE_EVICTING);
	}
	spin_unlock(&reclaim.lock);
	return frame;
}

struct VMap *reclaim_hold(struct frame *frame, pfn_t *table)
{
	struct VMap *vmap = NULL;

	spin_lock(&reclaim.lock);
	if (frame_flag(frame, PAGE_LISTED)) {
		vmap = vmap_by_slot[frame->owner];
		*table = frame->page.table;
		__atomic_fetch_add(&vmap->evictor_refs, 1, __ATOMIC_RELAXED);
	}
	spin_unlock(&reclaim.lock);
	return vmap;
}

bool reclaim_still_listed(const struct frame *frame, const struct VMap *vmap, pfn_t table)
{
	bool listed;

	spin_lock(&reclaim.lock);
	listed = frame_flag(frame, PAGE_LISTED) && vmap_by_slot[frame->owner] == vmap &&
		 frame->page.table == table;
	spin_unlock(&reclaim.lock);
	return listed;
}

void reclaim_end_turn(void)
{
	/* Whoever looks at the holder has the lock, so the holder may go away afterwards. */
	uint64_t flags = spin_lock_irq(&reclaim.lock);

	turn_holder = NULL;
	spin_unlock_irq(&reclaim.lock, flags);
}

void reclaim_unhold(struct VMap *vmap)
{
	__atomic_fetch_sub(&vmap->evictor_refs, 1, __ATOMIC_RELEASE);
}

static void batch_flush(struct flush_batch *batch)
{
	if (batch->count && batch->cpu_mask == 1ull << THIS_CPU->id) {
		for (unsigned i = 0; i < batch->count; i++)
			tlb_flush_local(batch->addresses[i]);
	} else if (batch->count && batch->cpu_mask) {
		tlb_shootdown(batch->cpu_mask, batch->addresses, batch->count);
	}
	batch->count = 0;
	batch->cpu_mask = 0;
}

/* Step 2. False if the page was freed meanwhile: the frame is the evictor's at once. */
static bool unmap(struct frame *frame, struct VMap *vmap, struct flush_batch *batch,
		  struct evicted_content *content)
{
	struct frame *table = &frames[frame->page.table];
	pte_t *entry = policy_entry(frame);
	bool owned;
	pte_t old;

	spin_lock(&table->table.lock);
	content->slot = frame->slot;
	owned = !frame_flag(frame, PAGE_DISOWNED);
	if (owned) {
		old = pte_read(entry);
		ASSERT(pte_has_frame(old) && pte_pfn(old) == frame_pfn(frame));
		old = pte_exchange(entry, pte_make_resting(frame_pfn(frame), pte_away_flags(old)));
		if (old.bits & PTE_DIRTY && pte_is_present(old) && !BUG_PLANTED(BUG_LOSE_DIRTY))
			frame_flag_set(frame, PAGE_DIRTY);
		/* A resting page too: whoever let it rest may not have flushed yet. */
		if (address_space_active(&vmap->space) && !BUG_PLANTED(BUG_NO_SHOOTDOWN)) {
			batch->cpu_mask |= address_space_active(&vmap->space);
			batch->addresses[batch->count++] = frame->page.address;
		}
	}
	spin_unlock(&table->table.lock);
	return owned;
}

enum eviction { EVICTION_DONE, EVICTION_DISOWNED, EVICTION_STAYS, EVICTION_FAILED };

/* Step 5: what became of the page while it was being written. */
static enum eviction settle(struct frame *frame, const struct evicted_content *content)
{
	struct frame *table = &frames[frame->page.table];
	pte_t *entry = policy_entry(frame);
	enum eviction result = EVICTION_DONE;
	uint32_t slot_unused = SLOT_NONE;
	pte_t old;

	spin_lock(&table->table.lock);
	old = pte_read(entry);
	if (frame_flag(frame, PAGE_DISOWNED)) {
		slot_unused = content->slot;
		result = EVICTION_DISOWNED;
	} else if (pte_is_resting(old) && content->result == 0 &&
		   !frame_flag(frame, PAGE_TOUCHED)) {
		if (content->slot == SLOT_NONE)
			pte_write(entry, pte_make_untouched(pte_away_flags(old)));
		else
			pte_write(entry, pte_make_swapped(content->slot,
							  swap_slot_generation(content->slot),
							  pte_away_flags(old)));
	} else {
		frame->slot = content->slot;
		spin_lock(&reclaim.lock);
		frame_flag_clear(frame, PAGE_EVICTING | PAGE_TOUCHED);
		frame_flag_set(frame, PAGE_LISTED);
		policy_current->insert(frame);
		spin_unlock(&reclaim.lock);
		COUNT(PGACTIVATE);
		result = content->result ? EVICTION_FAILED : EVICTION_STAYS;
	}
	spin_unlock(&table->table.lock);
	if (slot_unused != SLOT_NONE)
		swap_slot_free(slot_unused);
	return result;
}

/* Evicts one page that is off the lists. Interrupts are off. */
static enum eviction evict(struct frame *frame, struct VMap *vmap, struct flush_batch *batch)
{
	struct evicted_content content = {.result = 0, .slot = SLOT_NONE};
	pid_t pid = vmap->pid;
	vaddr_t address = frame->page.address;
	enum eviction result;
	bool dirty = false;

	if (unmap(frame, vmap, batch, &content)) {
		batch_flush(batch);
		dirty = frame_flag(frame, PAGE_DIRTY);
		evict_content_save(frame, dirty, &content);
	} else {
		batch_flush(batch);
	}
	result = settle(frame, &content);
	if (result == EVICTION_DISOWNED) {
		/* It may have been mapped again before it was freed, and its freer may not have
		 * flushed yet. */
		batch->cpu_mask = address_space_active(&vmap->space);
		batch->addresses[batch->count++] = address;
		batch_flush(batch);
		result = EVICTION_DONE;
	}
	event_record(result == EVICTION_DONE ? EVENT_EVICT : EVENT_STAY, pid, address,
		     frame_pfn(frame), content.slot, dirty);
	if (result == EVICTION_DONE) {
		COUNT(PGSTEAL);
		frame->flags = 0;
	}
	reclaim_unhold(vmap);
	return result;
}

pfn_t reclaim_evict(void)
{
	uint64_t flags = irq_save();
	pfn_t pfn = PFN_NONE;

	while (pfn == PFN_NONE) {
		struct flush_batch batch;
		struct VMap *vmap = NULL;
		struct frame *frame;
		enum eviction result;

		batch.count = 0;
		batch.cpu_mask = 0;
		frame = take_victim(&batch, &vmap);
		if (!frame) {
			batch_flush(&batch);
			break;
		}
		result = evict(frame, vmap, &batch);
		if (result == EVICTION_DONE)
			pfn = frame_pfn(frame);
		else if (result == EVICTION_FAILED)
			break; /* no slot to be had now: the caller lets others go on */
	}
	irq_restore(flags);
	return pfn;
}

uint64_t reclaim_limit(void)
{
	return commit_read().limit;
}

int reclaim_set_limit(uint64_t limit)
{
	int result;

	if (limit == 0)
		return -EINVAL;
	gate_enter();
	result = commit_set_limit(limit);
	/* Who looked at the limit before raises the count before it takes an interrupt. */
	if (result == 0)
		tlb_shootdown(tlb_all_cpus(), NULL, 0);
	while (result == 0 && reclaim_resident() > commit_resident_max()) {
		pfn_t pfn = reclaim_evict();

		if (pfn == PFN_NONE) {
			wait_a_moment();
		} else {
			uint64_t flags = irq_save();

			reclaim_page_free(pfn);
			irq_restore(flags);
		}
	}
	gate_leave();
	return result;
}

struct policy *reclaim_policy(void)
{
	return READ_ONCE(policy_current);
}

void reclaim_set_policy(struct policy *policy)
{
	uint64_t flags = spin_lock_irq(&reclaim.lock);
	struct policy *before = policy_current;
	struct frame *frame;

	if (policy != before) {
		while ((frame = before->any())) {
			before->remove(frame);
			policy->insert(frame);
		}
		WRITE_ONCE(policy_current, policy);
	}
	spin_unlock_irq(&reclaim.lock, flags);
}

void reclaim_visit(void (*visit)(struct frame *frame, void *context), void *context)
{
	uint64_t flags = spin_lock_irq(&reclaim.lock);

	policy_current->visit(visit, context);
	spin_unlock_irq(&reclaim.lock, flags);
}

struct list_walk {
	struct check *check;
	uint64_t seen;
};

/* All policies' lists are page_lists. */
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
	if (frame->state != FRAME_PRIVATE || !frame_flag(frame, PAGE_LISTED))
		check_fail(walk->check, 7, "frame %u is on the policy's list and %s%s",
			   frame_pfn(frame), frame_state_name(frame->state),
			   frame_flag(frame, PAGE_LISTED) ? "" : ", not marked so");
}

void reclaim_check(struct check *check)
{
	struct list_walk walk = {check, 0};
	uint64_t private = 0, listed = 0;

	reclaim_visit(check_listed, &walk);
	for (pfn_t pfn = 0; pfn < frame_limit; pfn++) {
		const struct frame *frame = &frames[pfn];

		if (frame->state != FRAME_PRIVATE)
			continue;
		private++;
		listed += frame_flag(frame, PAGE_LISTED);
		if (frame_flag(frame, PAGE_EVICTING | PAGE_DISOWNED))
			check_fail(check, 12, "frame %u is being evicted", pfn);
		else if (!frame_flag(frame, PAGE_LISTED))
			check_fail(check, 7, "frame %u is a page and on no list", pfn);
	}
	if (walk.seen != listed || policy_current->count() != listed)
		check_fail(check, 7,
			   "the policy %s counts %lu pages, lists %lu, and %lu are marked so",
			   policy_current->name, policy_current->count(), walk.seen, listed);
	if (private != reclaim_resident())
		check_fail(check, 1, "%lu frames are private, %lu are counted resident", private,
			   reclaim_resident());
	if (reclaim_resident() > commit_resident_max())
		check_fail(check, 11, "%lu pages are resident, the limit is %lu",
			   reclaim_resident(), commit_resident_max());
}
