/*
 * pattern.h: four patterns of references to pages, twice as many as there are
 * frames. The same for quire and for the peer that it is measured beside
 * (tests/peer): no tables, no division, the same sequence from the same seed.
 *
 * sequential  sweeps over all pages, from the first to the last; stores
 * uniform     any page; stores
 * zipf        page of rank k with probability k^-0.99; every other one a store
 * hot         by turns PATTERN_ROUND stores anywhere in a quarter of the pages,
 *             and loads of as many others, in order, that go on where the last ended
 *
 * Before the first reference all pages are to be stored to once, in order.
 */
#pragma once

#include "lib/random.h"

#define PATTERN_PAGES_SHIFT 14
#define PATTERN_PAGES (1u << PATTERN_PAGES_SHIFT)
#define PATTERN_FRAMES (PATTERN_PAGES / 2)
#define PATTERN_ROUND (PATTERN_PAGES / 4)

enum pattern_kind { PATTERN_SEQUENTIAL, PATTERN_UNIFORM, PATTERN_ZIPF, PATTERN_HOT, PATTERNS };

struct pattern {
	enum pattern_kind kind;
	struct random random;
	uint32_t count; /* references made so far */
	uint32_t scan;  /* hot: the pages scanned so far */
};

struct reference {
	uint32_t page; /* below PATTERN_PAGES */
	bool is_store;
};

static inline const char *pattern_name(enum pattern_kind kind)
{
	static const char *const names[PATTERNS] = {"sequential", "uniform", "zipf", "hot"};

	return names[kind];
}

/* How many references are measured: three sweeps; elsewhere enough for some 10,000 faults. */
static inline uint32_t pattern_references(enum pattern_kind kind)
{
	static const uint32_t times[PATTERNS] = {3, 4, 8, 4};

	return times[kind] * PATTERN_PAGES;
}

static inline void pattern_begin(struct pattern *pattern, enum pattern_kind kind)
{
	*pattern = (struct pattern){.kind = kind};
	random_seed(&pattern->random, RANDOM_SEED);
}

/*
 * A rank from 0 on. The integral of x^-0.99 over [k - 1/2, k + 1/2] stands for
 * k^-0.99 (a tenth too much for k = 1, 2 % for 2, less beyond); its inverse is
 * x = (1 + u * (b^0.01 - 1))^100 / 2, u uniform in [0, 1), b = 2 * pages + 1.
 * All numbers have 48 bits behind the point, and 100 is 1100100 in binary.
 */
static inline uint32_t pattern_zipf_rank(struct random *random)
{
	const uint64_t one = 1ull << 48;
	const uint64_t span = 30841159908348ull; /* (32769^0.01 - 1) * 2^48 */
	uint64_t u = random_next(random) >> 16;
	uint64_t base = one + (uint64_t)(((unsigned __int128)u * span) >> 48);
	uint64_t power = one;

	for (unsigned bit = 64; bit > 0; bit >>= 1) {
		power = (uint64_t)(((unsigned __int128)power * power) >> 48);
		if (100 & bit)
			power = (uint64_t)(((unsigned __int128)power * base) >> 48);
	}
	return (uint32_t)(((power >> 1) - (one >> 1)) >> 48);
}

/* Neighbouring ranks lie far apart: an odd factor makes a permutation. */
static inline uint32_t pattern_scatter(uint32_t rank)
{
	return rank * 40503u & (PATTERN_PAGES - 1);
}

static inline struct reference pattern_hot_next(struct pattern *pattern)
{
	uint32_t quarter;

	if (pattern->count / PATTERN_ROUND % 2 == 0) {
		quarter = (uint32_t)random_below(&pattern->random, PATTERN_PAGES / 4);
		return (struct reference){4 * quarter, true};
	}
	quarter = pattern->scan / 3 % (PATTERN_PAGES / 4);
	return (struct reference){4 * quarter + 1 + pattern->scan++ % 3, false};
}

static inline struct reference pattern_next(struct pattern *pattern)
{
	struct reference reference = {0, true};

	switch (pattern->kind) {
	case PATTERN_UNIFORM:
		reference.page = (uint32_t)random_below(&pattern->random, PATTERN_PAGES);
		break;
	case PATTERN_ZIPF:
		reference.page = pattern_scatter(pattern_zipf_rank(&pattern->random));
		reference.is_store = pattern->count % 2 == 0;
		break;
	case PATTERN_HOT:
		reference = pattern_hot_next(pattern);
		break;
	default:
		reference.page = pattern->count % PATTERN_PAGES;
	}
	pattern->count++;
	return reference;
}
