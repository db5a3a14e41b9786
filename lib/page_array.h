/*
 * page_array.h: an array that grows on demand out of 4 KiB pages.
 *
 * Data pages hold the elements; above them a radix tree of pages with 512
 * pointers each, as high as the largest index made so far asks for:
 *
 *     height 0:  root -> data page              index < elements a page (E)
 *     height 1:  root -> 512 data pages         index < 512 E
 *     height h:  root -> 512 of height h - 1    index < 512^h E
 *
 * A new element is all zero. An element never moves, so its address stays good
 * until page_array_destroy(). Pages come from two hooks that the program which
 * links this defines.
 *
 * The caller serialises: make and destroy need the array to themselves, gets
 * may run beside each other.
 */
#pragma once

#include "lib/types.h"

#define PAGE_ARRAY_FANOUT 512u

struct page_array {
	void *root;	       /* NULL: empty, and height is 0 */
	uint32_t height;       /* levels of pointers above the data pages */
	uint16_t element_shift; /* log2 of the element's size in bytes */
	uint16_t page_shift;   /* log2 of the elements a data page holds */
	size_t page_count;     /* data pages and pages of pointers */
};

/* An empty array; element_bytes is a power of two, 1 to 4096. */
#define PAGE_ARRAY_INIT(element_bytes)                                  \
	{                                                               \
		.element_shift = (uint16_t)__builtin_ctzll(element_bytes), \
		.page_shift = (uint16_t)(PAGE_SHIFT - __builtin_ctzll(element_bytes)), \
	}

void page_array_init(struct page_array *array, size_t element_bytes);

/*
 * The element, its page and those above it made if missing (page_alloc's sleep
 * is make's). NULL if there is no memory: whatever pages were made by then are
 * part of the array, empty, and go with it. Any index of 64 bits is right.
 */
MUST_CHECK void *page_array_make(struct page_array *array, uint64_t index);

/* Frees every page; the array is empty and can be used again. */
void page_array_destroy(struct page_array *array);

/* Any height: the data page of that number, or NULL. */
void *page_array_page(const struct page_array *array, uint64_t page);

/* The element, or NULL if its page was never made. */
ALWAYS_INLINE void *page_array_get(const struct page_array *array, uint64_t index)
{
	uint64_t page = index >> array->page_shift;
	char *data;

	if (array->height == 1 && page < PAGE_ARRAY_FANOUT)
		data = ((void **)array->root)[page];
	else if ((array->height | page) == 0)
		data = array->root;
	else
		data = page_array_page(array, page);
	if (UNLIKELY(data == NULL))
		return NULL;
	return data + ((index << array->element_shift) & (PAGE_SIZE - 1));
}

/* The hooks: a page of zeros, or NULL (may sleep); and back. */
void *page_array_page_alloc(void);
void page_array_page_free(void *page);
