/*
 * test_page_array.c: lib/page_array.h, lib/random.h and lib/rc4.h.
 */
#include "lib/page_array.h"

#include "lib/rc4.h"
#include "lib/string.h"
#include "tests/host/host_test.h"

TEST(page_array, heights)
{
	struct page_array array = PAGE_ARRAY_INIT(sizeof(uint32_t));
	uint32_t *first;

	CHECK(page_array_get(&array, 0) == NULL);
	CHECK(page_array_get(&array, UINT64_MAX) == NULL);
	first = page_array_make(&array, 0);
	CHECK_EQUAL(0, array.height);
	CHECK_EQUAL(1, array.page_count);
	CHECK(page_array_make(&array, 1023) == first + 1023);
	CHECK_EQUAL(1, array.page_count);
	CHECK(page_array_get(&array, 1024) == NULL);
	CHECK(page_array_make(&array, 1024) != NULL);
	CHECK_EQUAL(1, array.height);
	CHECK_EQUAL(3, array.page_count);
	CHECK(page_array_get(&array, 512 * 1024) == NULL);
	CHECK(page_array_make(&array, 512 * 1024) != NULL);
	CHECK_EQUAL(2, array.height);
	CHECK_EQUAL(6, array.page_count);
	CHECK(page_array_get(&array, 0) == first);
	CHECK(page_array_make(&array, 0) == first);
	page_array_destroy(&array);
	CHECK(page_array_get(&array, 0) == NULL);
	CHECK_EQUAL(0, array.page_count);
}

TEST(page_array, any_index_of_any_size)
{
	static const uint64_t indices[] = {0, 1, 4095, 4096, 1ull << 31, 1ull << 52,
					   1ull << 63, UINT64_MAX - 1, UINT64_MAX};

	for (size_t bytes = 1; bytes <= PAGE_SIZE; bytes *= 2) {
		struct page_array array;

		page_array_init(&array, bytes);
		for (size_t i = ARRAY_SIZE(indices); i-- > 0;) {
			unsigned char *element = page_array_make(&array, indices[i]);

			CHECK_EQUAL(0, element[bytes - 1]);
			element[0] = (unsigned char)(i + 1);
		}
		for (size_t i = 0; i < ARRAY_SIZE(indices); i++)
			CHECK_EQUAL(i + 1, *(unsigned char *)page_array_get(&array, indices[i]));
		CHECK(page_array_get(&array, 1ull << 40) == NULL);
		page_array_destroy(&array);
	}
}

/* Beside a plain array, indices small and large in random order. */
TEST(page_array, random_against_shadow)
{
	enum { COUNT = 3000 };
	static uint64_t indices[COUNT];
	struct page_array array = PAGE_ARRAY_INIT(sizeof(uint64_t));
	struct random random;
	unsigned made = 0;

	host_random(&random);
	for (unsigned i = 0; i < COUNT; i++) {
		indices[i] = random_next(&random) >> random_below(&random, 64);
		if (page_array_get(&array, indices[i]) == NULL)
			made++;
		*(uint64_t *)page_array_make(&array, indices[i]) = indices[i];
	}
	for (unsigned i = 0; i < COUNT; i++)
		CHECK_EQUAL(indices[i], *(uint64_t *)page_array_get(&array, indices[i]));
	CHECK(made > 100);
	CHECK_EQUAL(host_pages_live(), array.page_count);
	page_array_destroy(&array);
}

/* The first page fails, then the second, ...: nothing is lost, what was made stays. */
TEST(page_array, no_memory_at_each_page)
{
	static const uint64_t indices[] = {5, 700000, 1ull << 40, 6, UINT64_MAX};
	bool complete = false;

	for (size_t limit = 0; !complete; limit++) {
		struct page_array array = PAGE_ARRAY_INIT(sizeof(uint32_t));
		size_t live = host_pages_live();

		complete = true;
		host_pages_limit(limit);
		for (size_t i = 0; i < ARRAY_SIZE(indices); i++) {
			uint32_t *element = page_array_make(&array, indices[i]);

			if (element == NULL)
				complete = false;
			else
				*element = (uint32_t)i + 1;
			CHECK(page_array_get(&array, indices[i]) == element);
		}
		CHECK_EQUAL(live + array.page_count, host_pages_live());
		host_pages_limit(SIZE_MAX);
		for (size_t i = 0; i < ARRAY_SIZE(indices); i++) {
			uint32_t *element = page_array_make(&array, indices[i]);

			CHECK(*element == i + 1 || (*element == 0 && !complete));
		}
		page_array_destroy(&array);
		CHECK_EQUAL(live, host_pages_live());
		CHECK(limit < 100);
	}
}

TEST(random, known_sequences)
{
	struct random random;
	uint64_t state = 1234567;

	random_seed(&random, 0);
	CHECK_EQUAL(8748534153485358512u, random_next(&random));
	CHECK_EQUAL(3040900993826735515u, random_next(&random));
	CHECK_EQUAL(6457827717110365317u, splitmix64_next(&state));
	CHECK_EQUAL(3203168211198807973u, splitmix64_next(&state));
}

TEST(random, below)
{
	struct random random;
	unsigned seen[7] = {0};

	host_random(&random);
	for (unsigned i = 0; i < 7000; i++)
		seen[random_below(&random, 7)]++;
	for (unsigned i = 0; i < 7; i++)
		CHECK(seen[i] > 800 && seen[i] < 1200);
	CHECK_EQUAL(0, random_below(&random, 1));
	CHECK_EQUAL(0, random_below(&random, 0));
}

TEST(rc4, known_texts)
{
	static const unsigned char expected[] = {0xbb, 0xf3, 0x16, 0xe8, 0xd9,
						 0x40, 0xaf, 0x0a, 0xd3};
	char text[] = "Plaintext";
	struct rc4 rc4;

	rc4_init(&rc4, "Key", 3);
	rc4_crypt(&rc4, text, 4);
	rc4_crypt(&rc4, text + 4, 5);
	CHECK_EQUAL(0, memcmp(expected, text, sizeof(expected)));
	rc4_init(&rc4, "Key", 3);
	rc4_crypt(&rc4, text, 9);
	CHECK_TEXT("Plaintext", text);
}
