/*
 * apic_internal.h: interrupts between CPUs, for smp.c, which starts CPUs that
 * are not in cpus[] yet.
 */
#pragma once

#include "lib/types.h"

/* Bits of the interrupt command register (Intel SDM volume 3, figure 11-12). */
#define APIC_DELIVER_NMI 0x400
#define APIC_DELIVER_INIT 0x500
#define APIC_DELIVER_STARTUP 0x600 /* the vector is the page to start at */
#define APIC_ASSERTED 0x4000

/* Sends `command` to one CPU as soon as the previous command has been accepted. */
void apic_command(uint32_t apic_id, uint32_t command);
