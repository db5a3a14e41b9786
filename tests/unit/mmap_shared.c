/*
 * mmap_shared.c: several at one page: private copies, what a child inherits,
 * counters in shared memory while it leaves and comes back, one slot for all.
 */
#include "kernel/fs/file.h"
#include "kernel/fs/map.h"
#include "kernel/proc/program.h"
#include "kernel/proc/semaphores.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/map.h"
#include "tests/unit/pages.h"

#define NAME "shared file"
#define PAGES 6
#define BYTES (PAGES * PAGE_SIZE)

static const int READ_WRITE = MAP_PROTECTION_READ | MAP_PROTECTION_WRITE;

static int make_file(void)
{
	int file = test_file_make(NAME);

	CHECK_ERROR(0, file_truncate(file, BYTES));
	return file;
}

/* ---- Private copies ------------------------------------------------------------------- */

PROCESS_TEST(mmap, private_copies)
{
	int file = make_file();
	char *shared = test_map(NULL, BYTES, READ_WRITE, MAP_FLAG_SHARED, file, 0);
	char *copy = test_map(NULL, BYTES, READ_WRITE, MAP_FLAG_PRIVATE, file, 0);

	test_pages_fill((vaddr_t)shared, PAGES, 1);
	CHECK_EQUAL(0, memcmp(shared, copy, BYTES));
	copy[0] = 'c';                 /* read before */
	shared[1] = 's';               /* not seen in the copy of the page */
	copy[3 * PAGE_SIZE + 5] = 'd'; /* the same, away when it is written */
	CHECK_EQUAL('c', copy[0]);
	CHECK_EQUAL(0, shared[0]);
	CHECK(copy[1] != 's');
	shared[PAGE_SIZE] = 'S'; /* of another page: seen */
	CHECK_EQUAL('S', copy[PAGE_SIZE]);
	for (unsigned i = 0; i < 3; i++) {
		test_evict_all();
		CHECK_EQUAL('c', copy[0]);
		CHECK_EQUAL('d', copy[3 * PAGE_SIZE + 5]);
		CHECK_EQUAL(0, shared[3 * PAGE_SIZE + 5]);
		CHECK_EQUAL(0, memcmp(shared + 4 * PAGE_SIZE, copy + 4 * PAGE_SIZE, PAGE_SIZE));
		copy[4 * PAGE_SIZE - 1] = (char)i;
	}
	test_evict_all();
	copy[2 * PAGE_SIZE] = 'e'; /* copied from its slot */
	CHECK_EQUAL(0, memcmp(shared + 2 * PAGE_SIZE + 1, copy + 2 * PAGE_SIZE + 1, PAGE_SIZE - 1));
	test_unmap(shared, BYTES);
	CHECK_EQUAL('c', copy[0]);
	test_unmap(copy, BYTES);
	test_file_remove(file, NAME);
}

static char *copied;

static void copies_and_adds(void *argument)
{
	for (unsigned i = 0; i < PAGES; i++)
		__atomic_fetch_add(&copied[i * PAGE_SIZE], (char)(vaddr_t)argument,
				   __ATOMIC_RELAXED);
}

/* Two threads of one process write a page first, at once: one copy, both stores in it. */
PROCESS_TEST(mmap, private_copies_at_once)
{
	int file = make_file();

	for (unsigned round = 0; round < 30; round++) {
		tid_t tids[3];

		copied = test_map(NULL, BYTES, READ_WRITE, MAP_FLAG_PRIVATE, file, 0);
		if (round % 2)
			CHECK_EQUAL(0, copied[0]);
		for (unsigned i = 0; i < ARRAY_SIZE(tids); i++)
			CHECK_ERROR(0, thread_start(copies_and_adds, (void *)(vaddr_t)(1 << i),
						    &tids[i]));
		if (round % 3 == 0)
			test_evict(2 * PAGES);
		for (unsigned i = 0; i < ARRAY_SIZE(tids); i++)
			CHECK_ERROR(0, thread_join(tids[i]));
		for (unsigned i = 0; i < PAGES; i++)
			CHECK_EQUAL(7, copied[i * PAGE_SIZE]);
		test_unmap(copied, BYTES);
	}
	test_file_remove(file, NAME);
}

/* ---- What a child inherits --------------------------------------------------------------- */

static int adds_one(void *argument)
{
	__atomic_fetch_add((uint64_t *)argument, 1, __ATOMIC_RELAXED);
	return 7;
}

PROCESS_TEST(mmap, inherited)
{
	char *bytes = test_anonymous(BYTES);
	uint64_t *counter = (uint64_t *)(bytes + 5 * PAGE_SIZE);

	*counter = 100;
	CHECK_ENDED(FAULT_OK, 7, test_child(adds_one, counter));
	CHECK_EQUAL(101, *counter);
	test_evict_all();
	CHECK_ENDED(FAULT_OK, 7, test_child(adds_one, counter));
	CHECK_EQUAL(102, *counter);
	/* What the parent has unmapped by then is not there. */
	CHECK_ERROR(0, unmap_memory(counter, PAGE_SIZE));
	CHECK_ENDED(FAULT_BAD_ADDRESS, 0, test_child(adds_one, counter));
	CHECK_ENDED(FAULT_OK, 7, test_child(adds_one, bytes));
	test_unmap(bytes, BYTES);
}

PROCESS_TEST(mmap, private_is_not_inherited)
{
	char *bytes =
		test_map(NULL, BYTES, READ_WRITE, MAP_FLAG_PRIVATE | MAP_FLAG_ANONYMOUS, -1, 0);

	bytes[0] = 1;
	CHECK_ENDED(FAULT_BAD_ADDRESS, 0, test_child(adds_one, bytes));
	CHECK_EQUAL(1, bytes[0]);
	test_unmap(bytes, BYTES);
}

struct meeting {
	int64_t parent, child; /* semaphores */
	uint64_t value;
};

static int keeps_it(void *argument)
{
	struct meeting *meeting = argument;

	CHECK_ERROR(0, semaphore_down(meeting->child)); /* the parent has unmapped it */
	return meeting->value == 77 ? 0 : 1;
}

/* Unmapped while another process still maps: that one keeps it. */
PROCESS_TEST(mmap, kept_by_a_child)
{
	struct meeting *meeting = (struct meeting *)test_anonymous(BYTES);
	int64_t semaphore = semaphore_make(0);
	pid_t pid;

	*meeting = (struct meeting){.child = semaphore, .value = 77};
	pid = test_child(keeps_it, meeting);
	CHECK_ERROR(EINVAL, semaphore_up(semaphore + 1));
	test_unmap((char *)meeting, BYTES);
	test_evict_all();
	CHECK_ERROR(0, semaphore_up(semaphore));
	CHECK_ENDED(FAULT_OK, 0, pid);
	CHECK_ERROR(0, semaphore_end(semaphore));
}

static int waits_for_ever(void *argument)
{
	return semaphore_down(*(int64_t *)argument);
}

static int starts_children_and_ends(int argc, char **argv)
{
	int64_t *semaphore = (int64_t *)test_anonymous(PAGE_SIZE);

	(void)argv;
	*semaphore = semaphore_make(0);
	for (unsigned i = 0; i < 3; i++)
		(void)test_child(waits_for_ever, semaphore);
	if (argc)
		CHECK_ERROR(0, semaphore_down(*semaphore)); /* until it is killed */
	return 5;
}

/* Children end with their parent: it returns, or is killed. */
TEST(mmap, children_end_with_their_parent)
{
	char *waits[] = {(char *)"waits", NULL};
	unsigned before = process_count();
	pid_t pid;

	CHECK_EXITS(5, starts_children_and_ends);
	pid = SPAWN(starts_children_and_ends, 1, waits);
	while (process_count() < before + 4)
		thread_yield();
	CHECK_ERROR(0, process_kill(pid));
	CHECK_ENDED(FAULT_KILLED, 0, pid);
	CHECK_EQUAL(before, process_count());
}

/* ---- Leaving memory and coming back -------------------------------------------------------- */

/* A page that two processes map has one slot, and comes back in both. */
static int looks_again(void *argument)
{
	struct meeting *meeting = argument;
	uint64_t slots = 0;

	if (test_pages_verify((vaddr_t)meeting + PAGE_SIZE, PAGES - 1, 9))
		return 1;
	for (unsigned i = 0; i < 100 && slots == 0; i++) {
		test_evict_all();
		if (pte_is_ask(pte_read(test_entry((vaddr_t)meeting + PAGE_SIZE))))
			slots = swap_read_counts().used;
	}
	if (slots == 0)
		return 2;
	if (test_pages_verify((vaddr_t)meeting + PAGE_SIZE, PAGES - 1, 9))
		return 3;
	meeting->value = 5;
	CHECK_ERROR(0, semaphore_up(meeting->parent));
	CHECK_ERROR(0, semaphore_down(meeting->child));
	return meeting->value == 6 ? 0 : 4;
}

PROCESS_TEST(mmap, one_slot_for_all)
{
	struct meeting *meeting = (struct meeting *)test_anonymous(BYTES);
	uint64_t before;
	pid_t pid;

	NEED_SLOTS(50);
	meeting->parent = semaphore_make(0);
	meeting->child = semaphore_make(0);
	test_pages_fill((vaddr_t)meeting + PAGE_SIZE, PAGES - 1, 9);
	pid = test_child(looks_again, meeting);
	CHECK_ERROR(0, semaphore_down(meeting->parent));
	CHECK_EQUAL(5, meeting->value);
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)meeting + PAGE_SIZE, PAGES - 1, 9));
	/* All of it, in both, in as many slots as it has pages. */
	test_evict_all();
	before = swap_read_counts().used;
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)meeting + PAGE_SIZE, PAGES - 1, 9));
	test_evict_all();
	CHECK_EQUAL(before, swap_read_counts().used);
	meeting->value = 6;
	CHECK_ERROR(0, semaphore_up(meeting->child));
	CHECK_ENDED(FAULT_OK, 0, pid);
	CHECK_ERROR(0, semaphore_end(meeting->parent));
	CHECK_ERROR(0, semaphore_end(meeting->child));
	test_unmap((char *)meeting, BYTES);
}

#define COUNTERS_ROUNDS 400

struct counters {
	int64_t mutex;
	uint64_t number; /* the next child's */
	uint64_t ours;   /* under the mutex */
};

/* Each page has a counter that all raise under the mutex, and one for each child alone. */
static int counts(void *argument)
{
	struct counters *counters = argument;
	uint64_t number = __atomic_fetch_add(&counters->number, 1, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < COUNTERS_ROUNDS; i++) {
		uint64_t *page =
			(uint64_t *)((vaddr_t)counters + (1 + i % (PAGES - 1)) * PAGE_SIZE);

		if (semaphore_down(counters->mutex))
			return 1;
		page[0]++;
		counters->ours++;
		if (semaphore_up(counters->mutex))
			return 2;
		page[1 + number]++;
	}
	return 0;
}

static void count_with(unsigned children)
{
	struct counters *counters = (struct counters *)test_anonymous(BYTES);
	uint64_t sums[5] = {0};
	pid_t pids[4];

	counters->mutex = semaphore_make(1);
	for (unsigned i = 0; i < children; i++)
		pids[i] = test_child(counts, counters);
	for (unsigned i = 0; i < children; i++)
		CHECK_ENDED(FAULT_OK, 0, pids[i]);
	CHECK_EQUAL(children * COUNTERS_ROUNDS, counters->ours);
	for (unsigned page = 1; page < PAGES; page++)
		for (unsigned i = 0; i <= children; i++)
			sums[i] += ((uint64_t *)((vaddr_t)counters + page * PAGE_SIZE))[i];
	CHECK_EQUAL(children * COUNTERS_ROUNDS, sums[0]);
	for (unsigned i = 1; i <= children; i++)
		CHECK_EQUAL(COUNTERS_ROUNDS, sums[i]);
	CHECK_ERROR(0, semaphore_end(counters->mutex));
	test_unmap((char *)counters, BYTES);
}

/* So few frames that nearly every touch evicts somebody else's page. */
PROCESS_TEST(mmap, counters_while_pages_leave)
{
	NEED_SLOTS(100);
	count_with(2);
	test_limit_set(8);
	count_with(2);
	count_with(4);
	test_limit_set(4);
	count_with(2);
	test_limit_restore();
}

static struct failing_device failing;

static int loses_a_shared_page(int argc, char **argv)
{
	char *bytes = test_anonymous(BYTES);

	(void)argc, (void)argv;
	test_pages_fill((vaddr_t)bytes, PAGES, 3);
	for (unsigned i = 0; i < 100 && !pte_is_ask(pte_read(test_entry((vaddr_t)bytes))); i++)
		test_evict_all();
	failing = (struct failing_device){.read_nth = 1, .read_every = 1};
	failing_device_install(&failing);
	return (int)test_pages_verify((vaddr_t)bytes, PAGES, 3);
}

TEST(mmap, lost_in_swap)
{
	NEED_SLOTS(100);
	CHECK_DIES(FAULT_SWAP_LOST, loses_a_shared_page);
	failing_device_remove(&failing);
}

/* As much shared memory as may be promised, all of it written and read back twice. */
PROCESS_TEST(mmap, exactly_full)
{
	uint64_t pages;
	char *bytes;

	NEED_SLOTS(200);
	test_limit_set(32);
	pages = (uint64_t)commit_read().available;
	if (pages > 6000) {
		test_limit_restore();
		SKIP("%lu pages take too long", pages);
	}
	pages -= pages / 100 + 8; /* its tables, its records */
	bytes = test_anonymous(pages * PAGE_SIZE);
	for (uint64_t seed = 1; seed <= 2; seed++) {
		test_pages_fill((vaddr_t)bytes, pages, seed);
		CHECK_EQUAL(0, test_pages_verify((vaddr_t)bytes, pages, seed));
	}
	CHECK(swap_read_counts().slots - swap_read_counts().used < 64);
	test_unmap(bytes, pages * PAGE_SIZE);
	test_limit_restore();
}
