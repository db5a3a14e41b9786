/*
 * apic.h: the local APIC (timer, interrupts between CPUs) and the I/O APIC
 * (the serial line's interrupt). Intel SDM volume 3, chapter 11; 82093AA data
 * sheet. Its registers are reached through the direct map, uncached.
 */
#pragma once

#include "lib/types.h"

/* On each CPU: enables the local APIC; masks all its own sources but, on CPU 0, the NMI. */
void apic_init_cpu(void);

/* Periodic timer interrupts at TRAP_TIMER on this CPU, every TICK_NANOSECONDS. */
void apic_timer_start(void);

/* Nanoseconds until this CPU's next one. */
uint32_t apic_timer_left(void);

/* This CPU's APIC number. */
uint32_t apic_id(void);

/* Every handler of an interrupt calls it once. */
void apic_end_of_interrupt(void);

/* Sends an interrupt to one CPU, by its index in cpus[]. Callable with interrupts off. */
void apic_send(unsigned cpu, unsigned vector);

/* Non-maskable, to all CPUs but this one: for panic. */
void apic_send_nmi_to_others(void);

/* Delivers the legacy interrupt (ISA number) at `vector` on CPU 0, after the 8259s are masked. */
void apic_route_irq(unsigned isa_irq, unsigned vector);
