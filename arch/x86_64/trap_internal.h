/*
 * trap_internal.h: between trap.S, trap.c and cpu.c.
 */
#pragma once

#include "arch/x86_64/trap.h"

#define TRAP_STUB_BYTES 16

/* Entries of the IST in the TSS, from 1 (Intel SDM volume 3, section 6.14.5). */
#define IST_DOUBLE_FAULT 1
#define IST_NMI 2

extern const char trap_stubs[TRAP_VECTOR_COUNT][TRAP_STUB_BYTES];
extern trap_handler *trap_handlers[TRAP_VECTOR_COUNT];
extern trap_first *trap_first_handler;
