/*
 * power.h: the ways to end.
 */
#pragma once

#include "lib/types.h"

/*
 * Ends the machine. Status 0 powers off by ACPI (PM1a control from the FADT),
 * another one ends QEMU with exit status status * 2 + 1 through isa-debug-exit
 * (port 0xf4, given on QEMU's command line by the tools); if neither works the
 * CPU halts for ever. status: 0..127.
 */
NORETURN void power_off(unsigned status);
