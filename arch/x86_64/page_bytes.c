/*
 * page_bytes.c: chooses the vector routines of page_bytes.S.
 */
#include "arch/x86_64/page_bytes.h"

#include "arch/x86_64/cpu.h"

/* In page_bytes.S. */
extern void (*pages_zero_routine)(const pfn_t *pfns, uint64_t count);
extern void (*page_copy_routine)(void *to, const void *from);
extern uint64_t (*page_sum_routine)(const void *page);
extern bool (*page_is_zero_throughout_routine)(const void *page);
void page_zero_avx(void *page);
void pages_zero_avx(const pfn_t *pfns, uint64_t count);
void page_copy_avx(void *to, const void *from);
struct page_copied page_copy_sum_avx(void *to, const void *from);
uint64_t page_sum_avx(const void *page);
bool page_is_zero_throughout_avx(const void *page);

void page_bytes_init(void)
{
	/* SSE2, which every x86-64 CPU has, is what the pointers begin with. */
	if (!cpu_features.avx)
		return;
	page_zero_routine = page_zero_avx;
	pages_zero_routine = pages_zero_avx;
	page_copy_routine = page_copy_avx;
	page_copy_sum_routine = page_copy_sum_avx;
	page_sum_routine = page_sum_avx;
	page_is_zero_throughout_routine = page_is_zero_throughout_avx;
}
