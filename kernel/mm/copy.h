/*
 * copy.h: copying bytes that may fault.
 */
#pragma once

#include "lib/types.h"

struct VMap;
struct trap_frame;

/*
 * As memmove between two ranges of which one or both lie in vmap, whose pages
 * may be away. A kernel thread borrows the address space meanwhile. 0, or
 * -EFAULT if a page could not be had (swap), with part of it copied. May sleep.
 */
int copy_pages(struct VMap *vmap, void *to, const void *from, size_t size_bytes) MUST_CHECK;

/* For the fault handler: if rip is in the copy, lets it return -EFAULT; false if it is not. */
bool copy_fix_up(struct trap_frame *frame);
