/*
 * kernel_pages.c: frames for the kernel's own use.
 *
 * Order: charge, then take a frame, if need be from a process page by evicting
 * it. The charge guarantees that the evicted page has somewhere to go.
 */
#include "kernel/mm/kernel_pages.h"

#include "arch/x86_64/page_bytes.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/quarantine.h"
#include "kernel/mm/reclaim.h"
#include "kernel/sched/thread.h"
#include "lib/page_array.h"

/* Counts down to an allocation that fails on purpose; 0: none does. */
static struct {
	uint64_t countdown;
	uint64_t every;
} failing;

void kernel_pages_fail(uint64_t nth, uint64_t every)
{
	failing.every = every;
	__atomic_store_n(&failing.countdown, nth, __ATOMIC_RELEASE);
}

static COLD bool fails_on_purpose(void)
{
	if (__atomic_sub_fetch(&failing.countdown, 1, __ATOMIC_ACQ_REL))
		return false;
	__atomic_store_n(&failing.countdown, failing.every, __ATOMIC_RELEASE);
	return true;
}

bool kernel_pages_refused(void)
{
	return UNLIKELY(READ_ONCE(failing.countdown)) && fails_on_purpose();
}

pfn_t kernel_frame_alloc(enum frame_state state)
{
	uint64_t flags;
	pfn_t pfn;

	if (kernel_pages_refused())
		return PFN_NONE;
	if (commit_kernel_charge(1))
		return PFN_NONE;
	for (;;) {
		flags = irq_save();
		pfn = frame_alloc(state);
		irq_restore(flags);
		if (pfn != PFN_NONE)
			break;
		if (quarantine_drain())
			continue;
		pfn = reclaim_evict();
		if (pfn != PFN_NONE) {
			reclaim_page_convert(pfn, state);
			break;
		}
		/* All pages are on their way somewhere: one will arrive. */
		thread_yield();
	}
	flags = irq_save();
	page_zero(pfn_to_direct(pfn));
	irq_restore(flags);
	return pfn;
}

void kernel_frame_free(pfn_t pfn)
{
	uint64_t flags = irq_save();

	frame_free(pfn);
	irq_restore(flags);
	commit_kernel_uncharge(1);
}

void *kernel_page_alloc(void)
{
	pfn_t pfn = kernel_frame_alloc(FRAME_KERNEL);

	return pfn == PFN_NONE ? NULL : pfn_to_direct(pfn);
}

void kernel_page_free(void *page)
{
	kernel_frame_free(direct_to_pfn(page));
}

void *page_array_page_alloc(void)
{
	return kernel_page_alloc();
}

void page_array_page_free(void *page)
{
	kernel_page_free(page);
}
