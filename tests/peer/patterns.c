/*
 * patterns.c: what a page fault costs that reads its page back from swap on a
 * RAM disk, in the four patterns of tests/bench/pattern.h: what
 * tests/bench/bench_pattern.c measures of quire.
 */
#include <stdio.h>

#include "tests/bench/pattern.h"
#include "tests/peer/peer.h"

static struct {
	enum pattern_kind kind;
	const char *lru;
} bench;

/* What the references cost: the same for all pages (mask: all ones) and for one (0). */
static uint64_t references_cost(volatile uint64_t *words, uint32_t mask)
{
	uint32_t count = pattern_references(bench.kind);
	struct pattern pattern;
	uint64_t cost = 0;

	pattern_begin(&pattern, bench.kind);
	for (uint32_t done = 0; done < count; done += PEER_FLUSH_INTERVAL) {
		uint64_t before = peer_tsc();

		for (uint32_t i = done; i < done + PEER_FLUSH_INTERVAL; i++) {
			struct reference reference = pattern_next(&pattern);
			volatile uint64_t *word = &words[(reference.page & mask) * (PAGE_SIZE / 8)];

			if (reference.is_store)
				*word = i + 1;
			else
				(void)*word;
		}
		cost += peer_tsc() - before;
		peer_flush_tlb();
	}
	return cost;
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

	for (uint64_t page = 0; page < PATTERN_PAGES; page++)
		words[page * (PAGE_SIZE / 8)] = page + 1;
	faults = peer_major_faults();
	writes = peer_vmstat("pswpout");
	cost = references_cost(words, UINT32_MAX);
	faults = peer_major_faults() - faults;
	writes = peer_vmstat("pswpout") - writes;
	words[0] = 1;
	cost -= references_cost(words, 0);
	print_figures(cost, faults, writes);
}

void peer_patterns(const char *lru)
{
	bench.lru = lru;
	for (unsigned kind = 0; kind < PATTERNS; kind++) {
		bench.kind = (enum pattern_kind)kind;
		peer_child_within(PATTERN_FRAMES, pattern_run);
	}
}
