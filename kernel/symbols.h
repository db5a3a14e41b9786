/*
 * symbols.h: the names of the kernel's own functions, for panics and reports.
 */
#pragma once

#include "lib/types.h"

/*
 * The function that `address` lies in, and in *offset how far from its start;
 * NULL outside the image's text, or if the image has no table. Any context.
 */
const char *symbol_find(vaddr_t address, uint64_t *offset);
