/*
 * smp_internal.h: between smp.c and smp_trampoline.S.
 */
#pragma once

/* Values of smp_wanted that are no APIC number. */
#define SMP_NONE 0xffffffff
#define SMP_CLAIMED 0xfffffffe

#ifndef __ASSEMBLER__
#include "lib/types.h"

extern const char smp_trampoline[], smp_trampoline_end[];

/* For the CPU being started: the APIC number of the one that may go on; atomic. */
extern uint32_t smp_wanted;
extern paddr_t smp_kernel_root;
extern vaddr_t smp_stack_top;

NORETURN void smp_ap_main(void);
#endif
