/*
 * test_replay_generate.c: kernel/programs/replay_generate.h: the patterns are what
 * they are said to be, and the same each time.
 */
#include "kernel/programs/replay_generate.h"

#include "kernel/programs/replay_model.h"
#include "tests/host/host_test.h"

enum { PAGES = 16384, REFERENCES = 16 * PAGES };

static uint32_t counts[PAGES];
static uint64_t stores;

static struct replay_faults run(const char *name, struct replay_sequence *sequence)
{
	const struct replay_generator *generator = replay_generator_find(name);
	struct replay_faults faults = {0};

	stores = 0;
	for (uint32_t i = 0; i < PAGES; i++)
		counts[i] = 0;
	replay_sequence_init(sequence);
	if (!CHECK(generator))
		return faults;
	CHECK_EQUAL(0, generator->generate(sequence));
	CHECK_EQUAL(REFERENCES, sequence->reference_count);
	CHECK(sequence->page_count <= PAGES);
	for (uint64_t i = 0; i < sequence->reference_count; i++) {
		uint32_t *reference = page_array_get(&sequence->references, i);
		uint64_t *page = page_array_get(&sequence->pages, replay_page(*reference));

		counts[*page]++;
		stores += replay_store(*reference);
	}
	CHECK_EQUAL(0, replay_model_run(sequence, PAGES / 2, NULL, &faults));
	replay_sequence_destroy(sequence);
	return faults;
}

/* A loop of L pages on C frames, R references: OPT takes L + (R - L)(L - C) / (L - 1). */
TEST(replay_generate, sweeps)
{
	struct replay_sequence sequence;
	struct replay_faults faults = run("sweeps", &sequence);
	int64_t opt = PAGES + (int64_t)(REFERENCES - PAGES) * (PAGES / 2) / (PAGES - 1);

	CHECK_EQUAL(REFERENCES, faults.lru);
	CHECK((int64_t)faults.opt - opt < 16 && opt - (int64_t)faults.opt < 16);
	CHECK_EQUAL(REFERENCES / PAGES, counts[PAGES - 1]);
}

/* Any policy hits C / N, and LRU is one. */
TEST(replay_generate, uniform)
{
	struct replay_sequence sequence;
	struct replay_faults faults = run("uniform", &sequence);

	CHECK(faults.lru > REFERENCES / 2 && faults.lru < REFERENCES / 2 + REFERENCES / 50);
	CHECK(faults.opt < faults.lru);
}

/* Page i as often as i^-0.99: the first 9.3 %, and each tenth one 10^0.99 times less often. */
TEST(replay_generate, zipf)
{
	struct replay_sequence sequence;
	struct replay_faults faults = run("zipf", &sequence);

	CHECK(counts[0] > REFERENCES * 92 / 1000 && counts[0] < REFERENCES * 96 / 1000);
	CHECK(counts[0] > counts[9] * 93 / 10 && counts[0] < counts[9] * 103 / 10);
	CHECK(counts[0] > counts[99] * 85 && counts[0] < counts[99] * 105);
	CHECK(stores > REFERENCES * 49 / 100 && stores < REFERENCES * 51 / 100);
	CHECK_EQUAL(30487, faults.lru); /* on 8,192 frames: the same each time */
}

TEST(replay_generate, scans)
{
	struct replay_sequence sequence;
	struct replay_faults faults = run("scans", &sequence);
	uint64_t hot = 0;

	for (uint32_t i = 0; i < PAGES / 4; i++)
		hot += counts[i];
	CHECK(hot > REFERENCES / 3 - PAGES && hot < REFERENCES / 3 + PAGES);
	CHECK_EQUAL(0, stores);
	CHECK(faults.opt < faults.lru / 2);
}

TEST(replay_generate, no_such_pattern)
{
	CHECK(!replay_generator_find("sweep"));
	CHECK(!replay_generator_find(""));
}
