/*
 * switch.h: from one thread's stack to another's.
 */
#pragma once

#include "lib/types.h"

/*
 * Pushes the callee-saved registers, stores the stack pointer in *save, loads
 * `next` and pops. Interrupts are off. Returns when somebody switches back.
 */
void context_switch(uint64_t *save, uint64_t next);

/*
 * Prepares a new stack: the first switch to the returned stack pointer calls
 * entry(argument) with interrupts off; entry does not return.
 */
uint64_t context_prepare(vaddr_t stack_top, void (*entry)(void *), void *argument);
