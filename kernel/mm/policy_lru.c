/*
 * policy_lru.c: least recently used, by accessed bits: the default.
 *
 * One list in the order of last known use. At the old end a page whose
 * accessed bit is set was used since it was last looked at: the bit is cleared
 * and the page goes to the young end. The first that was not is the victim.
 *
 *        oldest                                          youngest
 *   victim() <-- [page] [page] [page] ...  [page] [page] <-- insert(), touch()
 *                  |                                    ^
 *                  +------- accessed: once more --------+
 */
#include "kernel/mm/policy_internal.h"

static struct page_list list = PAGE_LIST_INIT;

static void insert(struct frame *frame)
{
	page_list_add_youngest(&list, frame);
}

static void remove(struct frame *frame)
{
	page_list_remove(&list, frame);
}

static void touch(struct frame *frame)
{
	page_list_remove(&list, frame);
	page_list_add_youngest(&list, frame);
}

static struct frame *victim(struct flush_batch *batch)
{
	/* Twice round: by then every bit was cleared; what is set again is used right now. */
	uint64_t patience = 2 * list.count;
	struct frame *frame;

	while ((frame = page_list_oldest_free(&list))) {
		COUNT(PGSCAN);
		page_list_remove(&list, frame);
		if (patience-- == 0 || !policy_test_accessed(frame, batch))
			return frame;
		page_list_add_youngest(&list, frame);
	}
	return NULL;
}

static void visit(void (*each)(struct frame *frame, void *context), void *context)
{
	page_list_visit(&list, each, context);
}

static uint64_t count(void)
{
	return list.count;
}

static struct frame *any(void)
{
	return page_list_oldest(&list);
}

struct policy policy_lru = {
	.name = "lru",
	.summary = "least recently used, by the processor's accessed bits (default)",
	.accessed = true,
	.insert = insert,
	.remove = remove,
	.touch = touch,
	.victim = victim,
	.visit = visit,
	.count = count,
	.any = any,
};
