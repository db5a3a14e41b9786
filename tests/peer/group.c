/*
 * group.c: a process that may have so many frames, and whose accessed bits Linux sees.
 *
 * A control group of its own limits the process. Linux does not flush a translation
 * when it clears the accessed bit, and QEMU's TLB is so large that it would hardly see
 * a bit again; so the TLB is to be flushed every PEER_FLUSH_INTERVAL references, by a
 * call that is not measured. That is kind to Linux: silicon's TLB forgets at about
 * this rate, for nothing.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/peer/peer.h"

#define GROUP "/group/pattern"
/* To change the protection of more pages than 33 flushes everything. */
#define FLUSH_PAGES 64u

static struct {
	void (*function)(void);
	uint8_t *flush; /* FLUSH_PAGES that were touched outside the group */
} within;

void peer_flush_tlb(void)
{
	if (mprotect(within.flush, FLUSH_PAGES * PAGE_SIZE, PROT_NONE) ||
	    mprotect(within.flush, FLUSH_PAGES * PAGE_SIZE, PROT_READ))
		peer_fail("mprotect");
}

uint64_t peer_major_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_majflt;
}

static void run_within(void)
{
	within.flush = peer_map(FLUSH_PAGES);
	for (unsigned page = 0; page < FLUSH_PAGES; page++)
		within.flush[page * PAGE_SIZE] = 1;
	peer_write(GROUP "/cgroup.procs", "0");
	within.function();
}

void peer_child_within(uint64_t frames, void (*function)(void))
{
	char limit[32];

	snprintf(limit, sizeof(limit), "%llu", (unsigned long long)frames * PAGE_SIZE);
	within.function = function;
	if (mkdir(GROUP, 0755))
		peer_fail(GROUP);
	peer_write(GROUP "/memory.max", limit);
	peer_child(run_within);
	if (rmdir(GROUP))
		peer_fail(GROUP);
}
