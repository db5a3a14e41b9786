/*
 * smp.h: starting the other CPUs (Intel SDM volume 3, section 8.4).
 */
#pragma once

#include "lib/types.h"

/*
 * Starts up to `count` - 1 other CPUs listed by ACPI, one after the other, and
 * returns how many CPUs run then (cpu_count). Each loads the kernel's root,
 * calls cpu_init() and apic_init_cpu() for itself, sets cpus[id].online, and
 * calls entry(id) on the stack whose top is stack_tops[id], with interrupts
 * off; entry does not return. A CPU that does not answer is left out. The page
 * AP_START_PHYS is RAM that nobody uses meanwhile; its content is put back.
 */
unsigned smp_start(unsigned count, paddr_t kernel_root, const vaddr_t *stack_tops,
		   void (*entry)(unsigned id));
