/*
 * translations.c: what CPUs remember of page tables: shootdowns against each
 * other, against readers and against switches of the address space; and pages whose
 * shootdown comes later, or never.
 */
#include "kernel/proc/program.h"
#include "tests/schedule/scenario.h"

/* ---- 11 -------------------------------------------------------------------------- */

#define SHOTS 4u

static unsigned parts;
static vaddr_t shot_at;
static unsigned finished, counted;
static uint64_t received_after;

static void shoots(void *number)
{
	(void)number;
	scenario_meet();
	for (unsigned i = 0; i < SHOTS; i++)
		tlb_shootdown(tlb_all_cpus(), &shot_at, 1);
	/* A thread that ends has its stack unmapped, everywhere: not before all is counted. */
	scenario_count_to(&finished, parts);
	__atomic_store_n(&received_after, counter_read(COUNTER_TLB_RECEIVED), __ATOMIC_RELAXED);
	scenario_count_to(&counted, parts);
}

SCENARIO(11, mutual_shootdown)
{
	uint64_t received;

	parts = scenario_parts(8);
	scenario_expect(parts);
	shot_at = PROGRAM_BASE;
	finished = counted = 0;
	process_quiesce();
	received = counter_read(COUNTER_TLB_RECEIVED);
	for (unsigned i = 0; i < parts; i++)
		scenario_start(shoots, NULL);
	scenario_finish();
	CHECK_EQUAL(parts * SHOTS * (cpu_count - 1), received_after - received);
}

/* ---- 12 and 13 ------------------------------------------------------------------- */

#define REMAPS 5u
#define OTHERS_WORD 0x0de4000000000000ull

/* A process that maps another frame at the same address, again and again, while it is read. */
static struct remapped {
	vaddr_t page;
	uint64_t round; /* atomic: the page has this, or zero, or something newer */
	bool ended;     /* atomic */
} remapped[2];

static unsigned readers;

/* The frame that is freed goes to another page at once, so who still reads it reads that. */
static void remaps(struct remapped *my)
{
	for (uint64_t round = 1; round <= REMAPS; round++) {
		vaddr_t other = (vaddr_t)work_malloc(3 * PAGE_SIZE);

		work_free((void *)my->page);
		test_store(other, OTHERS_WORD + round);
		CHECK_EQUAL(my->page, (vaddr_t)work_malloc(PAGE_SIZE));
		test_store(my->page, round);
		__atomic_store_n(&my->round, round, __ATOMIC_SEQ_CST);
		schedule_point();
		CHECK_EQUAL(OTHERS_WORD + round, test_load(other));
		work_free((void *)other);
	}
	__atomic_store_n(&my->ended, true, __ATOMIC_SEQ_CST);
}

static void reads(struct remapped *my)
{
	while (!__atomic_load_n(&my->ended, __ATOMIC_SEQ_CST)) {
		uint64_t round = __atomic_load_n(&my->round, __ATOMIC_SEQ_CST);
		uint64_t value = 0;
		int result = scenario_try_load(my->page, &value);

		if (result)
			CHECK_ERROR(EFAULT, result);
		else if (value != 0 && (value < round || value > REMAPS))
			FAIL("round %lu, but %p is read", round, (void *)value);
		thread_yield();
	}
}

static void remaps_or_reads(void *number)
{
	uint64_t me = (uint64_t)number;

	scenario_meet();
	if (me < 2)
		remaps(&remapped[me]);
	else
		reads(&remapped[me - 2]);
}

/* The process whose number is argv[0]. */
static int remapping_process(int argc, char **argv)
{
	uint64_t me = work_number(argc, argv);
	tid_t tids[8];

	remapped[me] = (struct remapped){.page = (vaddr_t)work_malloc(PAGE_SIZE)};
	test_store(remapped[me].page, 0);
	for (unsigned i = 0; i <= readers; i++)
		CHECK_ERROR(0, thread_start(remaps_or_reads, (void *)(i ? me + 2 : me), &tids[i]));
	for (unsigned i = 0; i <= readers; i++)
		CHECK_ERROR(0, thread_join(tids[i]));
	return 0;
}

SCENARIO(12, remap_against_read)
{
	readers = scenario_parts(4) - 1;
	scenario_expect(1 + readers);
	WORK_PROCESSES(1, remapping_process);
}

/* More threads than CPUs, and of two processes: each yield loads another address space. */
SCENARIO(13, switch_during_shootdown)
{
	readers = scenario_parts(4) / 2 + 1;
	scenario_expect(2 * (1 + readers));
	WORK_PROCESSES(2, remapping_process);
}

/* ---- 29 -------------------------------------------------------------------------- */

#define BLOCK_PAGES 2u

/* A block of several pages that is freed, and another that has its part from then on. */
static struct {
	vaddr_t block; /* atomic; its first page has the round, or zero, or something newer */
	uint64_t round;
	bool ended;
} moving;

static void moves(void)
{
	for (uint64_t round = 1; round <= REMAPS; round++) {
		vaddr_t block;

		work_free((void *)moving.block);
		block = (vaddr_t)work_malloc(BLOCK_PAGES * PAGE_SIZE);
		CHECK_EQUAL(0, test_load(block));
		test_store(block, round);
		__atomic_store_n(&moving.block, block, __ATOMIC_SEQ_CST);
		__atomic_store_n(&moving.round, round, __ATOMIC_SEQ_CST);
		schedule_point();
		CHECK_EQUAL(round, test_load(block));
	}
	__atomic_store_n(&moving.ended, true, __ATOMIC_SEQ_CST);
}

/* It never gives way: who switches threads forgets what he has seen. */
static void follows(void)
{
	while (!__atomic_load_n(&moving.ended, __ATOMIC_SEQ_CST)) {
		uint64_t round = __atomic_load_n(&moving.round, __ATOMIC_SEQ_CST);
		vaddr_t block = __atomic_load_n(&moving.block, __ATOMIC_SEQ_CST);
		uint64_t value = 0;
		int result = scenario_try_load(block, &value);

		if (result)
			CHECK_ERROR(EFAULT, result);
		else if (value != 0 && (value < round || value > REMAPS))
			FAIL("round %lu, but %p is read", round, (void *)value);
		schedule_wait();
	}
}

static void moves_or_follows(void *number)
{
	scenario_meet();
	if ((uint64_t)number == 0)
		moves();
	else
		follows();
}

static int block_moves(int argc, char **argv)
{
	(void)argc, (void)argv;
	moving.block = (vaddr_t)work_malloc(BLOCK_PAGES * PAGE_SIZE);
	moving.round = 0;
	moving.ended = false;
	test_store(moving.block, 0);
	work_threads(1 + readers, moves_or_follows);
	return 0;
}

SCENARIO(29, moved_block_against_read)
{
	readers = scenario_parts(4) - 1;
	scenario_expect(1 + readers);
	CHECK_EXITS(0, block_moves);
}

/* ---- 30 -------------------------------------------------------------------------- */

#define RETURNS 8u

/* A block that is freed and given out again, mostly the same, and who stores into each. */
static struct {
	vaddr_t block;
	unsigned round, stored; /* atomic: of the block; of the one that was stored into last */
} returning;

static void returns(void)
{
	for (unsigned round = 1; round <= RETURNS; round++) {
		/* Each size twice; the second time the other CPU has seen the page, which leaves.
		 */
		uint64_t size = (2 + round / 2 % 2) * PAGE_SIZE;
		vaddr_t block = (vaddr_t)work_malloc(size);

		CHECK_EQUAL(0, work_bytes_other_than(0, (void *)block, size));
		returning.block = block;
		__atomic_store_n(&returning.round, round, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&returning.stored, __ATOMIC_SEQ_CST) != round)
			schedule_wait();
		if (round % 2)
			scenario_evict(2 * BLOCK_PAGES);
		CHECK_EQUAL(round, test_load(block + PAGE_SIZE));
		work_free((void *)block);
	}
}

/* It never gives way, and stores by what it has seen of the block before. */
static void stores(void)
{
	for (unsigned round = 1; round <= RETURNS; round++) {
		while (__atomic_load_n(&returning.round, __ATOMIC_SEQ_CST) != round)
			schedule_wait();
		test_store(returning.block + PAGE_SIZE, round);
		__atomic_store_n(&returning.stored, round, __ATOMIC_SEQ_CST);
	}
}

static void returns_or_stores(void *number)
{
	scenario_meet();
	if ((uint64_t)number == 0)
		returns();
	else
		stores();
}

static int block_returns(int argc, char **argv)
{
	(void)argc, (void)argv;
	returning.round = returning.stored = 0;
	work_threads(2, returns_or_stores);
	return 0;
}

SCENARIO(30, block_again_against_store)
{
	NEED_SLOTS(4 * BLOCK_PAGES);
	scenario_expect(2);
	CHECK_EXITS(0, block_returns);
}

/* ---- 31 -------------------------------------------------------------------------- */

/* Two blocks, one after the other: the second comes and goes, and somebody walks up the first. */
static struct {
	vaddr_t first, second;
	uint64_t round, stored, freed, walked; /* atomic: how far each one is */
} beside;

static void wait_until(const uint64_t *word, uint64_t round)
{
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) < round)
		schedule_wait();
}

static void comes_again(void)
{
	for (uint64_t round = 1; round <= RETURNS; round++) {
		beside.first = (vaddr_t)work_malloc(BLOCK_PAGES * PAGE_SIZE);
		beside.second = (vaddr_t)work_malloc(BLOCK_PAGES * PAGE_SIZE);
		for (unsigned page = 0; page < BLOCK_PAGES; page++)
			test_store(beside.second + page * PAGE_SIZE, round);
		__atomic_store_n(&beside.round, 2 * round - 1, __ATOMIC_SEQ_CST);
		wait_until(&beside.stored, 2 * round - 1);
		work_free((void *)beside.second);
		__atomic_store_n(&beside.freed, round, __ATOMIC_SEQ_CST);
		beside.second = (vaddr_t)work_malloc(BLOCK_PAGES * PAGE_SIZE);
		CHECK_EQUAL(0, work_bytes_other_than(0, (void *)beside.second,
						     BLOCK_PAGES * PAGE_SIZE));
		__atomic_store_n(&beside.round, 2 * round, __ATOMIC_SEQ_CST);
		wait_until(&beside.stored, 2 * round);
		wait_until(&beside.walked, round);
		CHECK_EQUAL(2 * round, test_load(beside.second + PAGE_SIZE));
	}
}

static void sees_it(void)
{
	for (uint64_t step = 1; step <= 2 * RETURNS; step++) {
		wait_until(&beside.round, step);
		test_store(beside.second + PAGE_SIZE, step);
		__atomic_store_n(&beside.stored, step, __ATOMIC_SEQ_CST);
	}
}

/* The touch of the first block's last page maps the pages behind it, which are the second's. */
static void walks_up(void)
{
	for (uint64_t round = 1; round <= RETURNS; round++) {
		wait_until(&beside.round, 2 * round - 1);
		for (unsigned page = 0; page < BLOCK_PAGES; page++) {
			if (page == BLOCK_PAGES - 1)
				wait_until(&beside.freed, round);
			test_store(beside.first + page * PAGE_SIZE, round);
		}
		__atomic_store_n(&beside.walked, round, __ATOMIC_SEQ_CST);
	}
}

static void works_beside(void *number)
{
	scenario_meet();
	if ((uint64_t)number == 0)
		comes_again();
	else if ((uint64_t)number == 1)
		sees_it();
	else
		walks_up();
}

static int blocks_beside(int argc, char **argv)
{
	(void)argc, (void)argv;
	beside.round = beside.stored = beside.freed = beside.walked = 0;
	work_threads(3, works_beside);
	return 0;
}

SCENARIO(31, block_again_against_ahead)
{
	NEED_SLOTS(4 * BLOCK_PAGES);
	scenario_expect(3);
	CHECK_EXITS(0, blocks_beside);
}
