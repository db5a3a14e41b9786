/*
 * work_xv6.c: of xv6's usertests (Russ Cox, Frans Kaashoek, Robert Morris and
 * others, MIT), written anew: memory is exhausted, freed and had again; fresh
 * pages are zero; many failing calls leave nothing behind.
 */
#include <limits.h>

#include "arch/x86_64/layout.h"
#include "kernel/proc/program.h"
#include "lib/string.h"
#include "tests/unit/work.h"

/* ---- mem: exhaust, free, again ------------------------------------------------- */

#define BALLAST_BYTES MIB(1)
#define BALLAST_MAX 1024u
#define BALLAST_SPARE 4u /* blocks given back, for the list: some hundred blocks of it */
#define LIST_BYTES 10001

struct link {
	struct link *next;
	uint64_t stamp;
};

static uint64_t link_stamp(const struct link *link)
{
	return splitmix64_mix((uint64_t)link);
}

/* A list of blocks until there is no memory: how many. */
static unsigned list_make(struct link **first)
{
	struct link *link;
	unsigned count = 0;

	*first = NULL;
	while ((link = vmap_malloc(self_vmap(), LIST_BYTES))) {
		link->next = *first;
		link->stamp = link_stamp(link);
		*first = link;
		count++;
	}
	CHECK_ERRNO(ENOMEM);
	return count;
}

/* Frees the list; how many blocks it still had. */
static unsigned list_free(struct link *first)
{
	unsigned count = 0;

	while (first && CHECK_EQUAL(link_stamp(first), first->stamp)) {
		struct link *next = first->next;

		work_free(first);
		first = next;
		count++;
	}
	return count;
}

/*
 * Most of memory is promised to blocks that nobody touches, so that the rest is
 * exhausted in a moment; the record of them is the kernel's.
 */
static int mem_main(int argc, char **argv)
{
	static void *ballast[BALLAST_MAX];
	unsigned ballast_count = 0;
	unsigned counts[2];
	struct link *first;

	(void)argc, (void)argv;
	while (ballast_count < BALLAST_MAX &&
	       (ballast[ballast_count] = vmap_malloc(self_vmap(), BALLAST_BYTES)))
		ballast_count++;
	for (unsigned i = 0; i < BALLAST_SPARE && ballast_count > 0; i++)
		work_free(ballast[--ballast_count]);
	for (unsigned i = 0; i < 2; i++) {
		counts[i] = list_make(&first);
		CHECK(counts[i] > 0);
		CHECK_EQUAL(counts[i], list_free(first));
	}
	CHECK_EQUAL(counts[0], counts[1]);
	while (ballast_count > 0)
		work_free(ballast[--ballast_count]);
	work_free(work_malloc((uint64_t)LIST_BYTES * 2));
	return 0;
}

static void mem(void)
{
	WORK_PROCESSES(1, mem_main);
}

TEST(work, exhaust_free_again)
{
	work_at_limits(512, mem);
}

/* ---- fresh pages are zero ------------------------------------------------------- */

#define FRESH_PAGES 256u
#define FRESH_BYTES ((uint64_t)FRESH_PAGES * PAGE_SIZE)

/* What the one before left in frames and slots must not be seen. */
static int fresh_main(int argc, char **argv)
{
	uint8_t *block;

	(void)argc, (void)argv;
	for (unsigned round = 0; round < 2; round++) {
		block = work_malloc(FRESH_BYTES);
		if (!block)
			return 1;
		CHECK_EQUAL(0, work_bytes_other_than(0, block, FRESH_BYTES));
		memset(block, 0xff, FRESH_BYTES);
		CHECK_EQUAL(0, work_bytes_other_than(0xff, block, FRESH_BYTES));
		work_free(block);
	}
	return 0;
}

static void fresh(void)
{
	WORK_PROCESSES(1, fresh_main);
	WORK_PROCESSES(2, fresh_main);
}

TEST(work, fresh_pages_are_zero)
{
	work_at_limits(2 * FRESH_PAGES, fresh);
}

/* ---- 50,000 failing calls ------------------------------------------------------- */

#define FAILING_CALLS 50000u
#define FAILING_KINDS 8u

static void failing_call(unsigned kind, char *block, char *beyond)
{
	char byte = 'x';

	switch (kind) {
	case 0:
		CHECK(!vmap_malloc(self_vmap(), 0));
		CHECK_ERRNO(EINVAL);
		break;
	case 1:
		CHECK(!vmap_malloc(self_vmap(), INT_MIN));
		CHECK_ERRNO(EINVAL);
		break;
	case 2: /* more than all the memory there is, as the caller made sure */
		CHECK(!vmap_malloc(self_vmap(), INT_MAX));
		CHECK_ERRNO(ENOMEM);
		break;
	case 3:
		vmap_free(self_vmap(), block + 16);
		CHECK_ERRNO(EINVAL);
		break;
	case 4:
		vmap_free(self_vmap(), (void *)DIRECT_BASE);
		CHECK_ERRNO(EPERM);
		break;
	case 5:
		CHECK_ERROR(EFAULT, vmap_copy_to_memory(self_vmap(), beyond, &byte, 1));
		break;
	case 6:
		CHECK_ERROR(EFAULT, vmap_copy_from_memory(self_vmap(), &byte, beyond - 1, 2));
		break;
	default:
		CHECK_ERROR(EINVAL, vmap_copy_from_memory(self_vmap(), &byte, block, -1));
		break;
	}
}

PROCESS_TEST(work, failing_calls_leak_nothing)
{
	char *block = work_malloc(PAGE_SIZE);
	uint64_t committed, table_pages;
	void *too_large = vmap_malloc(self_vmap(), INT_MAX);

	if (!block)
		return;
	if (too_large)
		work_free(too_large);
	block[0] = 'b';
	committed = self_vmap()->committed;
	table_pages = self_vmap()->table_pages;
	for (unsigned i = 0; i < FAILING_CALLS; i++)
		if (i % FAILING_KINDS != 2 || !too_large)
			failing_call(i % FAILING_KINDS, block, block + PAGE_SIZE);
	CHECK_EQUAL('b', block[0]);
	CHECK_EQUAL(committed, self_vmap()->committed);
	CHECK_EQUAL(table_pages, self_vmap()->table_pages);
	work_free(block);
}

/* A block that cannot be promised costs nothing, tables neither: they would be 1,024 frames. */
PROCESS_TEST(work, refused_block_makes_no_tables)
{
	uint64_t table_pages = self_vmap()->table_pages;
	void *block = vmap_malloc(self_vmap(), INT_MAX);

	if (block) {
		work_free(block);
		SKIP("there is memory for 2 GiB");
	}
	CHECK_EQUAL(table_pages, self_vmap()->table_pages);
}
