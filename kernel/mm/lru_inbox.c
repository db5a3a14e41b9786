/*
 * lru_inbox.c: how pages come to the lists.
 *
 *   lru_insert(),           inboxes_empty()
 *   lru_insert_ahead() -> [inbox of the CPU] --+-- touched ---------> [the policy's lists]
 *                            |                 |                            ^
 *         newest_release() <-+                 +-- not yet --> [ahead] -----+ touched by now
 *        freed again at once                                      |
 *                                                                 +-> ahead_victim()
 *
 * A CPU that maps a page only pushes it on its own inbox, so CPUs that fault at
 * once do not meet here. Whoever takes the lru lock empties all inboxes first:
 * nobody who has the lock ever sees a page in one. Between CPUs the order is
 * then that of emptying, so a policy that goes by it (fifo, lru-exact) has each
 * page put on its list at once (but for those that are being mapped when it is chosen).
 *
 * Pages that were mapped ahead of any touch (fault_ahead.c) are PAGE_AHEAD until
 * their entry is seen accessed. The policy does not know them before: they are the
 * first to leave, so that they never take a frame from a page that somebody used.
 *
 * Locks: an inbox's count is its lock; it is pushed by its own CPU with
 * interrupts off, and emptied under the lru lock.
 */
#include "kernel/mm/lru_inbox.h"

#include "kernel/mm/lru_internal.h"
#include "kernel/mm/vmap.h"

static struct inbox inboxes[CPU_MAX];

/* A page of a run that nobody touched yet: it goes to their list, and its place is empty. */
static SLOW_PATH void stays_ahead(pfn_t *place) REQUIRES(lru.lock)
{
	struct frame *frame = &frames[*place];

	frame_flag_set(frame, PAGE_AHEAD);
	page_list_add_youngest(&lru.ahead, frame);
	__atomic_fetch_or(&lru_exceptions, LRU_AHEAD, __ATOMIC_SEQ_CST);
	*place = PFN_NONE;
}

/*
 * Looks at the pages of a run, and returns how many nobody touched yet. As after any first
 * touch, the accessed bits of the others are cleared; not where another CPU's flush would
 * be needed for it: those have a second chance.
 *
 * The entries are still theirs: a page that is freed leaves the inbox first.
 */
ALWAYS_INLINE uint32_t run_look(struct inbox *inbox, const struct inbox_run *run, bool is_loaded)
	REQUIRES(lru.lock)
{
	pfn_t *pfns = &inbox->pfns[run->at];
	pte_t *entry = run->entry, *end = entry + run->count;
	uint32_t untouched = 0;

	for (; entry < end; entry++) {
		DEBUG_ASSERT(pte_is_none(pte_read(entry)) ||
			     pte_pfn(pte_read(entry)) == pfns[entry - run->entry]);
		bool accessed = is_loaded ? pte_test_and_clear_accessed(entry)
					  : pte_is_accessed(pte_read(entry));

		if (UNLIKELY(!accessed)) {
			stays_ahead(&pfns[entry - run->entry]);
			untouched++;
		}
	}
	return untouched;
}

/* Closes the gaps that run_look() made. Returns how many pages are left. */
static SLOW_PATH uint32_t inbox_compact(struct inbox *inbox, uint32_t count)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < count; i++)
		if (inbox->pfns[i] != PFN_NONE)
			inbox->pfns[left++] = inbox->pfns[i];
	return left;
}

/* Looks at all pages of a taken inbox that were mapped ahead. Returns how many pages are left. */
static uint32_t runs_look(struct inbox *inbox, uint32_t count) REQUIRES(lru.lock)
{
	const struct VMap *vmap = vmap_current();
	uint32_t untouched = 0, runs = policy_accessed() ? inbox->run_count : 0;
	bool any_loaded = false;

	if (vmap && address_space_active(&vmap->space) != 1ull << THIS_CPU->id)
		vmap = NULL; /* another CPU has it loaded too */
	for (uint32_t i = 0; i < runs; i++) {
		const struct inbox_run *run = &inbox->runs[i];
		bool is_loaded = vmap && frames[inbox->pfns[run->at]].owner == vmap->slot;

		any_loaded |= is_loaded;
		untouched += LIKELY(is_loaded) ? run_look(inbox, run, true)
					       : run_look(inbox, run, false);
	}
	inbox->run_count = 0;
	if (any_loaded) /* some thirty pages, mostly: cheaper than one by one */
		tlb_flush_local_all();
	return LIKELY(untouched == 0) ? count : inbox_compact(inbox, count);
}

static NOINLINE void inbox_empty(struct inbox *inbox) REQUIRES(lru.lock)
{
	uint32_t count = count_take(&inbox->count);
	struct policy *policy = policy_current;

	if (inbox->run_count)
		count = runs_look(inbox, count);
	if (LIKELY(!policy->insert))
		page_list_append(&policy->lists[0], inbox->pfns, count);
	else
		for (uint32_t i = 0; i < count; i++)
			policy->insert(policy, &frames[inbox->pfns[i]]);
	schedule_point();
	count_put(&inbox->count, 0);
}

void inboxes_empty(void)
{
	/* Before the inboxes are looked at: who sets it has taken his inbox, and is waited for. */
	if (UNLIKELY(READ_ONCE(lru_exceptions) & LRU_AHEAD) && lru.ahead.count == 0)
		__atomic_fetch_and(&lru_exceptions, ~LRU_AHEAD, __ATOMIC_SEQ_CST);
	for (unsigned cpu = 0; cpu < cpu_count; cpu++)
		if (READ_ONCE(inboxes[cpu].count))
			inbox_empty(&inboxes[cpu]);
}

/*
 * Many pages wait here, or another CPU empties the inbox just now: `count`
 * tells.
 */
SLOW_PATH void lru_insert_slow(struct inbox *inbox, uint32_t count, pfn_t pfn)
{
	bool is_full;

	if (count == COUNT_BUSY)
		count = count_take(&inbox->count);
	is_full = count == INBOX_PAGES;
	if (!is_full)
		inbox->pfns[count++] = pfn;
	schedule_point();
	count_put(&inbox->count, count);
	if (is_full) { /* another CPU has had the lock for long */
		lru_lock();
		policy_insert(policy_current, &frames[pfn]);
	} else if (count >= INBOX_PAGES / 2 && spin_try_lock(&lru.lock)) {
		inbox_empty(inbox); /* and those of other CPUs are left to them */
	} else {
		return;
	}
	spin_unlock(&lru.lock);
}

void lru_insert(struct frame *frame)
{
	frame->flags |= PAGE_LISTED;
	lru_insert_quick(frame_pfn(frame));
	lru_inserted();
}

void lru_inserted(void)
{
	if (UNLIKELY(!policy_accessed())) {
		lru_lock(); /* which empties it */
		spin_unlock(&lru.lock);
	}
}

pfn_t *lru_ahead_place(unsigned count)
{
	struct inbox *inbox = THIS_CPU->inbox;
	uint32_t here = READ_ONCE(inbox->count);

	if (UNLIKELY(here > INBOX_PAGES - count || inbox->run_count == INBOX_RUNS)) {
		lru_lock(); /* which empties it; only this CPU puts pages there */
		spin_unlock(&lru.lock);
		here = 0;
	}
	return &inbox->pfns[here];
}

void lru_insert_ahead(const pfn_t *place, unsigned count, pte_t *entry)
{
	struct inbox *inbox = THIS_CPU->inbox;
	uint32_t here = count_take(&inbox->count);
	pfn_t *pfns = &inbox->pfns[here];

	/* They are elsewhere, or another CPU has emptied the inbox meanwhile. */
	for (unsigned i = 0; UNLIKELY(pfns != place) && i < count; i++)
		pfns[i] = place[i];
	if (!(READ_ONCE(lru_exceptions) & LRU_AHEAD))
		__atomic_fetch_or(&lru_exceptions, LRU_AHEAD, __ATOMIC_SEQ_CST);
	inbox->runs[inbox->run_count++] =
		(struct inbox_run){.at = here, .count = count, .entry = entry};
	schedule_point();
	count_put(&inbox->count, here + count);
}

void inbox_cut(struct inbox *inbox, uint32_t count)
{
	while (inbox->run_count) {
		struct inbox_run *last = &inbox->runs[inbox->run_count - 1];

		if (last->at + last->count <= count)
			return;
		if (last->at < count) {
			last->count = count - last->at;
			return;
		}
		inbox->run_count--;
	}
}

void lru_init(void)
{
	for (unsigned cpu = 0; cpu < CPU_MAX; cpu++)
		cpus[cpu].inbox = &inboxes[cpu];
}

struct frame *ahead_victim(struct flush_batch *batch)
{
	struct frame *frame;

	while (UNLIKELY((frame = page_list_oldest_free(&lru.ahead)))) {
		page_list_remove(&lru.ahead, frame);
		frame_flag_clear(frame, PAGE_AHEAD);
		if (!policy_test_accessed(frame, batch))
			break;
		policy_insert(policy_current, frame);
	}
	return frame;
}
