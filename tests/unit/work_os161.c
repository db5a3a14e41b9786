/*
 * work_os161.c: the allocator tests km1 to km5 and the programs huge,
 * matmult, sort and parallelvm of OS/161 (David Holland and others, Harvard),
 * written anew from their description.
 */
#include "kernel/proc/program.h"
#include "lib/random.h"
#include "lib/string.h"
#include "tests/unit/work.h"

/* ---- km: threads of one process allocate, fill, verify, free --------------------- */

#define KM_THREADS 8u
#define KM_TRIES 400u
#define KM_LIVE 120u     /* blocks of a thread at a time ... */
#define KM_EXCHANGES 40u /* ... of which so many are replaced: each may be a fault or two */
#define KM_LARGE_TRIES 12u
#define KM_ALL_BLOCK MIB(1)
#define KM_ALL_MAX 1024u

static const unsigned km_sizes[] = {32, 41, 109, 86, 9};

struct km_block {
	uint8_t *bytes;
	unsigned size;
	uint8_t byte;
};

static bool km_alloc(struct km_block *block, unsigned size, uint64_t tag)
{
	block->bytes = work_malloc(size);
	block->size = size;
	block->byte = (uint8_t)splitmix64_mix(tag);
	if (block->bytes)
		memset(block->bytes, block->byte, size);
	return block->bytes;
}

/* A byte that another block's owner wrote shows here. */
static void km_free(struct km_block *block)
{
	CHECK_EQUAL(0, work_bytes_other_than(block->byte, block->bytes, block->size));
	work_free(block->bytes);
	block->bytes = NULL;
}

/* km1 and km2: always two blocks of 997 bytes, the older one freed. */
static void km_pairs(void *number)
{
	struct km_block blocks[2] = {{NULL, 0, 0}, {NULL, 0, 0}};

	for (unsigned i = 0; i < KM_TRIES; i++) {
		struct km_block *block = &blocks[i % 2];

		if (block->bytes)
			km_free(block);
		if (!km_alloc(block, 997, (uint64_t)number << 32 | i))
			return;
	}
	km_free(&blocks[0]);
	km_free(&blocks[1]);
}

PROCESS_TEST(work, km1_one_thread)
{
	km_pairs(NULL);
}

PROCESS_TEST(work, km2_threads)
{
	work_threads(KM_THREADS, km_pairs);
}

/* km3: many blocks of odd sizes; the record of them is pageable too. */
static void km_many(void *number)
{
	struct km_block *blocks = work_malloc(KM_LIVE * sizeof(*blocks));
	struct random random;

	if (!blocks)
		return;
	random_seed_mixed(&random, (uint64_t)number + 1);
	for (unsigned i = 0; i < KM_LIVE; i++)
		if (!km_alloc(&blocks[i], km_sizes[i % ARRAY_SIZE(km_sizes)],
			      (uint64_t)number << 32 | i))
			return;
	for (unsigned i = 0; i < KM_EXCHANGES; i++) {
		unsigned which = (unsigned)random_below(&random, KM_LIVE);

		km_free(&blocks[which]);
		if (!km_alloc(&blocks[which], km_sizes[i % ARRAY_SIZE(km_sizes)],
			      random_next(&random)))
			return;
	}
	for (unsigned i = 0; i < KM_LIVE; i++)
		km_free(&blocks[(i * 7) % KM_LIVE]);
	work_free(blocks);
}

STATIC_ASSERT(KM_LIVE % 7 != 0);

static int km_many_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	work_threads(KM_THREADS, km_many);
	return 0;
}

static void km_many_process(void)
{
	WORK_PROCESSES(1, km_many_main);
}

TEST(work, km3_odd_sizes)
{
	/* 192 blocks of each size make 18 pages, the records 8. */
	work_at_limits(28, km_many_process);
}

/* km4: blocks of several pages. */
static void km_large(void *number)
{
	struct km_block blocks[2] = {{NULL, 0, 0}, {NULL, 0, 0}};

	for (unsigned i = 0; i < KM_LARGE_TRIES; i++) {
		struct km_block *block = &blocks[i % 2];

		if (block->bytes)
			km_free(block);
		if (!km_alloc(block, (1 + (i + (unsigned)(uint64_t)number) % 5) * PAGE_SIZE,
			      (uint64_t)number << 32 | i))
			return;
	}
	km_free(&blocks[0]);
	km_free(&blocks[1]);
}

static int km_large_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	work_threads(KM_THREADS, km_large);
	return 0;
}

static void km_large_process(void)
{
	WORK_PROCESSES(1, km_large_main);
}

TEST(work, km4_several_pages)
{
	work_at_limits(KM_THREADS * 2 * 3, km_large_process);
}

/* Takes blocks until none is to be had, frees them; how many there were. */
static unsigned km_take_all(void)
{
	static void *blocks[KM_ALL_MAX];
	unsigned count = 0;

	while (count < KM_ALL_MAX && (blocks[count] = vmap_malloc(self_vmap(), KM_ALL_BLOCK)))
		count++;
	CHECK_ERRNO(ENOMEM);
	for (unsigned i = 0; i < count; i++)
		work_free(blocks[i]);
	return count;
}

PROCESS_TEST(work, km5_take_all_twice)
{
	uint64_t committed = self_vmap()->committed;
	unsigned count = km_take_all();

	if (count == KM_ALL_MAX)
		SKIP("memory and swap are more than %u MiB", KM_ALL_MAX);
	CHECK(count > 0);
	CHECK_EQUAL(count, km_take_all());
	CHECK_EQUAL(committed, self_vmap()->committed);
}

/* ---- huge: more pages than frames ---------------------------------------------- */

#define HUGE_PAGES 512u

static int huge_main(int argc, char **argv)
{
	volatile uint32_t(*pages)[PAGE_SIZE / 4] = work_malloc((uint64_t)HUGE_PAGES * PAGE_SIZE);
	unsigned wrong = 0;

	(void)argc, (void)argv;
	if (!pages)
		return 1;
	for (unsigned i = 0; i < HUGE_PAGES; i++)
		wrong += pages[i][0] != 0;
	for (unsigned i = 0; i < HUGE_PAGES; i++)
		pages[i][0] = i;
	for (unsigned i = 0; i < HUGE_PAGES; i++)
		wrong += pages[i][0] != i || pages[i][1] != 0;
	CHECK_EQUAL(0, wrong);
	work_free((void *)pages);
	return 0;
}

static void huge(void)
{
	WORK_PROCESSES(1, huge_main);
}

TEST(work, huge)
{
	work_at_limits(HUGE_PAGES, huge);
}

/* ---- matmult --------------------------------------------------------------------- */

#define MATRIX_SIDE 72
#define MATRIX_RIGHT 8772192 /* the trace: 72 times the squares of 0 .. 71 */

struct matmult {
	int a[MATRIX_SIDE][MATRIX_SIDE];
	int b[MATRIX_SIDE][MATRIX_SIDE];
	int c[MATRIX_SIDE][MATRIX_SIDE];
	int t[MATRIX_SIDE][MATRIX_SIDE][MATRIX_SIDE];
};

static int matmult_main(int argc, char **argv)
{
	struct matmult *m = work_malloc(sizeof(*m));
	int trace = 0;

	(void)argc, (void)argv;
	if (!m)
		return 1;
	for (int i = 0; i < MATRIX_SIDE; i++)
		for (int j = 0; j < MATRIX_SIDE; j++) {
			m->a[i][j] = i;
			m->b[i][j] = j;
		}
	for (int i = 0; i < MATRIX_SIDE; i++)
		for (int j = 0; j < MATRIX_SIDE; j++)
			for (int k = 0; k < MATRIX_SIDE; k++)
				m->t[i][j][k] = m->a[i][k] * m->b[k][j];
	for (int i = 0; i < MATRIX_SIDE; i++)
		for (int j = 0; j < MATRIX_SIDE; j++)
			for (int k = 0; k < MATRIX_SIDE; k++)
				m->c[i][j] += m->t[i][j][k];
	for (int i = 0; i < MATRIX_SIDE; i++)
		trace += m->c[i][i];
	CHECK_EQUAL(MATRIX_RIGHT, trace);
	work_free(m);
	return 0;
}

static void matmult(void)
{
	WORK_PROCESSES(1, matmult_main);
}

TEST(work, matmult)
{
	work_at_limits(DIV_ROUND_UP(sizeof(struct matmult), PAGE_SIZE), matmult);
}

/* ---- sort ------------------------------------------------------------------------ */

#define SORT_COUNT 147456u
#define SORT_HASH 0x286261cc5e1c8f7dull /* of the sorted bytes: computed apart from quire */

static void swap_numbers(uint32_t *a, uint32_t *b)
{
	uint32_t number = *a;

	*a = *b;
	*b = number;
}

/* C. A. R. Hoare, "Quicksort", 1962; the smaller part by recursion, so it is shallow. */
static void quicksort(uint32_t *numbers, int64_t low, int64_t high)
{
	while (low < high) {
		uint32_t pivot = numbers[low + (high - low) / 2];
		int64_t i = low, j = high;

		while (i <= j) {
			while (numbers[i] < pivot)
				i++;
			while (numbers[j] > pivot)
				j--;
			if (i <= j)
				swap_numbers(&numbers[i++], &numbers[j--]);
		}
		if (j - low < high - i) {
			quicksort(numbers, low, j);
			low = i;
		} else {
			quicksort(numbers, i, high);
			high = j;
		}
	}
}

static int sort_main(int argc, char **argv)
{
	uint32_t *numbers = work_malloc(SORT_COUNT * sizeof(*numbers));
	struct random random;

	(void)argc, (void)argv;
	if (!numbers)
		return 1;
	random_seed(&random, RANDOM_SEED);
	for (unsigned i = 0; i < SORT_COUNT; i++)
		numbers[i] = (uint32_t)(random_next(&random) >> 33);
	quicksort(numbers, 0, SORT_COUNT - 1);
	CHECK_EQUAL(SORT_HASH, work_hash(numbers, SORT_COUNT * sizeof(*numbers)));
	work_free(numbers);
	return 0;
}

static void sort(void)
{
	WORK_PROCESSES(1, sort_main);
}

TEST(work, sort)
{
	work_at_limits(SORT_COUNT * sizeof(uint32_t) / PAGE_SIZE, sort);
}

/* ---- parallelvm -------------------------------------------------------------------- */

#define JOBS 24u
#define JOB_SIDE 35u
#define JOB_MATRICES 11u

struct job {
	uint32_t factors[JOB_MATRICES][JOB_SIDE][JOB_SIDE];
	uint32_t products[2][JOB_SIDE][JOB_SIDE];
};

/* Traces of the products, modulo 2^32: computed apart from quire. */
static const uint32_t job_traces[JOBS] = {
	0x1af25945, 0xb4b73cfa, 0x5e34ff2b, 0xdf2fe860, 0x4408c323, 0x222a89ff,
	0x0c731fde, 0x29769438, 0x9b905cee, 0xee90d521, 0xe0ea1cf9, 0xcdde10ea,
	0x7f2e787f, 0xbb1c1079, 0x36347dcc, 0xd19a48ab, 0x403f88d5, 0x00886a46,
	0xdb12e06a, 0x43c3f9ad, 0x0c6b9b8d, 0x69c039fa, 0x58e6aed7, 0x0c6860ed,
};

static void job_fill(struct job *job, unsigned number)
{
	uint64_t count = JOB_MATRICES * JOB_SIDE * JOB_SIDE;
	uint32_t *elements = &job->factors[0][0][0];

	for (uint64_t i = 0; i < count; i++)
		elements[i] = (uint32_t)splitmix64_mix(number * count + i + 1);
}

static void job_multiply(uint32_t (*to)[JOB_SIDE], uint32_t (*a)[JOB_SIDE], uint32_t (*b)[JOB_SIDE])
{
	for (unsigned i = 0; i < JOB_SIDE; i++)
		for (unsigned j = 0; j < JOB_SIDE; j++) {
			uint32_t sum = 0;

			for (unsigned k = 0; k < JOB_SIDE; k++)
				sum += a[i][k] * b[k][j];
			to[i][j] = sum;
		}
}

static int job_main(int argc, char **argv)
{
	unsigned number = work_number(argc, argv);
	struct job *job = work_malloc(sizeof(*job));
	uint32_t trace = 0;

	if (!job)
		return 1;
	job_fill(job, number);
	memcpy(job->products[0], job->factors[0], sizeof(job->products[0]));
	for (unsigned m = 1; m < JOB_MATRICES; m++)
		job_multiply(job->products[m % 2], job->products[(m - 1) % 2], job->factors[m]);
	for (unsigned i = 0; i < JOB_SIDE; i++)
		trace += job->products[(JOB_MATRICES - 1) % 2][i][i];
	CHECK_EQUAL(job_traces[number % JOBS], trace);
	work_free(job);
	return 0;
}

static void parallelvm(void)
{
	WORK_PROCESSES(JOBS, job_main);
}

TEST(work, parallelvm)
{
	work_at_limits(JOBS * DIV_ROUND_UP(sizeof(struct job), PAGE_SIZE), parallelvm);
}
