/*
 * policy_fifo.c: first in, first out: the smallest policy, and the one with
 * Belady's anomaly.
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
	(void)frame;
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

struct policy policy_fifo = {
	.name = "fifo",
	.summary = "the page that came first leaves first",
	.insert = insert,
	.remove = remove,
	.touch = touch,
	.victim = victim,
	.visit = visit,
	.count = count,
	.any = any,
};
