/*
 * policy_internal.h: what the policies' files share.
 */
#pragma once

#include "arch/x86_64/pte.h"
#include "kernel/mm/policy.h"

extern struct policy policy_lru;
extern struct policy policy_lru_exact;
extern struct policy policy_fifo;
extern struct policy policy_clock;

/* The oldest page that may leave now, or NULL. */
struct frame *page_list_oldest_free(const struct page_list *list);

void page_list_visit(const struct page_list *list,
		     void (*visit)(struct frame *frame, void *context), void *context);

/* The entry that maps a listed page. */
pte_t *policy_entry(const struct frame *frame);
