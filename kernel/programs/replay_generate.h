/*
 * replay_generate.h: reference sequences that are made, not read: the patterns
 * on which replacement policies differ most. They are the same each time.
 *
 *   sweeps    all pages in order, over and over: LRU's worst case
 *   uniform   any page, each as likely: no policy can do better than another
 *   zipf      page i as often as 1 / i^0.99, half of the references stores
 *   scans     a hot quarter at random, and now and then a scan through others
 */
#pragma once

#include "kernel/programs/replay_sequence.h"

struct replay_generator {
	const char *name;
	const char *summary;
	/* Adds the references. 0, -ENOMEM or -EFBIG. */
	int (*generate)(struct replay_sequence *sequence);
};

extern const struct replay_generator replay_generators[];
extern const unsigned replay_generator_count;

/* The generator of that name, or NULL. */
const struct replay_generator *replay_generator_find(const char *name);
