/*
 * peer.h: the workloads of quire's bench as a program of Linux, which init.c runs
 * as process 1 of a machine of its own: what its files share.
 *
 * Under QEMU's icount the time stamp counter advances by one per instruction, of
 * the kernel's and the program's alike. Output is as that of `make bench`, lines
 * "bench NAME VALUE UNIT".
 */
#pragma once

#include <stdint.h>

#include "lib/types.h"

static inline uint64_t peer_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* Keeps the compiler from dropping or merging a loop's rounds. */
#define PEER_BARRIER() __asm__ volatile("" : : : "memory")

/* "error: WHAT: REASON", the reason from errno; then the machine is switched off. */
NORETURN void peer_fail(const char *what);

/* `bench NAME VALUE instructions`: the rounded mean of an operation. */
void peer_print(const char *name, uint64_t cost, uint64_t operations);

/* Writes a text to a file of the kernel's. */
void peer_write(const char *file, const char *text);

/* The value behind a word in /proc/vmstat. */
uint64_t peer_vmstat(const char *word);

/* Private memory that nobody has touched, in pages. */
uint8_t *peer_map(size_t page_count);
void peer_unmap(uint8_t *block, size_t page_count);

/* Runs function in a process of its own, which ends with it. */
void peer_child(void (*function)(void));

/*
 * The same in a control group of so many frames, and with a TLB that is to be flushed
 * every PEER_FLUSH_INTERVAL references; the process's own major faults.
 */
#define PEER_FLUSH_INTERVAL 64u
void peer_child_within(uint64_t frames, void (*function)(void));
void peer_flush_tlb(void);
uint64_t peer_major_faults(void);

void peer_memory(void);
void peer_switches(void);

/* The four patterns; lru is "classic" or "mglru", whichever the kernel now uses. */
void peer_patterns(const char *lru);

/* Faults in the references that quire's `replay` makes up, on an 8th, a 4th, half the pages. */
void peer_policies(const char *lru);
