/*
 * fault_internal.h: what vmap and fault share.
 */
#pragma once

#include "arch/x86_64/pte.h"
#include "arch/x86_64/tlb.h"

/* Waits while the entry is in transit. No spinlock held; interrupts may be off: on while it waits.
 */
void fault_transit_wait(const pte_t *entry);

/* The address space goes away: what CPUs remember of its last fault is forgotten. */
void fault_forget(const struct address_space *space);

struct trap_frame;

/* Panics and names the entry. */
NORETURN void fault_reserved_bit(const struct trap_frame *frame, vaddr_t address);
