/*
 * exact.h: trapping every change of page, for lru-exact.
 */
#pragma once

#include "lib/types.h"

struct trap_frame;

/*
 * A page was mapped for the instruction at frame->rip. The page of the
 * instruction before it, if any, rests from now on, so that touching it traps;
 * pages of the same instruction stay until it has retired, which a single-step
 * trap tells. Interrupts are off, no spinlock held.
 */
void exact_mapped(struct trap_frame *frame, vaddr_t page);

/* The current thread is about to leave the address space: all its pages rest. No spinlock held. */
void exact_rest(void);

/* Installs the handler of the single-step trap. */
void exact_init(void);
