/*
 * pages.c: the hooks of lib/page_array.h and of lib/assert.h for programs on the
 * host: pages by calloc, so that a step beyond one is seen by AddressSanitizer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/assert.h"
#include "lib/page_array.h"
#include "tests/host/host_test.h"

static size_t page_limit = SIZE_MAX;
static size_t page_live;

void *page_array_page_alloc(void)
{
	void *page;

	if (page_limit == 0)
		return NULL;
	page = calloc(1, PAGE_SIZE);
	if (page == NULL)
		return NULL;
	if (page_limit != SIZE_MAX)
		page_limit--;
	page_live++;
	return page;
}

void page_array_page_free(void *page)
{
	page_live--;
	free(page);
}

void host_pages_limit(size_t count)
{
	page_limit = count;
}

size_t host_pages_live(void)
{
	return page_live;
}

void assert_fail(const char *condition, const char *file, int line, const char *function)
{
	fprintf(stderr, "%s:%d: %s: assertion failed: %s\n", file, line, function, condition);
	abort();
}
