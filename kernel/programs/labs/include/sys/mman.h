/*
 * sys/mman.h: of the labs' small C library: kernel/fs/map.h has what differs from
 * POSIX. Unmapping where nothing is mapped is EINVAL, and so is a hint that is
 * not on a page.
 */
#pragma once

#include "kernel/programs/labs/include/sys/types.h"

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4

#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_FAILED ((void *)-1)

void *mmap(void *addr, size_t len, int prot, int flags, int fildes, off_t offset);
int munmap(void *addr, size_t len);
