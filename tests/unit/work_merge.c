/*
 * work_merge.c: Pintos's page-merge-seq and page-merge-par, written anew.
 *
 *   merger: 512 KiB of RC4 bytes --chunk--> a process sorts it --chunk--> merger
 *           merges the 16 sorted chunks, compares with the histogram
 *
 * Chunks pass through pages of the kernel, by the lab's copies: in quire no
 * process can write to another.
 */
#include "kernel/mm/kernel_pages.h"
#include "kernel/proc/program.h"
#include "lib/rc4.h"
#include "lib/string.h"
#include "tests/unit/work.h"

#define CHUNKS 16u
#define CHUNK_PAGES 8u
#define CHUNK_BYTES ((uint64_t)CHUNK_PAGES * PAGE_SIZE)
#define TOTAL_BYTES (CHUNKS * CHUNK_BYTES)
#define BYTE_VALUES 256u

static void *mail[CHUNKS][CHUNK_PAGES]; /* each chunk on its way */

static bool mail_alloc(void)
{
	bool all = true;

	for (unsigned i = 0; i < CHUNKS * CHUNK_PAGES; i++) {
		void **page = &mail[i / CHUNK_PAGES][i % CHUNK_PAGES];

		*page = kernel_page_alloc();
		all = all && *page;
	}
	return CHECK(all);
}

static void mail_free(void)
{
	for (unsigned i = 0; i < CHUNKS * CHUNK_PAGES; i++)
		if (mail[i / CHUNK_PAGES][i % CHUNK_PAGES])
			kernel_page_free(mail[i / CHUNK_PAGES][i % CHUNK_PAGES]);
}

static void chunk_send(unsigned chunk, uint8_t *from)
{
	for (unsigned i = 0; i < CHUNK_PAGES; i++)
		CHECK_ERROR(0, vmap_copy_from_memory(self_vmap(), mail[chunk][i],
						     from + i * PAGE_SIZE, PAGE_SIZE));
}

static void chunk_receive(unsigned chunk, uint8_t *to)
{
	for (unsigned i = 0; i < CHUNK_PAGES; i++)
		CHECK_ERROR(0, vmap_copy_to_memory(self_vmap(), to + i * PAGE_SIZE, mail[chunk][i],
						   PAGE_SIZE));
}

static void histogram_make(uint64_t *histogram, const uint8_t *bytes, uint64_t count)
{
	memset(histogram, 0, BYTE_VALUES * sizeof(*histogram));
	for (uint64_t i = 0; i < count; i++)
		histogram[bytes[i]]++;
}

/* Sorts its chunk by counting. */
static int sorter_main(int argc, char **argv)
{
	unsigned chunk = work_number(argc, argv);
	uint64_t histogram[BYTE_VALUES];
	uint8_t *block = work_malloc(CHUNK_BYTES);
	uint8_t *at = block;

	if (!block)
		return 1;
	chunk_receive(chunk, block);
	histogram_make(histogram, block, CHUNK_BYTES);
	for (unsigned value = 0; value < BYTE_VALUES; value++) {
		memset(at, (int)value, histogram[value]);
		at += histogram[value];
	}
	chunk_send(chunk, block);
	work_free(block);
	return 0;
}

/* The sorted chunks of `from` become one sorted run in `to`. */
static void merge(uint8_t *to, const uint8_t *from)
{
	uint64_t taken[CHUNKS] = {0};

	for (uint64_t i = 0; i < TOTAL_BYTES; i++) {
		unsigned best = CHUNKS;

		for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
			if (taken[chunk] < CHUNK_BYTES &&
			    (best == CHUNKS || from[chunk * CHUNK_BYTES + taken[chunk]] <
						       from[best * CHUNK_BYTES + taken[best]]))
				best = chunk;
		}
		if (best == CHUNKS)
			return; /* all are taken */
		to[i] = from[best * CHUNK_BYTES + taken[best]++];
	}
}

static void verify(const uint8_t *sorted, const uint64_t *histogram)
{
	uint64_t wrong = 0, at = 0;

	for (unsigned value = 0; value < BYTE_VALUES; value++)
		for (uint64_t i = 0; i < histogram[value]; i++)
			wrong += sorted[at++] != value;
	CHECK_EQUAL(TOTAL_BYTES, at);
	CHECK_EQUAL(0, wrong);
}

enum order { SEQUENTIAL, PARALLEL };

static void sort_chunks(enum order order)
{
	char *argv[] = {"0"};

	if (order == PARALLEL) {
		WORK_PROCESSES(CHUNKS, sorter_main);
		return;
	}
	for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
		char number[] = {(char)('0' + chunk / 10), (char)('0' + chunk % 10), '\0'};

		argv[0] = number;
		CHECK_ENDS(FAULT_OK, 0, sorter_main, 1, argv);
	}
}

static int merger(enum order order)
{
	uint64_t histogram[BYTE_VALUES];
	uint8_t *chunks = work_malloc(TOTAL_BYTES);
	uint8_t *sorted = work_malloc(TOTAL_BYTES);
	struct rc4 rc4;

	if (!chunks || !sorted)
		return 1;
	rc4_init(&rc4, "foobar", 6);
	rc4_crypt(&rc4, chunks, TOTAL_BYTES);
	histogram_make(histogram, chunks, TOTAL_BYTES);
	for (unsigned chunk = 0; chunk < CHUNKS; chunk++)
		chunk_send(chunk, chunks + chunk * CHUNK_BYTES);
	sort_chunks(order);
	for (unsigned chunk = 0; chunk < CHUNKS; chunk++)
		chunk_receive(chunk, chunks + chunk * CHUNK_BYTES);
	merge(sorted, chunks);
	verify(sorted, histogram);
	work_free(sorted);
	work_free(chunks);
	return 0;
}

static int merger_seq_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	return merger(SEQUENTIAL);
}

static int merger_par_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	return merger(PARALLEL);
}

static void merge_seq(void)
{
	WORK_PROCESSES(1, merger_seq_main);
}

static void merge_par(void)
{
	WORK_PROCESSES(1, merger_par_main);
}

TEST(work, page_merge_seq)
{
	if (mail_alloc())
		work_at_limits(2 * TOTAL_BYTES / PAGE_SIZE, merge_seq);
	mail_free();
}

TEST(work, page_merge_par)
{
	if (mail_alloc())
		work_at_limits(3 * TOTAL_BYTES / PAGE_SIZE, merge_par);
	mail_free();
}
