/*
 * policy_lru_exact.c: exact least recently used.
 *
 * Every change of page traps (exact.c), and each trap moves its page to the
 * young end, so the list is in the order of last use. For teaching, tests and
 * comparison; slow by nature.
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
	struct frame *frame = page_list_oldest_free(&list);

	(void)batch;
	if (frame) {
		COUNT(PGSCAN);
		page_list_remove(&list, frame);
	}
	return frame;
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

struct policy policy_lru_exact = {
	.name = "lru-exact",
	.summary = "least recently used, exact: every change of page traps (slow)",
	.exact = true,
	.insert = insert,
	.remove = remove,
	.touch = touch,
	.victim = victim,
	.visit = visit,
	.count = count,
	.any = any,
};
