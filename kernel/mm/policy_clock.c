/*
 * policy_clock.c: Corbato's CLOCK (1968): pages stand on a circle, a hand goes
 * round. A page whose accessed bit is set gets another round, the first one
 * without leaves, and the newcomer stands where the hand is, so the hand
 * meets it last. Unlike lru, no page ever changes its place.
 *
 * The circle is the list with the hand as a place in it; its end joins its
 * beginning.
 */
#include "kernel/mm/policy_internal.h"

static struct page_list list = PAGE_LIST_INIT;
static pfn_t hand = PFN_NONE; /* the page looked at next; PFN_NONE: the first */

static struct frame *at_hand(void)
{
	return hand == PFN_NONE ? page_list_oldest(&list) : &frames[hand];
}

/* Just behind the hand: between the page before it and the page it points at. */
static void insert(struct frame *frame)
{
	struct frame *next = hand == PFN_NONE ? NULL : &frames[hand];
	pfn_t pfn = frame_pfn(frame);

	page_list_add_youngest(&list, frame);
	if (!next || list.oldest == hand)
		return; /* the end of the list is just behind its beginning */
	page_list_remove(&list, frame);
	frame->page.next = hand;
	frame->page.prev = next->page.prev;
	frames[next->page.prev].page.next = pfn;
	next->page.prev = pfn;
	list.count++;
}

static void remove(struct frame *frame)
{
	if (hand == frame_pfn(frame))
		hand = frame->page.next;
	page_list_remove(&list, frame);
}

static void touch(struct frame *frame)
{
	(void)frame;
}

static struct frame *victim(struct flush_batch *batch)
{
	uint64_t patience = 3 * list.count;
	struct frame *frame;

	while (patience-- && (frame = at_hand())) {
		COUNT(PGSCAN);
		hand = frame->page.next;
		if (policy_is_exempt(frame))
			continue;
		if (patience > list.count && policy_test_accessed(frame, batch))
			continue;
		page_list_remove(&list, frame);
		return frame;
	}
	return NULL;
}

static void visit(void (*each)(struct frame *frame, void *context), void *context)
{
	struct frame *start = at_hand();
	struct frame *frame = start;

	while (frame) {
		each(frame, context);
		frame = page_list_younger(frame);
		if (!frame)
			frame = page_list_oldest(&list);
		if (frame == start)
			break;
	}
}

static uint64_t count(void)
{
	return list.count;
}

static struct frame *any(void)
{
	return page_list_oldest(&list);
}

struct policy policy_clock = {
	.name = "clock",
	.summary = "second chance on a circle, by accessed bits",
	.accessed = true,
	.insert = insert,
	.remove = remove,
	.touch = touch,
	.victim = victim,
	.visit = visit,
	.count = count,
	.any = any,
};
