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

/* The page is leaving. The time, by a clock of the policy's own, is given back by ghost_take(). */
void ghost_add(const struct frame *frame, uint32_t time);

/* True: it is remembered, and *time is what ghost_add() was given. Forgets it. */
bool ghost_take(const struct frame *frame, uint32_t *time);
