/*
 * lru.c: the lists of resident pages.
 *
 *   lru_inbox.c          lru_tail.c             lru_take_victim()
 *   -> [the policy's lists] -> [tail, resting] -> evictor
 *             ^                     |              ^
 *             +---------------------+ lru_touch()  |
 *   -> [ahead] ------------------------------------+
 *
 * Pages come by an inbox and leave by the tail, where they rest; before all others
 * leave those that nobody ever touched.
 *
 * Invariants:
 *  1. A resident page that nobody frees or evicts is PAGE_LISTED, and on an
 *     inbox, the policy's lists, the tail or the list of those mapped ahead, once.
 *  2. Whoever names a VMap after the lock is dropped holds a reference
 *     (evictor_refs), so its tables stay.
 * Locks: page_table outside lru.
 */
#include "kernel/mm/lru.h"

#include "kernel/mm/check.h"
#include "kernel/mm/lru_internal.h"
#include "kernel/mm/object_page.h"
#include "kernel/mm/policy_internal.h"
#include "kernel/mm/turn.h"
#include "kernel/mm/vmap.h"

struct lru_lists lru = {.lock = SPINLOCK(LRU)};
unsigned lru_exceptions;

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

unsigned lru_remove(pfn_t *pfns, unsigned count)
{
	unsigned owned = 0;

	if (count == 0)
		return 0;
	lru_lock();
	for (unsigned i = 0; i < count; i++) {
		struct frame *frame = &frames[pfns[i]];

		if (LIKELY(frame_flag(frame, PAGE_LISTED))) {
			unlist(frame);
			pfns[owned++] = pfns[i];
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

void lru_unhold_shared(struct object *object)
{
	__atomic_fetch_sub(&object->evictor_refs, 1, __ATOMIC_RELEASE);
}

struct frame *lru_take_victim(struct flush_batch *batch, struct VMap **vmap)
{
	struct frame *frame;
	uint8_t tail = 0;

	lru_lock();
	frame = ahead_victim(batch);
	if (LIKELY(!frame) && LIKELY((frame = tail_victim(batch))))
		tail = PAGE_TAIL;
	if (!frame)
		frame = policy_current->victim(policy_current, batch);
	if (frame) {
		victim_mark(frame, tail);
		*vmap = owner_hold(frame);
	}
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

struct VMap *lru_hold(struct frame *frame, pte_t **entry)
{
	struct VMap *vmap = NULL;

	lru_lock();
	if (frame->state == FRAME_PRIVATE && frame_flag(frame, PAGE_LISTED)) {
		vmap = owner_hold(frame);
		*entry = policy_entry(frame);
	}
	spin_unlock(&lru.lock);
	return vmap;
}

struct object *lru_hold_shared(struct frame *frame)
{
	struct object *object = NULL;

	lru_lock();
	if (frame->state == FRAME_SHARED && frame_flag(frame, PAGE_LISTED)) {
		(void)owner_hold(frame);
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

uint32_t lru_take_slot(struct frame *frame, const struct VMap *vmap, const pte_t *entry)
{
	uint32_t slot = SLOT_NONE;

	lru_lock();
	if (frame->state == FRAME_PRIVATE && frame_flag(frame, PAGE_LISTED) &&
	    vmap_by_slot[frame->owner] == vmap && policy_entry(frame) == entry)
		slot = slot_take(frame);
	spin_unlock(&lru.lock);
	return slot;
}

void lru_end_turn(void)
{
	/* Whoever looks at the holder has the lock, so the holder may go away afterwards. */
	uint64_t flags = lru_lock_irq();

	turn_holder = NULL;
	__atomic_fetch_and(&lru_exceptions, ~LRU_TURN, __ATOMIC_SEQ_CST);
	spin_unlock_irq(&lru.lock, flags);
}

struct policy *lru_policy(void)
{
	return READ_ONCE(policy_current);
}

/* All pages of a list, in its order, become the policy's. */
static void list_hand_over(struct page_list *list, struct policy *policy) REQUIRES(lru.lock)
{
	struct frame *frame;

	while ((frame = list->oldest)) {
		page_list_remove(list, frame);
		frame_flag_clear(frame, PAGE_AHEAD | PAGE_TAIL | PAGE_FLUSHED);
		policy_insert(policy, frame);
	}
}

void lru_set_policy(struct policy *policy)
{
	uint64_t flags = lru_lock_irq();
	struct policy *before = policy_current;

	if (policy != before) {
		list_hand_over(&lru.ahead, policy);
		list_hand_over(&lru.tail, policy);
		list_hand_over(&before->lists[before->first], policy);
		list_hand_over(&before->lists[!before->first], policy);
		WRITE_ONCE(policy_current, policy);
		detour_set(DETOUR_POLICY, !policy->accessed);
	}
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

static bool is_descriptor(const struct frame *frame)
{
	return frame >= frames && frame < frames + frame_limit &&
	       (vaddr_t)frame % sizeof(*frame) == 0;
}

/* All lists are page_lists. */
static bool links_are_symmetric(const struct frame *frame)
{
	const struct frame *younger = page_younger(frame), *older = page_older(frame);

	return (!younger || (is_descriptor(younger) && page_older(younger) == frame)) &&
	       (!older || (is_descriptor(older) && page_younger(older) == frame));
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
	if (!frame_flag(frame, PAGE_TAIL))
		check_fail(check, 7, "frame %u is on the tail and not marked so", frame_pfn(frame));
	else if (frame_flag(frame, PAGE_FLUSHED) && !rests(frame))
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
	for (struct frame *frame = lru.tail.oldest; frame; frame = page_younger(frame))
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
