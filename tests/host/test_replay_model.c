/*
 * test_replay_model.c: kernel/programs/replay_sequence.h and replay_model.h: the
 * textbooks' strings, known figures of large ones, and small random ones beside
 * models that are too simple to be wrong.
 */
#include "kernel/programs/replay_model.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "tests/host/host_test.h"

static void sequence_add(struct replay_sequence *sequence, uint64_t page)
{
	struct replay_reference reference = {.page = page};

	CHECK_EQUAL(0, replay_sequence_add(sequence, &reference));
}

static struct replay_faults faults_of(const struct replay_sequence *sequence, uint64_t frames)
{
	struct replay_faults faults = {0};

	CHECK_EQUAL(0, replay_model_run(sequence, frames, NULL, &faults));
	return faults;
}

static struct replay_faults faults_of_text(const char *text, uint64_t frames)
{
	struct replay_sequence sequence;
	struct replay_trace trace;
	struct replay_faults faults;

	replay_sequence_init(&sequence);
	CHECK_EQUAL(0, replay_trace_open(&trace, text, strlen(text)));
	CHECK_EQUAL(0, replay_sequence_load(&sequence, &trace, NULL));
	faults = faults_of(&sequence, frames);
	replay_sequence_destroy(&sequence);
	return faults;
}

TEST(replay_model, textbook)
{
	static const char silberschatz[] =
		"7\n0\n1\n2\n0\n3\n0\n4\n2\n3\n0\n3\n2\n1\n2\n0\n1\n7\n0\n1\n";
	static const char belady[] = "1\n2\n3\n4\n1\n2\n5\n1\n2\n3\n4\n5\n";

	CHECK_EQUAL(12, faults_of_text(silberschatz, 3).lru);
	CHECK_EQUAL(9, faults_of_text(silberschatz, 3).opt);
	CHECK_EQUAL(10, faults_of_text(belady, 3).lru);
	CHECK_EQUAL(7, faults_of_text(belady, 3).opt);
	CHECK_EQUAL(8, faults_of_text(belady, 4).lru);
	CHECK_EQUAL(6, faults_of_text(belady, 4).opt);
	CHECK_EQUAL(5, faults_of_text(belady, 5).lru);
	CHECK_EQUAL(5, faults_of_text(belady, 1000000).opt);
	CHECK_EQUAL(12, faults_of_text(belady, 1).opt);
	CHECK_EQUAL(1, faults_of_text("4\n4\n4\n", 1).opt);
	CHECK_EQUAL(1, faults_of_text("4\n4\n4\n", 1).lru);
}

TEST(replay_model, loop)
{
	struct replay_sequence sequence;
	struct replay_faults faults;

	replay_sequence_init(&sequence);
	for (unsigned i = 0; i < 1000000; i++)
		sequence_add(&sequence, i % 4096);
	CHECK_EQUAL(4096, sequence.page_count);
	faults = faults_of(&sequence, 2048);
	CHECK_EQUAL(1000000, faults.lru);
	CHECK_EQUAL(501760, faults.opt);
	faults = faults_of(&sequence, 4096);
	CHECK_EQUAL(4096, faults.lru);
	CHECK_EQUAL(4096, faults.opt);
	replay_sequence_destroy(&sequence);
}

/* Uniform random pages without repeats in a row: LRU hits (C - 1) / (N - 1) of them. */
TEST(replay_model, uniform)
{
	enum { PAGES = 4096, FRAMES = 2048, COUNT = 500000 };
	struct replay_sequence sequence;
	struct random random;
	uint64_t last = PAGES;
	int64_t expected_hits = (int64_t)COUNT * (FRAMES - 1) / (PAGES - 1);
	int64_t hits;

	replay_sequence_init(&sequence);
	random_seed(&random, RANDOM_SEED);
	while (sequence.reference_count < COUNT) {
		uint64_t page = random_next(&random) % PAGES;

		if (page == last)
			continue;
		last = page;
		sequence_add(&sequence, page);
	}
	hits = COUNT - (int64_t)faults_of(&sequence, FRAMES).lru;
	CHECK(hits > expected_hits - COUNT / 100);
	CHECK(hits < expected_hits + COUNT / 100);
	replay_sequence_destroy(&sequence);
}

enum { SMALL_PAGES = 12, SMALL_COUNT = 90 };

struct small {
	uint8_t page[SMALL_COUNT];
	unsigned count;
};

static unsigned next_use(const struct small *small, unsigned from, uint8_t page)
{
	while (from < small->count && small->page[from] != page)
		from++;
	return from;
}

/* How badly LRU or OPT wants to be rid of a page at a reference: the largest goes. */
static unsigned victim_weight(const struct small *small, unsigned now, uint8_t page, bool opt)
{
	unsigned age = 0;

	if (opt)
		return next_use(small, now, page);
	while (small->page[now - 1 - age] != page)
		age++;
	return age;
}

static unsigned faults_naive(const struct small *small, unsigned frames, bool opt)
{
	uint8_t resident[SMALL_PAGES];
	unsigned used = 0, faults = 0;

	for (unsigned now = 0; now < small->count; now++) {
		unsigned victim = 0, at = 0;

		while (at < used && resident[at] != small->page[now])
			at++;
		if (at < used)
			continue;
		faults++;
		if (used < frames) {
			resident[used++] = small->page[now];
			continue;
		}
		for (at = 1; at < used; at++)
			if (victim_weight(small, now, resident[at], opt) >
			    victim_weight(small, now, resident[victim], opt))
				victim = at;
		resident[victim] = small->page[now];
	}
	return faults;
}

TEST(replay_model, as_by_definition)
{
	struct random random;

	host_random(&random);
	for (unsigned i = 0; i < 4000; i++) {
		struct small small = {.count = (unsigned)random_below(&random, SMALL_COUNT) + 1};
		uint64_t pages = random_below(&random, SMALL_PAGES) + 1;
		struct replay_sequence sequence;

		replay_sequence_init(&sequence);
		for (unsigned j = 0; j < small.count; j++) {
			uint64_t page = random_below(&random, pages);

			if (random_below(&random, 3) == 0)
				page = random_below(&random, page + 1);
			small.page[j] = (uint8_t)page;
			sequence_add(&sequence, page);
		}
		for (unsigned frames = 1; frames <= pages + 1; frames++) {
			struct replay_faults faults = faults_of(&sequence, frames);

			CHECK_EQUAL(faults_naive(&small, frames, false), faults.lru);
			CHECK_EQUAL(faults_naive(&small, frames, true), faults.opt);
		}
		replay_sequence_destroy(&sequence);
	}
}

TEST(replay_sequence, pages_of_any_size)
{
	enum { COUNT = 20000 };
	static uint64_t pages[COUNT];
	struct replay_sequence sequence;
	struct random random;

	host_random(&random);
	replay_sequence_init(&sequence);
	for (unsigned i = 0; i < COUNT; i++) {
		struct replay_reference reference;

		pages[i] = i < 3 ? -(uint64_t)i : random_next(&random) >> random_below(&random, 60);
		if (i >= 3 && random_below(&random, 3) == 0)
			pages[i] = pages[random_below(&random, i)];
		reference.page = pages[i];
		reference.store = i % 3 == 0;
		CHECK_EQUAL(0, replay_sequence_add(&sequence, &reference));
	}
	CHECK_EQUAL(COUNT, sequence.reference_count);
	for (unsigned i = 0; i < COUNT; i++) {
		uint32_t reference = *(uint32_t *)page_array_get(&sequence.references, i);
		uint64_t *page = page_array_get(&sequence.pages, replay_page(reference));

		CHECK(replay_page(reference) < sequence.page_count);
		CHECK_EQUAL(pages[i], *page);
		CHECK_EQUAL(i % 3 == 0, replay_store(reference));
	}
	replay_sequence_destroy(&sequence);
}

/* The first page fails, then the second, ...: an error, nothing lost, and then a result. */
TEST(replay_model, no_memory_at_each_page)
{
	bool complete = false;

	for (size_t limit = 0; !complete; limit++) {
		size_t live = host_pages_live();
		struct replay_faults faults = {.lru = 77};
		struct replay_sequence sequence;
		int error = 0;

		replay_sequence_init(&sequence);
		host_pages_limit(limit);
		for (unsigned i = 0; i < 5000 && error == 0; i++) {
			struct replay_reference reference = {.page = i * 77 % 1500};
			uint64_t count = sequence.reference_count;

			error = replay_sequence_add(&sequence, &reference);
			CHECK_EQUAL(count + (error == 0), sequence.reference_count);
		}
		if (error == 0)
			error = replay_model_run(&sequence, 700, NULL, &faults);
		host_pages_limit(SIZE_MAX);
		complete = error == 0;
		CHECK_EQUAL(complete ? 5000 : 77, faults.lru);
		CHECK(complete || error == -ENOMEM);
		replay_sequence_destroy(&sequence);
		CHECK_EQUAL(live, host_pages_live());
		CHECK(limit < 100);
	}
}

struct steps {
	unsigned left; /* steps until the work is to end */
	uint64_t done;
	uint64_t total;
};

static bool steps_count(void *context, uint64_t done, uint64_t total)
{
	struct steps *steps = context;

	CHECK(done >= steps->done);
	CHECK(done <= total);
	steps->done = done;
	steps->total = total;
	return steps->left-- > 0;
}

TEST(replay_model, progress_and_abort)
{
	enum { COUNT = 300000 };
	static char text[COUNT * 2];
	struct steps steps = {.left = 1000};
	struct replay_progress progress = {.step = steps_count, .context = &steps};
	struct replay_sequence sequence;
	struct replay_faults faults;
	struct replay_trace trace;

	for (unsigned i = 0; i < COUNT; i++) {
		text[2 * i] = (char)('0' + i % 7);
		text[2 * i + 1] = '\n';
	}
	replay_sequence_init(&sequence);
	CHECK_EQUAL(0, replay_trace_open(&trace, text, sizeof(text)));
	CHECK_EQUAL(0, replay_sequence_load(&sequence, &trace, &progress));
	CHECK_EQUAL(1000 - COUNT / 65536, steps.left);
	CHECK_EQUAL(sizeof(text), steps.total);
	steps = (struct steps){.left = 1000};
	CHECK_EQUAL(0, replay_model_run(&sequence, 3, &progress, &faults));
	CHECK_EQUAL(COUNT, steps.total);
	CHECK_EQUAL(COUNT, faults.lru);
	steps = (struct steps){.left = 2};
	CHECK_EQUAL(-EINTR, replay_model_run(&sequence, 3, &progress, &faults));
	CHECK_EQUAL(-EINVAL, replay_model_run(&sequence, 0, NULL, &faults));
	replay_sequence_destroy(&sequence);
	steps = (struct steps){.left = 2};
	CHECK_EQUAL(0, replay_trace_open(&trace, text, sizeof(text)));
	CHECK_EQUAL(-EINTR, replay_sequence_load(&sequence, &trace, &progress));
	replay_sequence_destroy(&sequence);
}
