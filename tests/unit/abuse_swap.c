/*
 * abuse_swap.c: a swap device that fails or forgets, entries that lie, and
 * swap that is full.
 *
 * Whatever is lost ends its owner with swap-lost, and nobody else.
 */
#include "kernel/dev/ramdisk.h"
#include "kernel/mm/boot_memory.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/program.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

#define PAGES 12

/* ---- A page that comes back other than it left ----------------------------------- */

/* What is done to the first of PAGES pages while they are away: its entry, its slot, the other's
 * slot. */
static void (*damage)(pte_t *entry, uint32_t slot, uint32_t other);

static int loses_a_page(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), PAGES * (int)PAGE_SIZE);
	uint32_t slot, other;

	(void)argc, (void)argv;
	test_pages_fill(block, PAGES, 1);
	slot = test_swap_out(block);
	other = test_swap_out(block + PAGE_SIZE);
	if (!CHECK(pte_is_swapped(pte_read(test_entry(block)))))
		return 1;
	damage(test_entry(block), slot, other);
	/* The other pages are not affected. */
	if (test_pages_verify(block + 2 * PAGE_SIZE, PAGES - 2, 1) != 0)
		return 2;
	(void)test_pages_verify(block, 1, 1);
	return 3;
}

/* Beside it another process works on, with pages in the same swap. */
static int works_on(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), PAGES * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	for (uint64_t round = 0; round < 20; round++) {
		test_pages_fill(block, PAGES, round);
		yield();
		if (test_pages_verify(block, PAGES, round) != 0)
			return 1;
	}
	return 0;
}

static void check_lost(void (*how)(pte_t *entry, uint32_t slot, uint32_t other), const char *why)
{
	pid_t beside = SPAWN(works_on, 0, NULL);

	damage = how;
	CHECK_DIES(FAULT_SWAP_LOST, loses_a_page);
	if (!strstr(test_report(), ": swap-lost\n") || !strstr(test_report(), why)) {
		FAIL("the report does not say '%s':", why);
		test_comment("%s", test_report());
	}
	CHECK_ENDED(FAULT_OK, 0, beside);
}

static void flip_a_bit(pte_t *entry, uint32_t slot, uint32_t other)
{
	unsigned char *bytes = ramdisk_block(&swap_ramdisk, slot);

	(void)entry, (void)other;
	bytes[1234] ^= 0x10;
}

static void tear(pte_t *entry, uint32_t slot, uint32_t other)
{
	(void)entry;
	memcpy((char *)ramdisk_block(&swap_ramdisk, slot) + PAGE_SIZE / 2,
	       ramdisk_block(&swap_ramdisk, other), PAGE_SIZE / 2);
	memset((char *)ramdisk_block(&swap_ramdisk, slot) + 64, 0xff, 64);
}

static void tear_64_bytes(pte_t *entry, uint32_t slot, uint32_t other)
{
	(void)entry, (void)other;
	memset((char *)ramdisk_block(&swap_ramdisk, slot) + 1024, 0x5a, 64);
}

static void another_slots_bytes(pte_t *entry, uint32_t slot, uint32_t other)
{
	(void)entry;
	memcpy(ramdisk_block(&swap_ramdisk, slot), ramdisk_block(&swap_ramdisk, other), PAGE_SIZE);
}

static void all_zero(pte_t *entry, uint32_t slot, uint32_t other)
{
	(void)entry, (void)other;
	memset(ramdisk_block(&swap_ramdisk, slot), 0, PAGE_SIZE);
}

TEST(swap, damaged_bytes)
{
	NEED_SLOTS(100);
	check_lost(flip_a_bit, "its checksum is wrong");
	check_lost(tear, "its checksum is wrong");
	check_lost(tear_64_bytes, "its checksum is wrong");
	check_lost(another_slots_bytes, "its checksum is wrong");
	check_lost(all_zero, "its checksum is wrong");
}

/* The slot that the entry named is given back, as nobody would know it any more. */
static void slot_give_back(uint32_t slot)
{
	uint64_t flags = irq_save();

	swap_slot_free(slot);
	irq_restore(flags);
}

static void stale_generation(pte_t *entry, uint32_t slot, uint32_t other)
{
	uint16_t generation = (uint16_t)(swap_slot_generation(slot) - 1);

	(void)other;
	pte_write(entry, pte_make_swapped(swap_place(slot, generation), 0));
	slot_give_back(slot);
}

static void slot_out_of_range(pte_t *entry, uint32_t slot, uint32_t other)
{
	(void)other;
	pte_write(entry, pte_make_swapped(swap_place(0xfffffff0, 1), 0));
	slot_give_back(slot);
}

static void slot_of_nobody(pte_t *entry, uint32_t slot, uint32_t other)
{
	(void)entry, (void)other;
	slot_give_back(slot);
}

static void slot_unwritten(pte_t *entry, uint32_t slot, uint32_t other)
{
	uint32_t given;
	uint64_t flags;

	(void)other;
	slot_give_back(slot);
	flags = irq_save();
	given = swap_slot_alloc();
	irq_restore(flags);
	pte_write(entry, pte_make_swapped(swap_place(given, swap_slot_generation(given)), 0));
}

TEST(swap, entries_that_lie)
{
	NEED_SLOTS(100);
	check_lost(slot_out_of_range, "the slot is not in use");
	check_lost(slot_of_nobody, "the slot");
	check_lost(stale_generation, "the slot");
	check_lost(slot_unwritten, "nothing was written to the slot");
}

/* ---- Errors of the device --------------------------------------------------------- */

static struct failing_device failing;

static int reads_back(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), PAGES * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	test_pages_fill(block, PAGES, 3);
	(void)test_swap_out(block);
	test_evict_all();
	return (int)test_pages_verify(block, PAGES, 3);
}

TEST(swap, read_error)
{
	NEED_SLOTS(100);
	failing = (struct failing_device){.read_nth = 1};
	failing_device_install(&failing);
	CHECK_DIES(FAULT_SWAP_LOST, reads_back);
	CHECK(strstr(test_report(), "the swap device could not read it"));
	CHECK_EXITS(0, reads_back);
	failing_device_remove(&failing);
}

/* A copy that meets a lost page fails, and its process ends. */
static int copies_a_lost_page(int argc, char **argv)
{
	char *block = vmap_malloc(self_vmap(), 3 * (int)PAGE_SIZE);
	char bytes[16];

	(void)argc, (void)argv;
	test_pages_fill((vaddr_t)block, 3, 3);
	(void)test_swap_out((vaddr_t)block);
	failing.read_nth = failing.reads + 1;
	return vmap_copy_from_memory(self_vmap(), bytes, block, 16) ? 1 : 0;
}

TEST(swap, read_error_in_a_copy)
{
	NEED_SLOTS(100);
	failing = (struct failing_device){.read_nth = 0};
	failing_device_install(&failing);
	CHECK_DIES(FAULT_SWAP_LOST, copies_a_lost_page);
	failing_device_remove(&failing);
}

TEST(swap, write_errors_are_retried_elsewhere)
{
	uint64_t bad = swap_read_counts().bad, slots = commit_read().slots;

	NEED_SLOTS(100);
	failing = (struct failing_device){.write_nth = 1, .write_every = 2};
	failing_device_install(&failing);
	CHECK_EXITS(0, reads_back);
	CHECK(swap_read_counts().bad >= bad + PAGES);
	/* What was lost can be promised no more; with a good device it can again. */
	CHECK_EQUAL(slots - (swap_read_counts().bad - bad), commit_read().slots);
	failing_device_remove(&failing);
	CHECK_EQUAL(0, swap_read_counts().bad);
	CHECK_EQUAL(slots, commit_read().slots);
}

/* ---- A device that takes nothing any more ------------------------------------------ */

static bool dead_started;

static int fills_more_than_fits(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), 32 * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	test_pages_fill(block, 2, 1);
	__atomic_store_n(&dead_started, true, __ATOMIC_RELEASE);
	test_pages_fill(block, 32, 1);
	return 0;
}

/* Where pages can go nowhere a process waits for ever; but it can be killed, and others go on. */
TEST(swap, dead_device)
{
	pid_t pid;

	NEED_SLOTS(100);
	failing = (struct failing_device){.write_nth = 1, .write_every = 1};
	failing_device_install(&failing);
	test_limit_set(8);
	dead_started = false;
	pid = SPAWN(fills_more_than_fits, 0, NULL);
	while (pid && !__atomic_load_n(&dead_started, __ATOMIC_ACQUIRE))
		thread_yield();
	while (pid && reclaim_resident() < 8)
		thread_yield();
	CHECK_ERROR(0, process_kill(pid));
	CHECK_ENDED(FAULT_KILLED, 0, pid);
	failing_device_remove(&failing);
	test_limit_restore();
	CHECK_EXITS(0, works_on);
}

/* ---- Full -------------------------------------------------------------------------- */

#define FULL_CHUNK ((uint64_t)MIB(4))
#define FULL_LIMIT 24
#define FULL_VERIFIED 400

static uint64_t full_total;
static struct {
	vaddr_t address;
	uint64_t pages;
} full_blocks[64];

static bool full_verify_one(struct random *random, unsigned blocks)
{
	unsigned block = (unsigned)random_below(random, blocks);
	vaddr_t page = full_blocks[block].address +
		       random_below(random, full_blocks[block].pages) * PAGE_SIZE;

	if (test_pages_verify(page, 1, block) != 0)
		return false;
	test_pages_fill(page, 1, block);
	return true;
}

/* Everything that can be promised, all of it dirty; then some of it again, in no order. */
static int takes_and_fills_everything(int argc, char **argv)
{
	uint64_t pages = FULL_CHUNK / PAGE_SIZE;
	unsigned blocks = 0;
	struct random random;

	(void)argc, (void)argv;
	full_total = 0;
	while (pages && blocks < ARRAY_SIZE(full_blocks)) {
		vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), (int)(pages * PAGE_SIZE));

		if (!block) {
			pages /= 2;
			continue;
		}
		test_pages_fill(block, pages, blocks);
		full_blocks[blocks].address = block;
		full_blocks[blocks].pages = pages;
		full_total += pages;
		blocks++;
	}
	test_random(&random);
	for (unsigned i = 0; i < FULL_VERIFIED; i++)
		if (!full_verify_one(&random, blocks))
			return 1;
	return 0;
}

TEST(swap, full_and_everything_dirty)
{
	struct commit_state before = commit_read();

	NEED_SLOTS(100);
	test_limit_set(FULL_LIMIT);
	CHECK_EXITS(0, takes_and_fills_everything);
	/* But for what the programs' data takes that was all there is. */
	CHECK(full_total + 100 + before.reserve > before.slots + FULL_LIMIT);
	test_limit_restore();
}

/* ---- Stores while the page is being written out ------------------------------------ */

static int evicts_everything(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), PAGES * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	for (uint64_t round = 0; round < 40; round++) {
		test_pages_fill(block, PAGES, round);
		test_evict_all();
		if (test_pages_verify(block, PAGES, round) != 0)
			return 1;
	}
	return 0;
}

static int stores_and_compares(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), PAGES * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	for (uint64_t round = 0; round < 100; round++) {
		test_pages_fill(block, PAGES, round);
		if (test_pages_verify(block, PAGES, round) != 0)
			return 1;
	}
	return 0;
}

/*
 * Under lru-exact a page may be touched, stored to and unmapped again, all while
 * an evictor is writing what it was before; it must not be taken for untouched.
 */
TEST(swap, no_store_is_lost_under_any_policy)
{
	struct policy *before = lru_policy();

	NEED_SLOTS(100);
	for (unsigned i = 0; i < policy_count; i++) {
		pid_t pids[3];

		lru_set_policy(policies[i]);
		pids[0] = SPAWN(evicts_everything, 0, NULL);
		for (unsigned j = 1; j < ARRAY_SIZE(pids); j++)
			pids[j] = SPAWN(stores_and_compares, 0, NULL);
		for (unsigned j = 0; j < ARRAY_SIZE(pids); j++)
			CHECK_ENDED(FAULT_OK, 0, pids[j]);
	}
	lru_set_policy(before);
}
