/*
 * memory.c: memory that is touched, copied on write, and given back, while there
 * is plenty: what tests/bench/bench_memory.c and bench_block.c measure of quire.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/random.h"
#include "tests/bench/churn.h"
#include "tests/peer/peer.h"

static void touch(volatile uint8_t *block, size_t page_count)
{
	for (size_t page = 0; page < page_count; page++)
		block[page * PAGE_SIZE] = 1;
}

/* Beyond what the same stores cost when nothing is left to do. */
static uint64_t touch_cost(uint8_t *block, size_t page_count)
{
	uint64_t before = peer_tsc();
	uint64_t first;

	touch(block, page_count);
	first = peer_tsc() - before;
	before = peer_tsc();
	touch(block, page_count);
	return first - (peer_tsc() - before);
}

static void first_touch_and_free(void)
{
	uint8_t *block = peer_map(CHURN_TOUCH_PAGES);
	uint64_t before;

	peer_print("first-touch", touch_cost(block, CHURN_TOUCH_PAGES), CHURN_TOUCH_PAGES);
	before = peer_tsc();
	peer_unmap(block, CHURN_TOUCH_PAGES);
	peer_print("free-page", peer_tsc() - before, CHURN_TOUCH_PAGES);
}

static uint8_t *block_make(size_t page_count)
{
	uint8_t *block = peer_map(page_count);

	touch(block, page_count);
	return block;
}

static void map_touch_unmap(const char *name, size_t page_count)
{
	uint64_t before;

	peer_unmap(block_make(page_count), page_count);
	before = peer_tsc();
	for (unsigned i = 0; i < CHURN_ROUNDS; i++)
		peer_unmap(block_make(page_count), page_count);
	peer_print(name, peer_tsc() - before, CHURN_ROUNDS);
}

static void random_replace(void)
{
	static uint8_t *live[CHURN_LIVE];
	struct random random;
	uint64_t before;

	for (unsigned i = 0; i < CHURN_LIVE; i++)
		live[i] = block_make(CHURN_PAGES);
	random_seed(&random, RANDOM_SEED);
	before = peer_tsc();
	for (unsigned i = 0; i < CHURN_ROUNDS; i++) {
		uint8_t **block = &live[random_below(&random, CHURN_LIVE)];

		peer_unmap(*block, CHURN_PAGES);
		*block = block_make(CHURN_PAGES);
	}
	peer_print("random-replace-16", peer_tsc() - before, CHURN_ROUNDS);
	for (unsigned i = 0; i < CHURN_LIVE; i++)
		peer_unmap(live[i], CHURN_PAGES);
}

static uint8_t *shared_with_parent;

static void store_to_copies(void)
{
	peer_print("copy-on-write", touch_cost(shared_with_parent, CHURN_TOUCH_PAGES),
		   CHURN_TOUCH_PAGES);
}

void peer_memory(void)
{
	first_touch_and_free();
	map_touch_unmap("malloc-touch-free-1", 1);
	map_touch_unmap("malloc-touch-free-16", 16);
	random_replace();
	shared_with_parent = block_make(CHURN_TOUCH_PAGES);
	peer_child(store_to_copies);
}
