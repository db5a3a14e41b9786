/*
 * policies.c: how many faults Linux takes where quire's replay makes its references up:
 * the same sequences (kernel/programs/replay_generate.c), made here, on as many frames.
 *
 * As in the replay every page is stored to at its first reference, so that it has
 * bytes that must be kept; faults are first touches and major faults. One that Linux
 * serves out of its swap cache is none.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/programs/replay_generate.h"
#include "tests/bench/pattern.h"
#include "tests/peer/peer.h"

static struct {
	const char *name, *lru;
	uint32_t *references; /* page * 2 + store */
	uint64_t count, page_count;
	uint64_t frames;
} bench;

static void sequence_make(const struct replay_generator *generator)
{
	struct replay_sequence sequence;

	replay_sequence_init(&sequence);
	if (generator->generate(&sequence) != 0)
		peer_fail(generator->name);
	bench.name = generator->name;
	bench.count = sequence.reference_count;
	bench.page_count = sequence.page_count;
	bench.references = malloc(bench.count * sizeof(uint32_t));
	if (!bench.references)
		peer_fail(generator->name);
	for (uint64_t i = 0; i < bench.count; i++)
		bench.references[i] = *(const uint32_t *)page_array_get(&sequence.references, i);
	replay_sequence_destroy(&sequence);
}

/* Runs in the group; the references themselves are outside, as what is read of a trace. */
static void references_make(void)
{
	volatile uint64_t *words = (uint64_t *)peer_map(bench.page_count);
	uint64_t before = peer_major_faults(), seen = 0;

	for (uint64_t i = 0; i < bench.count; i++) {
		uint32_t page = replay_page(bench.references[i]);
		volatile uint64_t *word = &words[(uint64_t)page * (PAGE_SIZE / 8)];

		if (page == seen) { /* pages are numbered as they come */
			*word = page + 1;
			seen++;
		} else if (*word != page + 1ull) {
			peer_fail("a page has lost its bytes");
		} else if (replay_store(bench.references[i])) {
			*word = page + 1;
		}
		if (i % PEER_FLUSH_INTERVAL == 0)
			peer_flush_tlb();
	}
	printf("bench policy-%s-%llu.%s %llu count\n", bench.name, (unsigned long long)bench.frames,
	       bench.lru, (unsigned long long)(seen + peer_major_faults() - before));
}

void peer_policies(const char *lru)
{
	bench.lru = lru;
	for (unsigned i = 0; i < replay_generator_count; i++) {
		sequence_make(&replay_generators[i]);
		for (unsigned share = 8; share >= 2; share /= 2) {
			bench.frames = bench.page_count / share;
			peer_child_within(bench.frames, references_make);
		}
		free(bench.references);
	}
}
