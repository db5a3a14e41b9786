/*
 * work_pintos.c: the memory tests of Pintos's virtual-memory project (Ben
 * Pfaff and others, Stanford), written anew from their description:
 * page-linear, page-parallel, page-shuffle.
 */
#include "kernel/mm/reclaim.h"
#include "lib/rc4.h"
#include "lib/string.h"
#include "tests/unit/work.h"

#define LINEAR_BYTES MIB(2)
#define PARALLEL_BYTES MIB(1)
#define PARALLEL_PROCESSES 4u
#define SHUFFLE_BYTES KIB(128)
#define SHUFFLES 10u

static void encrypt(const char *key, uint8_t *block, uint64_t size_bytes)
{
	struct rc4 rc4;

	rc4_init(&rc4, key, strlen(key));
	rc4_crypt(&rc4, block, size_bytes);
}

static int linear_main(int argc, char **argv)
{
	uint8_t *block = work_malloc(LINEAR_BYTES);

	(void)argc, (void)argv;
	if (!block)
		return 1;
	memset(block, 0x5a, LINEAR_BYTES);
	CHECK_EQUAL(0, work_bytes_other_than(0x5a, block, LINEAR_BYTES));
	encrypt("foobar", block, LINEAR_BYTES);
	CHECK(work_bytes_other_than(0x5a, block, LINEAR_BYTES) > LINEAR_BYTES / 2);
	encrypt("foobar", block, LINEAR_BYTES);
	CHECK_EQUAL(0, work_bytes_other_than(0x5a, block, LINEAR_BYTES));
	work_free(block);
	return 0;
}

static void linear(void)
{
	WORK_PROCESSES(1, linear_main);
}

TEST(work, page_linear)
{
	work_at_limits(LINEAR_BYTES / PAGE_SIZE, linear);
}

/* Zeros, encrypted with the same key twice, are zeros. */
static int parallel_main(int argc, char **argv)
{
	static const char *const keys[PARALLEL_PROCESSES] = {"childA", "childB", "childC",
							     "childD"};
	const char *key = keys[work_number(argc, argv)];
	uint8_t *block = work_malloc(PARALLEL_BYTES);

	if (!block)
		return 1;
	encrypt(key, block, PARALLEL_BYTES);
	encrypt(key, block, PARALLEL_BYTES);
	CHECK_EQUAL(0, work_bytes_other_than(0, block, PARALLEL_BYTES));
	work_free(block);
	return 0;
}

static void parallel(void)
{
	WORK_PROCESSES(PARALLEL_PROCESSES, parallel_main);
}

TEST(work, page_parallel)
{
	work_at_limits(PARALLEL_PROCESSES * PARALLEL_BYTES / PAGE_SIZE, parallel);
}

/* Where every second access is a fault, fewer shuffles do. */
#define SHUFFLES_SHORT_OF_FRAMES 2u

/* Of the bytes before the first shuffle and after each: computed apart from quire. */
static const uint64_t shuffle_hashes[SHUFFLES + 1] = {
	0x07da28e87a482325, 0x54fc62bd97c71abb, 0x3148346b34f4911f, 0x0b3894cae1f2d273,
	0xeb5e84de74322d01, 0xebf55d7c8f724bf7, 0x90f04f1fdeb9a243, 0xf9534937ad5d934f,
	0x73611f53cc03f3bd, 0x960ab5bb00c1b929, 0x43d6b936f8f5f2dd,
};

/* R. Durstenfeld, "Algorithm 235: Random permutation", 1964. */
static void shuffle_bytes(uint8_t *bytes, uint64_t count, struct random *random)
{
	for (uint64_t i = count - 1; i > 0; i--) {
		uint64_t j = random_below(random, i + 1);
		uint8_t byte = bytes[i];

		bytes[i] = bytes[j];
		bytes[j] = byte;
	}
}

static int shuffle_main(int argc, char **argv)
{
	unsigned shuffles =
		reclaim_limit() < SHUFFLE_BYTES / PAGE_SIZE ? SHUFFLES_SHORT_OF_FRAMES : SHUFFLES;
	uint8_t *block = work_malloc(SHUFFLE_BYTES);
	struct random random;

	(void)argc, (void)argv;
	if (!block)
		return 1;
	random_seed(&random, RANDOM_SEED);
	for (uint64_t i = 0; i < SHUFFLE_BYTES; i++)
		block[i] = (uint8_t)(i * 257);
	CHECK_EQUAL(shuffle_hashes[0], work_hash(block, SHUFFLE_BYTES));
	for (unsigned i = 1; i <= shuffles; i++) {
		shuffle_bytes(block, SHUFFLE_BYTES, &random);
		CHECK_EQUAL(shuffle_hashes[i], work_hash(block, SHUFFLE_BYTES));
	}
	work_free(block);
	return 0;
}

static void shuffle(void)
{
	WORK_PROCESSES(1, shuffle_main);
}

TEST(work, page_shuffle)
{
	work_at_limits(SHUFFLE_BYTES / PAGE_SIZE, shuffle);
}
