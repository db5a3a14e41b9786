/*
 * pages.c: see pages.h.
 */
#include "tests/unit/pages.h"

#include "kernel/dev/ramdisk.h"
#include "kernel/mm/boot_memory.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/process.h"
#include "kernel/sched/gate.h"
#include "lib/random.h"
#include "tests/unit/ktap.h"

#define LIMIT_NONE 0
#define SWAP_OUT_TRIES 1000

static uint64_t limit_before = LIMIT_NONE;

void test_evict_all(void)
{
	test_evict(UINT32_MAX);
}

void test_evict(unsigned count)
{
	uint64_t flags;
	pfn_t pfn;

	/* A kill in the middle would lose the frame. */
	gate_enter();
	while (count-- && (pfn = reclaim_evict()) != PFN_NONE) {
		flags = irq_save();
		reclaim_page_free(pfn);
		irq_restore(flags);
	}
	gate_leave();
}

pte_t *test_entry(vaddr_t address)
{
	return vmap_entry(&process_current()->vmap, address);
}

uint32_t test_swap_out(vaddr_t address)
{
	for (unsigned i = 0; i < SWAP_OUT_TRIES; i++) {
		pte_t entry = pte_read(test_entry(address));

		if (pte_is_swapped(entry))
			return pte_slot(entry);
		test_evict_all();
	}
	FAIL("the page at %p does not go to swap", (void *)address);
	return 0;
}

static uint64_t stamp(vaddr_t address, uint64_t seed)
{
	return splitmix64_mix(seed * 0x9e3779b97f4a7c15ull + address) | 1;
}

/* Where in a page: another place in each. */
static vaddr_t stamp_place(vaddr_t page, uint64_t seed)
{
	return page + (stamp(page, ~seed) % (PAGE_SIZE / 8)) * 8;
}

void test_pages_fill(vaddr_t address, uint64_t pages, uint64_t seed)
{
	for (uint64_t i = 0; i < pages; i++) {
		vaddr_t place = stamp_place(address + i * PAGE_SIZE, seed);

		test_store(place, stamp(place, seed));
	}
}

uint64_t test_pages_verify(vaddr_t address, uint64_t pages, uint64_t seed)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < pages; i++) {
		vaddr_t place = stamp_place(address + i * PAGE_SIZE, seed);

		wrong += test_load(place) != stamp(place, seed);
	}
	return wrong;
}

void test_limit_set(uint64_t limit)
{
	if (limit_before == LIMIT_NONE)
		limit_before = reclaim_limit();
	CHECK_ERROR(0, reclaim_set_limit(limit));
}

void test_limit_restore(void)
{
	if (limit_before != LIMIT_NONE)
		CHECK_ERROR(0, reclaim_set_limit(limit_before));
	limit_before = LIMIT_NONE;
}

/* Is it the turn of this one to fail? Several CPUs may ask. */
static bool fails(uint64_t *count, uint64_t nth, uint64_t every)
{
	uint64_t number = __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);

	return nth && (number == nth || (number > nth && every && (number - nth) % every == 0));
}

static struct page_copied failing_write(uint64_t block, const void *page,
					struct block_device *device)
{
	struct failing_device *failing = (struct failing_device *)device;

	if (fails(&failing->writes, failing->write_nth, failing->write_every))
		return (struct page_copied){.error = -EIO};
	return failing->real->write(block, page, failing->real);
}

static struct page_copied failing_read(void *page, uint64_t block, struct block_device *device)
{
	struct failing_device *failing = (struct failing_device *)device;

	if (fails(&failing->reads, failing->read_nth, failing->read_every))
		return (struct page_copied){.error = -EIO};
	return failing->real->read(page, block, failing->real);
}

void failing_device_install(struct failing_device *failing)
{
	failing->writes = 0;
	failing->reads = 0;
	failing->real = &swap_ramdisk.device;
	failing->device.name = "failing";
	failing->device.block_count = failing->real->block_count;
	failing->device.write = failing_write;
	failing->device.read = failing_read;
	CHECK(swap_set_device(&failing->device) == failing->real);
}

void failing_device_remove(struct failing_device *failing)
{
	CHECK(swap_set_device(failing->real) == &failing->device);
}
