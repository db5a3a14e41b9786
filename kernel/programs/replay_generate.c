/*
 * replay_generate.c: see replay_generate.h.
 *
 * Zipf's law needs i^-0.99, and there is no floating point here. In fixed point
 * of 32 binary digits, i^-0.99 = exp(ln(i) / 100) / i: the logarithm to base 2 by
 * squaring, a binary digit each time (Knuth, "The Art of Computer Programming",
 * volume 1, section 1.2.2, exercise 25), the exponential by four terms of its
 * series, as its argument is below 0.1. A page is drawn by bisection in the sums.
 */
#include "kernel/programs/replay_generate.h"

#include "lib/errno.h"
#include "lib/random.h"
#include "lib/string.h"

#define PAGES 16384u
#define REFERENCES (16 * PAGES)
#define HOT_PAGES (PAGES / 4)
#define SCAN_PAGES (PAGES / 2)

#define ONE (1ull << 32)   /* in fixed point */
#define LN_2 2977044472ull /* ln(2) * ONE */

static int add(struct replay_sequence *sequence, uint64_t page, bool store)
{
	struct replay_reference reference = {.page = page, .store = store};

	return replay_sequence_add(sequence, &reference);
}

static int sweeps(struct replay_sequence *sequence)
{
	int error = 0;

	for (uint64_t i = 0; i < REFERENCES && error == 0; i++)
		error = add(sequence, i % PAGES, false);
	return error;
}

static int uniform(struct replay_sequence *sequence)
{
	struct random random;
	int error = 0;

	random_seed(&random, RANDOM_SEED);
	for (uint64_t i = 0; i < REFERENCES && error == 0; i++)
		error = add(sequence, random_below(&random, PAGES), false);
	return error;
}

static uint64_t log2_fixed(uint64_t number)
{
	unsigned whole = 63u - (unsigned)__builtin_clzll(number);
	uint64_t mantissa = (number << 32) >> whole; /* 1 <= mantissa / ONE < 2 */
	uint64_t result = (uint64_t)whole << 32;

	for (uint64_t digit = ONE / 2; digit > 0; digit /= 2) {
		mantissa = (uint64_t)((unsigned __int128)mantissa * mantissa >> 32);
		if (mantissa >= 2 * ONE) {
			mantissa /= 2;
			result |= digit;
		}
	}
	return result;
}

/* rank^-0.99, ONE for the first. */
static uint64_t zipf_weight(uint64_t rank)
{
	uint64_t x = (uint64_t)((unsigned __int128)log2_fixed(rank) * LN_2 >> 32) / 100;
	uint64_t square = x * x >> 32;
	uint64_t cube = square * x >> 32;

	return (ONE + x + square / 2 + cube / 6) / rank;
}

static uint64_t sum_at(const struct page_array *sums, uint64_t page)
{
	return *(const uint64_t *)page_array_get(sums, page);
}

/* The first page whose sum is above the number. */
static uint64_t bisect(const struct page_array *sums, uint64_t number)
{
	uint64_t low = 0, high = PAGES - 1;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (sum_at(sums, middle) > number)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int zipf(struct replay_sequence *sequence)
{
	struct page_array sums = PAGE_ARRAY_INIT(sizeof(uint64_t));
	struct random random;
	uint64_t sum = 0;
	int error = 0;

	for (uint64_t page = 0; page < PAGES && error == 0; page++) {
		uint64_t *place = page_array_make(&sums, page);

		sum += zipf_weight(page + 1);
		if (place)
			*place = sum;
		else
			error = -ENOMEM;
	}
	random_seed(&random, RANDOM_SEED);
	for (uint64_t i = 0; i < REFERENCES && error == 0; i++) {
		uint64_t page = bisect(&sums, random_below(&random, sum));

		error = add(sequence, page, random_next(&random) >> 63);
	}
	page_array_destroy(&sums);
	return error;
}

/* By turns HOT_PAGES references to the hot pages, and a scan that goes on where it stopped. */
static int scans(struct replay_sequence *sequence)
{
	struct random random;
	uint64_t scanned = 0;
	int error = 0;

	random_seed(&random, RANDOM_SEED);
	for (uint64_t i = 0; i < REFERENCES && error == 0; i++) {
		uint64_t page;

		if (i % (HOT_PAGES + SCAN_PAGES) < HOT_PAGES)
			page = random_below(&random, HOT_PAGES);
		else
			page = HOT_PAGES + scanned++ % (PAGES - HOT_PAGES);
		error = add(sequence, page, false);
	}
	return error;
}

const struct replay_generator replay_generators[] = {
	{"sweeps", "all pages in order, over and over", sweeps},
	{"uniform", "any page, each as likely", uniform},
	{"zipf", "page i as often as 1 / i^0.99, half of it stores", zipf},
	{"scans", "a hot quarter at random, and scans through the others", scans},
};
const unsigned replay_generator_count = ARRAY_SIZE(replay_generators);

const struct replay_generator *replay_generator_find(const char *name)
{
	for (unsigned i = 0; i < replay_generator_count; i++)
		if (strcmp(replay_generators[i].name, name) == 0)
			return &replay_generators[i];
	return NULL;
}
