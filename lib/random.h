/*
 * random.h: small generators, reproducible from their seed. Not for secrets.
 *
 * xorshift64: G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8
 * (2003), the triple 13, 7, 17; period 2^64 - 1. splitmix64: S. Vigna's public
 * domain generator; its mix is also a good hash of 64 bits.
 */
#pragma once

#include "lib/types.h"

/* Marsaglia's example seed, and what a seed of 0 (a fixed point) is replaced by. */
#define RANDOM_SEED 88172645463325252ull

struct random {
	uint64_t state;
};

static inline uint64_t splitmix64_mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
	return value ^ (value >> 31);
}

static inline uint64_t splitmix64_next(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return splitmix64_mix(*state);
}

/* The state is the seed itself. Neighbouring seeds: random_seed_mixed(). */
static inline void random_seed(struct random *random, uint64_t seed)
{
	random->state = seed != 0 ? seed : RANDOM_SEED;
}

/* For seeds 1, 2, 3, ...: their sequences have nothing in common from the start. */
static inline void random_seed_mixed(struct random *random, uint64_t seed)
{
	random_seed(random, splitmix64_next(&seed));
}

static inline uint64_t random_next(struct random *random)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return random->state;
}

/*
 * 0 ... limit - 1; 0 for limit 0. By multiplication (D. Lemire, "Fast Random
 * Integer Generation in an Interval", 2019): no division; the bias is below
 * limit / 2^64.
 */
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
	return (uint64_t)(((unsigned __int128)random_next(random) * limit) >> 64);
}
