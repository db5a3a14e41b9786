/*
 * abuse_malloc.c: vmap_malloc and vmap_free, given what they must refuse.
 */
#include "kernel/mm/commit.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/program.h"
#include "kernel/sched/semaphore.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

#define FAILING_CALLS 50000u

/* Expects NULL and the error. */
#define CHECK_REFUSED(error, call)     \
	do {                           \
		*vmap_errno() = 0;     \
		CHECK((call) == NULL); \
		CHECK_ERRNO(error);    \
	} while (0)

/* A free that must change nothing. */
#define CHECK_NOT_FREED(error, vmap, address)       \
	do {                                        \
		*vmap_errno() = 0;                  \
		vmap_free(vmap, (void *)(address)); \
		CHECK_ERRNO(error);                 \
	} while (0)

PROCESS_TEST(malloc, bad_sizes)
{
	CHECK_REFUSED(EINVAL, vmap_malloc(self_vmap(), 0));
	CHECK_REFUSED(EINVAL, vmap_malloc(self_vmap(), -1));
	CHECK_REFUSED(EINVAL, vmap_malloc(self_vmap(), INT32_MIN));
	CHECK_REFUSED(EINVAL, vmap_malloc(NULL, 8));
	CHECK_REFUSED(EINVAL, vmap_malloc(NULL, 0));
}

PROCESS_TEST(malloc, more_than_there_is_changes_nothing)
{
	struct commit_state before = commit_read(), after;

	CHECK_REFUSED(ENOMEM, vmap_malloc(self_vmap(), INT32_MAX));
	CHECK_REFUSED(ENOMEM, vmap_malloc(self_vmap(), (int)GIB(1)));
	after = commit_read();
	CHECK_EQUAL(before.committed, after.committed);
	CHECK_EQUAL(before.kernel_pages, after.kernel_pages);
}

PROCESS_TEST(malloc, every_size_to_the_last_byte)
{
	for (unsigned shift = 0; shift <= 16; shift++) {
		for (int extra = -1; extra <= 1; extra++) {
			int size = (1 << shift) + extra;
			char *block = size > 0 ? vmap_malloc(self_vmap(), size) : NULL;

			if (size == 0 || !CHECK(block))
				continue;
			block[0] = 1;
			block[size - 1] = 2;
			CHECK_EQUAL(size == 1 ? 2 : 1, block[0]);
			vmap_free(self_vmap(), block);
			CHECK_ERRNO(0);
		}
	}
}

/* All that may be promised now, in pages, as blocks of less and less. */
static uint64_t take_all(void **blocks, unsigned max, unsigned *count)
{
	uint64_t pages = 0;

	*count = 0;
	for (int size = 64 << 20; size >= (int)PAGE_SIZE && *count < max;) {
		blocks[*count] = vmap_malloc(self_vmap(), size);
		if (!blocks[*count]) {
			size /= 2;
			continue;
		}
		pages += (uint64_t)size / PAGE_SIZE;
		(*count)++;
	}
	return pages;
}

PROCESS_TEST(malloc, all_free_all_again)
{
	static void *blocks[64];
	uint64_t first = 0;

	for (unsigned round = 0; round < 3; round++) {
		unsigned count;
		uint64_t pages = take_all(blocks, ARRAY_SIZE(blocks), &count);

		CHECK_REFUSED(ENOMEM, vmap_malloc(self_vmap(), 4 * (int)PAGE_SIZE));
		/* Page tables that the first round made stay, so the second may take no less. */
		CHECK(pages > 0 && pages >= first);
		first = pages;
		while (count)
			vmap_free(self_vmap(), blocks[--count]);
	}
}

PROCESS_TEST(malloc, fifty_thousand_failing_calls)
{
	uint64_t used = commit_read().kernel_pages;
	char *block = vmap_malloc(self_vmap(), 64);

	for (unsigned i = 0; i < FAILING_CALLS; i++) {
		if (vmap_malloc(self_vmap(), -(int)i))
			FAIL("a block of %d bytes", -(int)i);
		vmap_free(self_vmap(), block + 1 + i % 15);
		if (*vmap_errno() != EINVAL)
			FAIL("freed %u bytes into a block", 1 + i % 15);
	}
	vmap_free(self_vmap(), block);
	CHECK_ERRNO(0);
	/* The first block's table and records. */
	CHECK(commit_read().kernel_pages - used <= 4);
}

PROCESS_TEST(malloc, no_kernel_page_changes_nothing)
{
	uint64_t before = commit_read().committed;

	NEED_PAGES(1000);
	kernel_pages_fail(1, 1);
	CHECK_REFUSED(ENOMEM, vmap_malloc(self_vmap(), 100));
	CHECK_REFUSED(ENOMEM, vmap_malloc(self_vmap(), 3 << 20));
	kernel_pages_fail(0, 0);
	CHECK_EQUAL(before, commit_read().committed);
	CHECK(vmap_malloc(self_vmap(), 100));
	CHECK(vmap_malloc(self_vmap(), 3 << 20));
}

/* ---- Another's address space ------------------------------------------------ */

static struct VMap *victim_vmap;
static char *victim_block;
static bool victim_ready, victim_may_end, victim_gone;

/* A process with a block, that stays until told. */
static int victim(int argc, char **argv)
{
	(void)argc, (void)argv;
	victim_vmap = self_vmap();
	victim_block = vmap_malloc(self_vmap(), 100);
	string_copy(victim_block, "mine", 100);
	__atomic_store_n(&victim_ready, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&victim_may_end, __ATOMIC_ACQUIRE))
		yield();
	return strcmp(victim_block, "mine") == 0 ? 0 : 1;
}

static int intruder(int argc, char **argv)
{
	(void)argc, (void)argv;
	CHECK_REFUSED(EPERM, vmap_malloc(victim_vmap, 8));
	CHECK_NOT_FREED(EPERM, victim_vmap, victim_block);
	CHECK_NOT_FREED(EPERM, self_vmap(), victim_block);
	CHECK_NOT_FREED(EPERM, self_vmap(), victim_block + 1);
	return 0;
}

TEST(malloc, of_another_process)
{
	pid_t pid;

	victim_ready = victim_may_end = false;
	pid = SPAWN(victim, 0, NULL);
	while (pid && !__atomic_load_n(&victim_ready, __ATOMIC_ACQUIRE))
		thread_yield();
	CHECK_EXITS(0, intruder);
	/* A thread of the kernel itself may. */
	vmap_free(victim_vmap, vmap_malloc(victim_vmap, 8));
	CHECK_ERRNO(0);
	__atomic_store_n(&victim_may_end, true, __ATOMIC_RELEASE);
	CHECK_ENDED(FAULT_OK, 0, pid);
}

static int intruder_to_the_dead(int argc, char **argv)
{
	(void)argc, (void)argv;
	while (!__atomic_load_n(&victim_gone, __ATOMIC_ACQUIRE))
		yield();
	CHECK_REFUSED(ESRCH, vmap_malloc(victim_vmap, 8));
	CHECK_NOT_FREED(ESRCH, victim_vmap, victim_block);
	CHECK_ERROR(ESRCH, vmap_copy_to_memory(victim_vmap, victim_block, "x", 1));
	return 0;
}

TEST(malloc, of_a_dead_process)
{
	pid_t pid;

	victim_gone = false;
	victim_may_end = true;
	/* It starts first: a later one might be put where the dead one was. */
	pid = SPAWN(intruder_to_the_dead, 0, NULL);
	CHECK_EXITS(0, victim);
	CHECK_REFUSED(ESRCH, vmap_malloc(victim_vmap, 8));
	CHECK_NOT_FREED(ESRCH, victim_vmap, victim_block);
	__atomic_store_n(&victim_gone, true, __ATOMIC_RELEASE);
	CHECK_ENDED(FAULT_OK, 0, pid);
}

/* ---- vmap_free ---------------------------------------------------------------- */

PROCESS_TEST(free, what_is_no_block)
{
	char *small = vmap_malloc(self_vmap(), 24);
	char *large = vmap_malloc(self_vmap(), 5 * (int)PAGE_SIZE);

	*vmap_errno() = EIO;
	vmap_free(self_vmap(), NULL);
	CHECK_ERRNO(EIO); /* no-op: not even that */
	CHECK_NOT_FREED(EINVAL, NULL, small);
	CHECK_NOT_FREED(EINVAL, self_vmap(), small + 8);
	CHECK_NOT_FREED(EINVAL, self_vmap(), small + 1);
	CHECK_NOT_FREED(EINVAL, self_vmap(), small + 32);
	CHECK_NOT_FREED(EINVAL, self_vmap(), small - 32);
	CHECK_NOT_FREED(EINVAL, self_vmap(), large + PAGE_SIZE);
	CHECK_NOT_FREED(EINVAL, self_vmap(), large + 5 * PAGE_SIZE);
	CHECK_NOT_FREED(EINVAL, self_vmap(), 16);
	CHECK_NOT_FREED(EINVAL, self_vmap(), PROGRAM_BASE);
	/* In its own slice, beyond the arenas; in a slice that nobody has. */
	CHECK_NOT_FREED(EINVAL, self_vmap(),
			(((vaddr_t)self_vmap()->slot + 1) << SLICE_SHIFT) - 64);
	CHECK_NOT_FREED(EINVAL, self_vmap(), (vaddr_t)PROCESS_MAX << SLICE_SHIFT);
	small[0] = large[0] = 1; /* both are still there */
	vmap_free(self_vmap(), small);
	CHECK_ERRNO(0);
	vmap_free(self_vmap(), large);
	CHECK_ERRNO(0);
}

PROCESS_TEST(free, twice)
{
	char *small = vmap_malloc(self_vmap(), 24), *other = vmap_malloc(self_vmap(), 24);
	char *large = vmap_malloc(self_vmap(), 5 * (int)PAGE_SIZE);

	vmap_free(self_vmap(), small);
	CHECK_NOT_FREED(EINVAL, self_vmap(), small);
	vmap_free(self_vmap(), large);
	CHECK_NOT_FREED(EINVAL, self_vmap(), large);
	*other = 1;
	vmap_free(self_vmap(), other);
	CHECK_ERRNO(0);
	CHECK_NOT_FREED(EINVAL, self_vmap(), other);
	/* Given out again, it can be freed again, once. */
	CHECK_EQUAL(other, vmap_malloc(self_vmap(), 24));
	vmap_free(self_vmap(), other);
	CHECK_ERRNO(0);
}

PROCESS_TEST(free, addresses_of_the_kernel)
{
	char on_the_stack;

	CHECK_NOT_FREED(EPERM, self_vmap(), DIRECT_BASE);
	CHECK_NOT_FREED(EPERM, self_vmap(), &on_the_stack);
	CHECK_NOT_FREED(EPERM, self_vmap(), &victim_ready);
	CHECK_NOT_FREED(EPERM, self_vmap(), UINT64_MAX);
	CHECK_NOT_FREED(EPERM, self_vmap(), PROCESS_END);        /* not canonical */
	CHECK_NOT_FREED(EPERM, self_vmap(), 0x8000000000000000); /* neither */
}

static int touches_after_free(int argc, char **argv)
{
	char *block = vmap_malloc(self_vmap(), 2 * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	test_store((vaddr_t)block, 1);
	vmap_free(self_vmap(), block);
	test_store((vaddr_t)block, 2);
	return 0;
}

TEST(free, then_touch)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, touches_after_free);
}

PROCESS_TEST(free, swapped_out_block)
{
	uint64_t slots = swap_read_counts().used;
	char *block = vmap_malloc(self_vmap(), 3 * (int)PAGE_SIZE);

	NEED_SLOTS(50);
	test_pages_fill((vaddr_t)block, 3, 1);
	for (unsigned i = 0; i < 3; i++)
		(void)test_swap_out((vaddr_t)block + i * PAGE_SIZE);
	CHECK(swap_read_counts().used >= slots + 3);
	slots = swap_read_counts().used;
	vmap_free(self_vmap(), block);
	CHECK_ERRNO(0);
	CHECK_EQUAL(slots - 3, swap_read_counts().used);
}

/* ---- Fresh pages are zero, whoever had them ------------------------------------ */

#define ZERO_PAGES 200

static int fills_pages(int argc, char **argv)
{
	char *block = vmap_malloc(self_vmap(), ZERO_PAGES * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	memset(block, 0xa5, ZERO_PAGES * PAGE_SIZE);
	return 0;
}

static int finds_zeros(int argc, char **argv)
{
	const uint64_t *words = vmap_malloc(self_vmap(), ZERO_PAGES * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	for (unsigned i = 0; i < ZERO_PAGES * PAGE_SIZE / 8; i++)
		if (words[i])
			return 1;
	return 0;
}

TEST(malloc, fresh_pages_are_zero)
{
	for (unsigned round = 0; round < 2; round++) {
		CHECK_EXITS(0, fills_pages);
		CHECK_EXITS(0, finds_zeros);
	}
}

/* ---- Several threads at full speed --------------------------------------------- */

#define STORM_THREADS 4
#define STORM_ROUNDS 1500
#define STORM_BLOCKS 8

static unsigned storm_errors;

static void storm(void *argument)
{
	struct random random;
	uint64_t *blocks[STORM_BLOCKS] = {NULL};
	uint64_t id = (uint64_t)argument;

	test_random(&random);
	random.state ^= id << 32;
	for (unsigned i = 0; i < STORM_ROUNDS; i++) {
		unsigned at = (unsigned)random_below(&random, STORM_BLOCKS);

		if (blocks[at]) {
			if (*blocks[at] != (id << 32 | at))
				__atomic_fetch_add(&storm_errors, 1, __ATOMIC_RELAXED);
			vmap_free(self_vmap(), blocks[at]);
			blocks[at] = NULL;
			continue;
		}
		blocks[at] = vmap_malloc(self_vmap(), 8 << random_below(&random, 12));
		if (blocks[at])
			*blocks[at] = id << 32 | at;
		else
			__atomic_fetch_add(&storm_errors, 1, __ATOMIC_RELAXED);
	}
}

PROCESS_TEST(malloc, storm_of_threads)
{
	tid_t tids[STORM_THREADS];

	storm_errors = 0;
	for (uint64_t i = 0; i < STORM_THREADS; i++)
		if (!CHECK_ERROR(0, thread_start(storm, (void *)i, &tids[i])))
			return;
	for (unsigned i = 0; i < STORM_THREADS; i++)
		CHECK_ERROR(0, thread_join(tids[i]));
	CHECK_EQUAL(0, storm_errors);
}

/* ---- The same block freed by two ------------------------------------------------- */

#define RACE_ROUNDS 300

static char *race_blocks[RACE_ROUNDS];
static struct semaphore race_here[2];
static unsigned race_freed[RACE_ROUNDS]; /* atomic */

static void racer(void *argument)
{
	uint64_t id = (uint64_t)argument;

	for (unsigned round = 0; round < RACE_ROUNDS; round++) {
		/* "I am here", then wait until the other is. */
		CHECK_ERROR(0, semaphore_post(&race_here[id]));
		CHECK_ERROR(0, semaphore_wait(&race_here[1 - id]));
		vmap_free(self_vmap(), race_blocks[round]);
		if (*vmap_errno() == 0)
			__atomic_fetch_add(&race_freed[round], 1, __ATOMIC_RELAXED);
	}
}

PROCESS_TEST(free, twice_at_once)
{
	tid_t tids[2];

	NEED_PAGES(2 * RACE_ROUNDS);
	for (unsigned round = 0; round < RACE_ROUNDS; round++) {
		race_freed[round] = 0;
		race_blocks[round] = vmap_malloc(self_vmap(), round % 2 ? 40 : 5000);
		if (CHECK(race_blocks[round]))
			*race_blocks[round] = 1;
	}
	for (unsigned i = 0; i < 2; i++)
		CHECK_ERROR(0, semaphore_init(&race_here[i], 0));
	for (uint64_t i = 0; i < 2; i++)
		if (!CHECK_ERROR(0, thread_start(racer, (void *)i, &tids[i])))
			return;
	for (unsigned i = 0; i < 2; i++)
		CHECK_ERROR(0, thread_join(tids[i]));
	for (unsigned round = 0; round < RACE_ROUNDS; round++)
		if (race_freed[round] != 1)
			FAIL("round %u: freed %u times", round, race_freed[round]);
}
