/*
 * ghost.h: pages that left not long ago, remembered by name, without their
 * bytes. A policy that asks for them tells a page that comes back soon from one
 * that is seen for the first time. One memory, for whichever policy is set;
 * under the lru lock.
 *
 * Names are hashed to 32 bits and a set; two pages with the same, and a process
 * with the address of one that ended, are taken for each other. It costs a
 * page a better or worse place, nothing else.
 */
#pragma once

#include "kernel/mm/frame.h"

/* Boot: memory (zeroed, so many bytes) for a machine with so many frames. */
size_t ghost_bytes(uint64_t frame_count);
void ghost_init(void *memory, uint64_t frame_count);

/* The page is leaving. */
void ghost_add(const struct frame *frame);

/* Was it among the last so many that left? Forgets it. */
bool ghost_take(const struct frame *frame, uint64_t within);
