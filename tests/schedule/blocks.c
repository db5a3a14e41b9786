/*
 * blocks.c: vmap_malloc, vmap_free and the copies against each other and
 * against eviction.
 */
#include "kernel/proc/program.h"
#include "lib/string.h"
#include "tests/schedule/scenario.h"

#define BLOCKS 6u
#define PARTS_MAX 4u

static char *blocks[BLOCKS];
static unsigned parts;

/* ---- 03 -------------------------------------------------------------------------- */

static void frees_or_evicts(void *number)
{
	scenario_meet();
	if ((uint64_t)number == 0)
		for (unsigned i = 0; i < BLOCKS; i++)
			work_free(blocks[i]);
	else
		scenario_evict(BLOCKS);
}

static int freed_and_evicted(int argc, char **argv)
{
	uint64_t slots = swap_read_counts().used;
	struct vmap_usage before, after;

	(void)argc, (void)argv;
	vmap_usage(self_vmap(), &before);
	for (unsigned i = 0; i < BLOCKS; i++) {
		blocks[i] = work_malloc(PAGE_SIZE);
		test_pages_fill((vaddr_t)blocks[i], 1, i);
	}
	scenario_evict(BLOCKS / 2); /* some are away already, some come back with their slot */
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)blocks[0], 1, 0));
	work_threads(parts, frees_or_evicts);
	vmap_usage(self_vmap(), &after);
	CHECK_EQUAL(before.resident, after.resident);
	CHECK_EQUAL(before.swapped, after.swapped);
	CHECK_EQUAL(slots, swap_read_counts().used);
	for (unsigned i = 0; i < BLOCKS; i++)
		CHECK_EQUAL(0, work_bytes_other_than(0, work_malloc(PAGE_SIZE), PAGE_SIZE));
	return 0;
}

SCENARIO(03, eviction_against_free)
{
	NEED_SLOTS(4 * BLOCKS);
	parts = scenario_parts(3);
	scenario_expect(parts);
	CHECK_EXITS(0, freed_and_evicted);
}

/* ---- 04 -------------------------------------------------------------------------- */

#define COPY_PAGES 2u
#define COPY_BYTES (COPY_PAGES * PAGE_SIZE)
#define COPY_WORDS (COPY_BYTES / 8)
#define WORD_STEP 128u /* words that are written: four a page */
#define WRITES 4u

static uint64_t copied[COPY_WORDS];
static uint64_t writes_done; /* atomic: each word has been written so often */

static uint64_t word_value(unsigned word, uint64_t writes)
{
	return 0xc0b1e50000000000ull + ((uint64_t)word << 16) + writes;
}

static void writes_words(void)
{
	for (uint64_t writes = 1; writes <= WRITES; writes++) {
		for (unsigned word = 0; word < COPY_WORDS; word += WORD_STEP)
			test_store((vaddr_t)blocks[0] + word * 8, word_value(word, writes));
		__atomic_store_n(&writes_done, writes, __ATOMIC_SEQ_CST);
		schedule_point();
	}
}

static void copies_words(void)
{
	for (unsigned i = 0; i < WRITES; i++) {
		uint64_t done = __atomic_load_n(&writes_done, __ATOMIC_SEQ_CST);

		CHECK_ERROR(0, vmap_copy_from_memory(self_vmap(), copied, blocks[0], COPY_BYTES));
		for (unsigned word = 0; word < COPY_WORDS; word++) {
			uint64_t value = copied[word];

			if (word % WORD_STEP)
				CHECK_EQUAL(0, value);
			else if (value < word_value(word, done) || value > word_value(word, WRITES))
				FAIL("word %u is %p after %lu writes", word, (void *)value, done);
		}
	}
}

static void writes_copies_evicts(void *number)
{
	scenario_meet();
	switch ((uint64_t)number) {
	case 0:
		writes_words();
		break;
	case 1:
		copies_words();
		break;
	default:
		scenario_evict(BLOCKS);
	}
}

static int copied_and_evicted(int argc, char **argv)
{
	(void)argc, (void)argv;
	blocks[0] = work_malloc(COPY_BYTES);
	for (unsigned word = 0; word < COPY_WORDS; word += WORD_STEP)
		test_store((vaddr_t)blocks[0] + word * 8, word_value(word, 0));
	writes_done = 0;
	work_threads(3, writes_copies_evicts);
	return 0;
}

/* Has pages of its own that want the frames of others. */
static int churns(int argc, char **argv)
{
	vaddr_t own = (vaddr_t)work_malloc(BLOCKS * PAGE_SIZE);

	(void)argc, (void)argv;
	scenario_meet();
	test_pages_fill(own, BLOCKS, 1);
	CHECK_EQUAL(0, test_pages_verify(own, BLOCKS, 1));
	return 0;
}

SCENARIO(04, eviction_against_copy_from)
{
	pid_t pid;

	NEED_SLOTS(8 * BLOCKS);
	test_limit_set(BLOCKS);
	scenario_expect(4);
	pid = SPAWN(churns, 0, NULL);
	CHECK_EXITS(0, copied_and_evicted);
	CHECK_ENDED(FAULT_OK, 0, pid);
}

/* ---- 05 -------------------------------------------------------------------------- */

static vaddr_t next; /* blocks that get the frames of the one that is freed */

static void frees_and_reuses(void)
{
	work_free(blocks[0]);
	for (unsigned i = 0; i < COPY_PAGES; i++) {
		CHECK_EQUAL(0, test_load(next + i * PAGE_SIZE));
		test_store(next + i * PAGE_SIZE, i + 1);
		schedule_point();
	}
	for (unsigned i = 0; i < COPY_PAGES; i++) {
		thread_yield();
		CHECK_EQUAL(i + 1, test_load(next + i * PAGE_SIZE));
	}
}

static void copies_to(void)
{
	int result = vmap_copy_to_memory(self_vmap(), blocks[0], copied, COPY_BYTES);

	CHECK(result == 0 || result == -EFAULT);
}

/* Without a lock, as any program may: into the page, or a fault, never into the next one's. */
static void stores_to(void)
{
	for (unsigned i = 0; i < COPY_PAGES * 4; i++) {
		int result = scenario_try_store((vaddr_t)blocks[0] + i % COPY_PAGES * PAGE_SIZE,
						0xbadbadbad);

		CHECK(result == 0 || result == -EFAULT);
	}
}

static void frees_copies_stores(void *number)
{
	scenario_meet();
	switch ((uint64_t)number) {
	case 0:
		frees_and_reuses();
		break;
	case 1:
		copies_to();
		break;
	default:
		stores_to();
	}
}

static int freed_and_copied_to(int argc, char **argv)
{
	(void)argc, (void)argv;
	blocks[0] = work_malloc(COPY_BYTES);
	next = (vaddr_t)work_malloc(COPY_BYTES);
	for (unsigned i = 0; i < COPY_WORDS; i++)
		copied[i] = 0xbadbadbad;
	test_pages_fill((vaddr_t)blocks[0], COPY_PAGES, 1);
	work_threads(3, frees_copies_stores);
	for (unsigned i = 0; i < COPY_WORDS; i++)
		if (test_load(next + i * 8) != (i % 512 ? 0 : i / 512 + 1))
			FAIL("word %u of the next block is %p", i, (void *)test_load(next + i * 8));
	return 0;
}

SCENARIO(05, free_against_copy_to)
{
	scenario_expect(3);
	CHECK_EXITS(0, freed_and_copied_to);
}

/* ---- 08 -------------------------------------------------------------------------- */

static int answers[PARTS_MAX][BLOCKS];

static void frees_all(void *number)
{
	uint64_t thread = (uint64_t)number;

	scenario_meet();
	for (unsigned i = 0; i < BLOCKS; i++) {
		vmap_free(self_vmap(), blocks[i]);
		answers[thread][i] = *vmap_errno();
	}
}

/* Blocks of a part of a page, of a page and of several, touched and not. */
static const int sizes[BLOCKS] = {16, 16, PAGE_SIZE, PAGE_SIZE, 3 * PAGE_SIZE, 2048};

static int freed_twice(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (unsigned i = 0; i < BLOCKS; i++) {
		blocks[i] = work_malloc((uint64_t)sizes[i]);
		if (i % 2)
			test_store((vaddr_t)blocks[i], 1);
	}
	work_threads(parts, frees_all);
	for (unsigned i = 0; i < BLOCKS; i++) {
		unsigned freed = 0;

		for (unsigned thread = 0; thread < parts; thread++) {
			freed += answers[thread][i] == 0;
			CHECK(answers[thread][i] == 0 || answers[thread][i] == EINVAL);
		}
		CHECK_EQUAL(1, freed);
	}
	return 0;
}

SCENARIO(08, double_free)
{
	parts = scenario_parts(PARTS_MAX);
	scenario_expect(parts);
	CHECK_EXITS(0, freed_twice);
}

/* ---- 21 -------------------------------------------------------------------------- */

#define STORM_ROUNDS 6u
#define HELD 3u /* blocks that a thread has at once */

static uint64_t own_mark(uint64_t thread, unsigned round, unsigned i)
{
	return 0x0b10c00000000000ull + (thread << 32) + (round << 16) + i;
}

/* Its first and its last word: whoever overlaps it hits one of the two. */
static void block_mark(char *data, int size, uint64_t value)
{
	test_store((vaddr_t)data, value);
	test_store((vaddr_t)data + (vaddr_t)size - 8, value);
}

static void block_check(const char *data, int size, uint64_t value)
{
	CHECK_EQUAL(value, test_load((vaddr_t)data));
	CHECK_EQUAL(value, test_load((vaddr_t)data + (vaddr_t)size - 8));
}

static void mallocs_and_frees(void *number)
{
	uint64_t thread = (uint64_t)number;
	char *held[HELD];

	scenario_meet();
	for (unsigned round = 0; round < STORM_ROUNDS; round++) {
		for (unsigned i = 0; i < HELD; i++) {
			held[i] = work_malloc((uint64_t)sizes[(round + i) % BLOCKS]);
			block_mark(held[i], sizes[(round + i) % BLOCKS],
				   own_mark(thread, round, i));
		}
		for (unsigned i = 0; i < HELD; i++) {
			block_check(held[i], sizes[(round + i) % BLOCKS],
				    own_mark(thread, round, i));
			work_free(held[i]);
		}
	}
}

static int storm(int argc, char **argv)
{
	struct vmap_usage before, after;

	(void)argc, (void)argv;
	vmap_usage(self_vmap(), &before);
	work_threads(parts, mallocs_and_frees);
	vmap_usage(self_vmap(), &after);
	CHECK_EQUAL(before.committed, after.committed);
	return 0;
}

SCENARIO(21, malloc_and_free_at_full_speed)
{
	parts = scenario_parts(PARTS_MAX);
	scenario_expect(parts);
	CHECK_EXITS(0, storm);
}
