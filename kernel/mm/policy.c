/*
 * policy.c: the table of policies, and what they build on.
 */
#include "kernel/mm/policy.h"

#include "kernel/mm/policy_internal.h"
#include "kernel/mm/turn.h"
#include "kernel/mm/vmap.h"
#include "lib/string.h"

struct policy *const policies[] = {&policy_lru,      &policy_lru_exact, &policy_fifo,
				   &policy_clock,    &policy_sieve,     &policy_s3fifo,
				   &policy_probation};
const unsigned policy_count = ARRAY_SIZE(policies);
struct policy *policy_current = &policy_lru;

uint32_t policy_time;

struct policy *policy_find(const char *name)
{
	for (unsigned i = 0; i < policy_count; i++)
		if (strcmp(policies[i]->name, name) == 0)
			return policies[i];
	return NULL;
}

uint64_t policy_pages(const struct policy *policy)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < POLICY_LISTS; i++)
		count += policy->lists[i].count;
	return count;
}

void page_list_visit(const struct page_list *list,
		     void (*visit)(struct frame *frame, void *context), void *context)
{
	for (struct frame *frame = list->oldest; frame; frame = page_younger(frame))
		visit(frame, context);
}

void policy_visit(const struct policy *policy, void (*visit)(struct frame *frame, void *context),
		  void *context)
{
	for (unsigned i = 0; i < POLICY_LISTS; i++)
		page_list_visit(&policy->lists[(policy->first + i) % POLICY_LISTS], visit, context);
}

SLOW_PATH struct frame *page_list_oldest_exempting(const struct page_list *list)
{
	struct frame *frame = list->oldest;

	while (frame && policy_is_exempt(frame))
		frame = page_younger(frame);
	return frame;
}

struct frame *policy_take_oldest(struct policy *policy, struct flush_batch *batch)
{
	struct frame *frame = page_list_oldest_free(&policy->lists[0]);

	(void)batch;
	if (frame) {
		COUNT(PGSCAN);
		policy_remove(policy, frame);
	}
	return frame;
}

struct frame *policy_take_unused(struct policy *policy, struct flush_batch *batch)
{
	struct page_list *list = &policy->lists[0];
	/* Twice round: by then every bit was cleared; what is set again is used right now. */
	uint64_t patience = 2 * list->count;
	struct frame *frame;

	while ((frame = page_list_oldest_free(list))) {
		COUNT(PGSCAN);
		if (patience-- == 0 || !policy_test_accessed(frame, batch)) {
			page_list_remove(list, frame);
			return frame;
		}
		page_list_remove(list, frame);
		page_list_add_youngest(list, frame);
	}
	return NULL;
}

uint32_t policy_age(const struct frame *frame)
{
	return (policy_time - ALIGN_DOWN(frame->page.stamp, POLICY_TICK)) / POLICY_TICK;
}

bool policy_test_accessed(struct frame *frame, struct flush_batch *batch)
{
	/* It may have many entries, in other locks' care. It rests, and is mapped again if used. */
	if (UNLIKELY(frame->state == FRAME_SHARED))
		return false;
	if (!page_test_accessed(frame, policy_entry(frame), batch))
		return false;
	COUNT(PGROTATED);
	return true;
}

bool policy_is_accessed(const struct frame *frame)
{
	return frame->state == FRAME_PRIVATE && pte_read(policy_entry(frame)).bits & PTE_ACCESSED;
}

bool policy_is_exempt(const struct frame *frame)
{
	return UNLIKELY(turn_is_taken()) && turn_protects(frame);
}
