/*
 * patterns.c: what a page fault costs that reads its page back from swap on a
 * RAM disk, in the four patterns of tests/bench/pattern.h: what
 * tests/bench/bench_pattern.c measures of quire.
 *
 * A control group of its own limits each pattern's process to the frames. Linux
 * does not flush a translation when it clears the accessed bit, and QEMU's TLB is
 * so large that it would hardly see a bit again; so the TLB is flushed every
 * FLUSH_INTERVAL references, by a call that is not measured. That is kind to
 * Linux: silicon's TLB forgets at about this rate, for nothing.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/pattern.h"
#include "tests/peer/peer.h"

#define GROUP "/group/pattern"
#define FLUSH_INTERVAL 64u
/* To change the protection of more pages than 33 flushes everything. */
#define FLUSH_PAGES 64u

static struct {
	enum pattern_kind kind;
	const char *lru;
	uint8_t *flush; /* FLUSH_PAGES that were touched outside the group */
} bench;

static void flush_tlb(void)
{
	if (mprotect(bench.flush, FLUSH_PAGES * PAGE_SIZE, PROT_NONE) ||
	    mprotect(bench.flush, FLUSH_PAGES * PAGE_SIZE, PROT_READ))
		peer_fail("mprotect");
}

/* What the references cost: the same for all pages (mask: all ones) and for one (0). */
static uint64_t references_cost(volatile uint64_t *words, uint32_t mask)
{
	uint32_t count = pattern_references(bench.kind);
	struct pattern pattern;
	uint64_t cost = 0;

	pattern_begin(&pattern, bench.kind);
	for (uint32_t done = 0; done < count; done += FLUSH_INTERVAL) {
		uint64_t before = peer_tsc();

		for (uint32_t i = done; i < done + FLUSH_INTERVAL; i++) {
			struct reference reference = pattern_next(&pattern);
			volatile uint64_t *word = &words[(reference.page & mask) * (PAGE_SIZE / 8)];

			if (reference.is_store)
				*word = i + 1;
			else
				(void)*word;
		}
		cost += peer_tsc() - before;
		flush_tlb();
	}
	return cost;
}

static uint64_t major_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_majflt;
}

static void print_figures(uint64_t cost, uint64_t faults, uint64_t writes)
{
	char name[64];

	snprintf(name, sizeof(name), "major-fault-%s.%s", pattern_name(bench.kind), bench.lru);
	peer_print(name, cost, faults);
	printf("bench %s.writes %.2f count\n", name, (double)writes / (double)MAX(faults, 1ull));
	printf("bench %s.faults %llu count\n", name, (unsigned long long)faults);
}

static void pattern_run(void)
{
	uint64_t *words = (uint64_t *)peer_map(PATTERN_PAGES);
	uint64_t cost, faults, writes;

	bench.flush = peer_map(FLUSH_PAGES);
	for (unsigned page = 0; page < FLUSH_PAGES; page++)
		bench.flush[page * PAGE_SIZE] = 1;
	peer_write(GROUP "/cgroup.procs", "0");
	for (uint64_t page = 0; page < PATTERN_PAGES; page++)
		words[page * (PAGE_SIZE / 8)] = page + 1;
	faults = major_faults();
	writes = peer_vmstat("pswpout");
	cost = references_cost(words, UINT32_MAX);
	faults = major_faults() - faults;
	writes = peer_vmstat("pswpout") - writes;
	words[0] = 1;
	cost -= references_cost(words, 0);
	print_figures(cost, faults, writes);
}

void peer_patterns(const char *lru)
{
	char limit[32];

	snprintf(limit, sizeof(limit), "%llu", (unsigned long long)PATTERN_FRAMES * PAGE_SIZE);
	bench.lru = lru;
	for (unsigned kind = 0; kind < PATTERNS; kind++) {
		bench.kind = (enum pattern_kind)kind;
		if (mkdir(GROUP, 0755))
			peer_fail(GROUP);
		peer_write(GROUP "/memory.max", limit);
		peer_child(pattern_run);
		if (rmdir(GROUP))
			peer_fail(GROUP);
	}
}
