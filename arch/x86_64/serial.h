/*
 * serial.h: the first serial line, a 16550 at 0x3f8 (115200 8N1).
 */
#pragma once

#include "lib/types.h"

/* Usable before anything else. */
void serial_init(void);

/* Sends bytes as they are; waits for room in the FIFO. Any context; the caller serialises. */
void serial_write(const char *bytes, size_t count);

/* Interrupts at TRAP_SERIAL on CPU 0 when input arrives (apic_route_irq first). */
void serial_enable_input(void);

/* The next byte received, or -1. */
int serial_read(void);
