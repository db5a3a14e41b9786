/*
 * map.h: mmap and munmap: what a program calls to have a file, or memory that it
 * shares with processes that it starts, among its addresses.
 *
 * As POSIX has them, with its errors as negative numbers; what differs:
 * - An address of a mapping means the same in every process. One that is asked
 *   for is a hint; MAP_FIXED is not there. What is inherited lies where it lay.
 * - Unmapping where nothing is mapped (a second time, say) is an error.
 * - Touching a page behind the end of the file ends the process as any bad
 *   address does, or is given to its handler of SIGSEGV.
 * - A file's holes are promised memory when they are mapped, and stay so until
 *   the file is shortened or gone: a store to them never fails for want of it. What
 *   the file grows by later is promised when it is first touched, and if that
 *   cannot be, the address is bad.
 */
#pragma once

#include "lib/types.h"

/* Linux's values. */
#define MAP_PROTECTION_NONE 0
#define MAP_PROTECTION_READ 1
#define MAP_PROTECTION_WRITE 2 /* reading comes with it */
#define MAP_PROTECTION_EXECUTE 4

#define MAP_FLAG_SHARED 0x01
#define MAP_FLAG_PRIVATE 0x02
#define MAP_FLAG_FIXED 0x10
#define MAP_FLAG_ANONYMOUS 0x20

/*
 * Maps size bytes, in whole pages, of the file behind the descriptor from the
 * offset on, or with ANONYMOUS of zeros. *address: in, a hint, or NULL; out, where
 * they are. 0, or -EINVAL (size 0; hint or offset not on a page; SHARED and
 * PRIVATE, or neither; unknown flags or protection), -ENOTSUP (FIXED, EXECUTE),
 * -EBADF (no open file), -EACCES (not opened for that), -ENODEV (a module),
 * -EOVERFLOW (behind the largest file), -ENOMEM (memory, addresses or places in
 * the table of mappings; nothing is mapped).
 */
int map_memory(void **address, size_t size_bytes, int protection, int flags, int descriptor,
	       int64_t offset) MUST_CHECK;

/*
 * Unmaps every page that has a byte of [address, address + size). 0, or -EINVAL:
 * size 0, not on a page, or nothing is mapped there.
 */
int unmap_memory(void *address, size_t size_bytes) MUST_CHECK;
