/*
 * stack.h: kernel stacks in the stack area, each above an unmapped guard page.
 */
#pragma once

#include "lib/types.h"

/* STACK_PAGES mapped pages; returns the lowest address, 0 if there is no memory. May sleep. */
vaddr_t stack_alloc(void);

/* Unmaps on all CPUs and frees. No CPU runs on it. May sleep. */
void stack_free(vaddr_t base);

/* Page-table frames of the stack area: they are kept, so a count of leaks leaves them out. */
uint64_t stack_table_frames(void);

/* Is the address in the guard page below the stack that begins at base? */
bool stack_is_guard(vaddr_t base, vaddr_t address);

struct check;
/* Invariant 14: canaries and guard pages. */
void stack_check(struct check *check);
