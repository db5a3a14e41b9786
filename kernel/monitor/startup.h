/*
 * startup.h: what is printed before the first prompt.
 */
#pragma once

#include "arch/x86_64/boot_info.h"
#include "kernel/options.h"

/* Applies frames= and policy=, then prints the memory map, CPUs, frames, swap, policy, warnings. */
void startup_report(const struct boot_info *info, struct options *options);
