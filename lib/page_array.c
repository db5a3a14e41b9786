/*
 * page_array.c: see page_array.h.
 *
 * 1. root is NULL exactly if the array is empty; then height is 0.
 * 2. Every page that was allocated is reachable from root: a page is linked as
 *    soon as it is there, before the next one is asked for.
 * 3. page_count is the number of pages reachable from root.
 */
#include "lib/page_array.h"

#include "lib/assert.h"

#define FANOUT_SHIFT 9
STATIC_ASSERT(PAGE_ARRAY_FANOUT == 1u << FANOUT_SHIFT);
STATIC_ASSERT(PAGE_ARRAY_FANOUT * sizeof(void *) == PAGE_SIZE);

/* The page's number at this level, counted over the whole array; 0 beyond 64 bits. */
static uint64_t number_above(uint64_t page, uint32_t levels)
{
	return levels * FANOUT_SHIFT < 64 ? page >> (levels * FANOUT_SHIFT) : 0;
}

void page_array_init(struct page_array *array, size_t element_bytes)
{
	ASSERT(element_bytes > 0);
	ASSERT(element_bytes <= PAGE_SIZE);
	ASSERT((element_bytes & (element_bytes - 1)) == 0);
	*array = (struct page_array)PAGE_ARRAY_INIT(element_bytes);
}

void *page_array_page(const struct page_array *array, uint64_t page)
{
	void *at = array->root;

	/* The commonest height that the inline path does not know. */
	if (array->height == 2 && page < PAGE_ARRAY_FANOUT * PAGE_ARRAY_FANOUT) {
		void **middle = ((void **)at)[page / PAGE_ARRAY_FANOUT];

		return middle == NULL ? NULL : middle[page % PAGE_ARRAY_FANOUT];
	}
	if (number_above(page, array->height) != 0)
		return NULL;
	for (uint32_t level = array->height; level > 0 && at != NULL; level--) {
		uint64_t slot = number_above(page, level - 1) % PAGE_ARRAY_FANOUT;

		at = ((void **)at)[slot];
	}
	return at;
}

/* Fills *link with a new page if it is empty; NULL if there is no memory. */
static void *page_link(struct page_array *array, void **link)
{
	if (*link == NULL) {
		*link = page_array_page_alloc();
		array->page_count += *link != NULL;
	}
	return *link;
}

/* Raises the tree until it covers the page; false if there is no memory. */
static bool tree_raise(struct page_array *array, uint64_t page)
{
	uint32_t height = array->height;

	while (number_above(page, height) != 0)
		height++;
	if (array->root == NULL) {
		if (page_link(array, &array->root) == NULL)
			return false;
		array->height = height;
	}
	while (array->height < height) {
		void *above = NULL;

		if (page_link(array, &above) == NULL)
			return false;
		((void **)above)[0] = array->root;
		array->root = above;
		array->height++;
	}
	return true;
}

void *page_array_make(struct page_array *array, uint64_t index)
{
	uint64_t page = index >> array->page_shift;
	char *at;

	ASSERT(array->page_shift + array->element_shift == PAGE_SHIFT);
	if (!tree_raise(array, page))
		return NULL;
	at = array->root;
	for (uint32_t level = array->height; level > 0; level--) {
		uint64_t slot = number_above(page, level - 1) % PAGE_ARRAY_FANOUT;

		at = page_link(array, (void **)(void *)at + slot);
		if (at == NULL)
			return NULL;
	}
	return at + ((index << array->element_shift) & (PAGE_SIZE - 1));
}

/* Recursion as deep as the tree is high: eight levels at most. */
static void tree_free(struct page_array *array, void *root, uint32_t height)
{
	if (root == NULL)
		return;
	for (unsigned slot = 0; height > 0 && slot < PAGE_ARRAY_FANOUT; slot++)
		tree_free(array, ((void **)root)[slot], height - 1);
	page_array_page_free(root);
	array->page_count--;
}

void page_array_destroy(struct page_array *array)
{
	tree_free(array, array->root, array->height);
	ASSERT(array->page_count == 0);
	array->root = NULL;
	array->height = 0;
}
