/*
 * page_sum.c: what the checksum of a page notices, with each of its routines.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/page_bytes.h"
#include "kernel/mm/kernel_pages.h"
#include "lib/random.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"

#define PART_BYTES 64u
#define PARTS (PAGE_SIZE / PART_BYTES)
#define WORDS (PAGE_SIZE / 8)

uint64_t page_sum_sse(const void *page);
uint64_t page_sum_avx(const void *page);
struct page_copied page_copy_sum_sse(void *to, const void *from);
struct page_copied page_copy_sum_avx(void *to, const void *from);

static const struct routines {
	const char *name;
	uint64_t (*sum)(const void *page);
	struct page_copied (*copy_sum)(void *to, const void *from);
} routines[] = {{"sse", page_sum_sse, page_copy_sum_sse}, {"avx", page_sum_avx, page_copy_sum_avx}};

/* Those that this CPU can run. */
static unsigned routine_count(void)
{
	return cpu_features.avx ? 2 : 1;
}

/* The formula of page_bytes.S, word by word. */
static uint64_t sum_plainly(const uint64_t *words)
{
	uint64_t sums[2][4] = {{0}};
	uint64_t result = 0;

	for (unsigned group = 0; group < WORDS / 16; group++) {
		uint64_t *a = sums[group % 2], *b = sums[1 - group % 2];

		for (unsigned lane = 0; lane < 4; lane++) {
			const uint64_t *word = &words[group * 16 + lane];

			a[lane] += word[0] - word[8];
			b[lane] += word[4] - word[12];
			a[lane] += b[lane];
		}
	}
	for (unsigned lane = 0; lane < 4; lane++)
		result = result * 0x1e3779b1 + sums[0][lane] +
			 (sums[1][lane] >> 32 | sums[1][lane] << 32);
	return result;
}

static void page_fill(uint64_t *words, struct random *random)
{
	for (unsigned i = 0; i < WORDS; i++)
		words[i] = random_next(random);
}

TEST(page_sum, is_the_same_with_each_routine)
{
	uint64_t *page = kernel_page_alloc(), *copy = kernel_page_alloc();
	struct random random;

	test_random(&random);
	page_fill(page, &random);
	for (unsigned i = 0; i < routine_count(); i++) {
		struct page_copied copied;
		uint64_t flags;

		memset(copy, 0, PAGE_SIZE);
		flags = irq_save();
		copied = routines[i].copy_sum(copy, page);
		irq_restore(flags);
		CHECK_EQUAL(0, copied.error);
		CHECK(memcmp(copy, page, PAGE_SIZE) == 0);
		CHECK_EQUAL(sum_plainly(page), copied.sum);
		CHECK_EQUAL(copied.sum, routines[i].sum(page));
	}
	kernel_page_free(page);
	kernel_page_free(copy);
}

/* The bits of the page whose flip leaves the sum as it is. */
static unsigned flips_unseen(uint64_t *words)
{
	uint64_t sum = page_sum(words);
	unsigned unseen = 0;

	for (unsigned bit = 0; bit < PAGE_SIZE * 8; bit++) {
		words[bit / 64] ^= 1ull << bit % 64;
		unseen += page_sum(words) == sum;
		words[bit / 64] ^= 1ull << bit % 64;
	}
	return unseen;
}

TEST(page_sum, notices_every_flipped_bit)
{
	uint64_t *page = kernel_page_alloc();
	struct random random;

	test_random(&random);
	CHECK_EQUAL(0, flips_unseen(page));
	memset(page, 0xff, PAGE_SIZE);
	CHECK_EQUAL(0, flips_unseen(page));
	page_fill(page, &random);
	CHECK_EQUAL(0, flips_unseen(page));
	kernel_page_free(page);
}

/* Exchanges two parts of so many 64-bit words. */
static void exchange(uint64_t *one, uint64_t *other, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t word = one[i];

		one[i] = other[i];
		other[i] = word;
	}
}

/* The pairs of parts of so many words, all different, whose exchange leaves the sum as it is. */
static unsigned exchanges_unseen(uint64_t *words, unsigned count)
{
	uint64_t sum = page_sum(words);
	unsigned unseen = 0;

	for (unsigned i = 0; i < WORDS; i += count) {
		for (unsigned j = 0; j < i; j += count) {
			exchange(&words[i], &words[j], count);
			unseen += page_sum(words) == sum;
			exchange(&words[i], &words[j], count);
		}
	}
	return unseen;
}

TEST(page_sum, notices_exchanged_parts)
{
	uint64_t *page = kernel_page_alloc();
	struct random random;

	test_random(&random);
	page_fill(page, &random);
	CHECK_EQUAL(0, exchanges_unseen(page, PART_BYTES / 8));
	for (unsigned i = 0; i < WORDS; i++)
		page[i] = i * 8 / PART_BYTES;
	CHECK_EQUAL(0, exchanges_unseen(page, PART_BYTES / 8));
	/* Parts that agree in their first half, or in their second. */
	for (unsigned half = 0; half < 2; half++) {
		for (unsigned i = 0; i < WORDS; i++)
			page[i] = i / 4 % 2 == half ? random_next(&random) : 0;
		CHECK_EQUAL(0, exchanges_unseen(page, PART_BYTES / 8));
	}
	kernel_page_free(page);
}

TEST(page_sum, notices_torn_parts)
{
	uint64_t *page = kernel_page_alloc(), *older = kernel_page_alloc();
	struct random random;
	uint64_t sum;

	test_random(&random);
	page_fill(page, &random);
	page_fill(older, &random);
	sum = page_sum(page);
	for (unsigned i = 0; i < PARTS; i++) {
		uint64_t *part = &page[i * PART_BYTES / 8], *of_older = &older[i * PART_BYTES / 8];

		exchange(part, of_older, PART_BYTES / 8);
		CHECK(page_sum(page) != sum);
		if (i % 2) /* every second one stays, so that many are torn at once */
			exchange(part, of_older, PART_BYTES / 8);
	}
	kernel_page_free(page);
	kernel_page_free(older);
}
