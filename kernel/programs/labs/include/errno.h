/*
 * errno.h: of the labs' small C library: the numbers, and each thread's own.
 */
#pragma once

#include "lib/errno.h"

int *vmap_errno(void); /* kernel/mm/vmap.h */

#define errno (*vmap_errno())
