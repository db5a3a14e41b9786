/*
 * abuse_fault.c: accesses that must end their process, and it alone; and those
 * on a handful of frames that must complete.
 */
#include "arch/x86_64/layout.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/program.h"
#include "kernel/sched/semaphore.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

/* What the process is to touch: its first argument says it better than a function each. */
static vaddr_t target;

static int reads_target(int argc, char **argv)
{
	(void)argc, (void)argv;
	return (int)test_load(target);
}

static int writes_target(int argc, char **argv)
{
	(void)argc, (void)argv;
	test_store(target, 1);
	return 0;
}

static int calls_target(int argc, char **argv)
{
	void (*volatile function)(void) = (void (*)(void))target;

	(void)argc, (void)argv;
	function();
	return 0;
}

TEST(fault, null)
{
	target = 0;
	CHECK_DIES(FAULT_BAD_ADDRESS, reads_target);
	CHECK(strstr(test_report(), "read 0x0000000000000000 at test_load"));
	CHECK_DIES(FAULT_BAD_ADDRESS, writes_target);
	CHECK(strstr(test_report(), "write 0x0000000000000000 at test_store"));
	CHECK_DIES(FAULT_BAD_ADDRESS, calls_target);
	CHECK(strstr(test_report(), "exec 0x0000000000000000"));
	target = PROCESS_FIRST - 8;
	CHECK_DIES(FAULT_BAD_ADDRESS, reads_target);
}

TEST(fault, nobodys_address)
{
	static const vaddr_t addresses[] = {
		PROCESS_FIRST,   (vaddr_t)PROCESS_MAX << SLICE_SHIFT,
		PROCESS_END - 8, DIRECT_END - 8,
		STACK_END - 8,   KERNEL_BASE - 8,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
		target = addresses[i];
		CHECK_DIES(FAULT_BAD_ADDRESS, reads_target);
		CHECK_DIES(FAULT_BAD_ADDRESS, writes_target);
		CHECK_DIES(FAULT_BAD_ADDRESS, calls_target);
	}
}

static int touches_and_reads_target(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), 64 * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	for (unsigned i = 0; i < 64; i++)
		test_store(block + i * PAGE_SIZE, i + 1);
	return (int)test_load(target);
}

/* Of which no table was ever remembered: a small negative number taken for an address. */
TEST(fault, highest_address)
{
	target = UINT64_MAX - 7;
	CHECK_DIES(FAULT_BAD_ADDRESS, touches_and_reads_target);
}

TEST(fault, address_that_is_not_canonical)
{
	target = PROCESS_END;
	CHECK_DIES(FAULT_TRAP, reads_target);
	CHECK_DIES(FAULT_TRAP, writes_target);
	target = 0x8000000000000000;
	CHECK_DIES(FAULT_TRAP, writes_target);
	CHECK_DIES(FAULT_TRAP, calls_target);
}

TEST(fault, write_to_what_is_read_only)
{
	static const uint64_t constant = 5;

	target = (vaddr_t)&test_load;
	CHECK_DIES(FAULT_FORBIDDEN, writes_target);
	target = (vaddr_t)&constant;
	CHECK_DIES(FAULT_FORBIDDEN, writes_target);
	CHECK_EQUAL(5, *(const volatile uint64_t *)&constant);
}

static int calls_its_block(int argc, char **argv)
{
	unsigned char *block = vmap_malloc(self_vmap(), 16);

	(void)argv;
	if (argc)
		*block = 0xc3; /* ret */
	target = (vaddr_t)block;
	return calls_target(0, NULL);
}

TEST(fault, execution_of_data)
{
	char *argv[] = {"touched"};

	CHECK_ENDS(FAULT_FORBIDDEN, 0, calls_its_block, 1, argv);
	CHECK_DIES(FAULT_FORBIDDEN, calls_its_block);
	target = (vaddr_t)&target; /* the kernel's */
	CHECK_DIES(FAULT_FORBIDDEN, calls_target);
	target = DIRECT_BASE + 0x1000;
	CHECK_DIES(FAULT_FORBIDDEN, calls_target);
}

static int divides_by_zero(int argc, char **argv)
{
	volatile int zero = 0;

	(void)argv;
	/* cppcheck-suppress zerodiv */
	return argc / zero; /* NOLINT(clang-analyzer-core.DivideZero): that is the test */
}

static int bad_instruction(int argc, char **argv)
{
	(void)argc, (void)argv;
	__asm__ volatile("ud2");
	return 0;
}

TEST(fault, other_exceptions)
{
	CHECK_DIES(FAULT_TRAP, divides_by_zero);
	CHECK(strstr(test_report(), "divi"));
	CHECK_DIES(FAULT_TRAP, bad_instruction);
}

/* ---- Stacks ------------------------------------------------------------------- */

/* Deeper with each call; GCC must not make a loop of it. */
static __attribute__((noinline)) uint64_t recurse(uint64_t depth, void (*at_each)(void))
{
	volatile uint64_t space[8];

	space[depth % 8] = depth;
	if (at_each)
		at_each();
	if (depth == UINT64_MAX)
		return 0;
	return recurse(depth + 1, at_each) + space[depth % 8];
}

static int overflows_its_stack(int argc, char **argv)
{
	(void)argc, (void)argv;
	return (int)recurse(0, NULL);
}

TEST(fault, stack_overflow)
{
	CHECK_DIES(FAULT_STACK, overflows_its_stack);
	CHECK(strstr(test_report(), ": stack\n"));
}

#define OVERFLOWS 6

TEST(fault, stack_overflows_at_once)
{
	pid_t pids[OVERFLOWS];

	for (unsigned i = 0; i < OVERFLOWS; i++)
		pids[i] = SPAWN(overflows_its_stack, 0, NULL);
	for (unsigned i = 0; i < OVERFLOWS; i++)
		CHECK_ENDED(FAULT_STACK, 0, pids[i]);
}

static void thread_overflows(void *argument)
{
	(void)argument;
	(void)recurse(0, NULL);
}

static int overflows_in_a_thread(int argc, char **argv)
{
	tid_t tid;

	(void)argc, (void)argv;
	if (thread_start(thread_overflows, NULL, &tid))
		return 1;
	return thread_join(tid);
}

TEST(fault, stack_overflow_of_another_thread)
{
	CHECK_DIES(FAULT_STACK, overflows_in_a_thread);
}

static char *deep_block;
#define DEEP_PAGES 12

/* A fault, mostly with an eviction, at each depth. */
static void touch_deep(void)
{
	static unsigned page;

	page = (page + 5) % DEEP_PAGES;
	test_store((vaddr_t)deep_block + page * PAGE_SIZE, page);
}

static int faults_deep(int argc, char **argv)
{
	(void)argc, (void)argv;
	deep_block = vmap_malloc(self_vmap(), DEEP_PAGES * (int)PAGE_SIZE);
	return (int)recurse(0, touch_deep);
}

TEST(fault, stack_overflow_among_faults)
{
	NEED_SLOTS(50);
	test_limit_set(RESIDENT_MIN + 4);
	CHECK_DIES(FAULT_STACK, faults_deep);
	test_limit_restore();
}

static void serve_deep(void)
{
	char *block = vmap_malloc(self_vmap(), 3 * (int)PAGE_SIZE);

	(void)vmap_copy_to_memory(self_vmap(), block, &block, 8);
	vmap_free(self_vmap(), block);
}

static int calls_services_deep(int argc, char **argv)
{
	(void)argc, (void)argv;
	return (int)recurse(0, serve_deep);
}

TEST(fault, stack_overflow_among_services)
{
	CHECK_DIES(FAULT_STACK, calls_services_deep);
	NEED_SLOTS(50);
	test_limit_set(RESIDENT_MIN);
	CHECK_DIES(FAULT_STACK, calls_services_deep);
	test_limit_restore();
}

/* ---- Progress on a handful of frames -------------------------------------------- */

#define STRADDLE_PROCESSES 4
#define STRADDLE_ROUNDS 60

/* One instruction, both operands over a page's end: four pages. */
static void move_straddling(void *to, const void *from)
{
	__asm__ volatile("movsq" : "+D"(to), "+S"(from) : : "memory");
}

static int straddles(int argc, char **argv)
{
	char *block = vmap_malloc(self_vmap(), 8 * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	for (uint64_t i = 1; i <= STRADDLE_ROUNDS; i++) {
		char *from = block + PAGE_SIZE - 1 - i % 7;
		char *to = block + 5 * PAGE_SIZE - 1 - i % 5;

		test_evict_all();
		test_store((vaddr_t)from, i * 0x0101010101010101);
		test_evict_all();
		move_straddling(to, from);
		if (test_load((vaddr_t)to) != i * 0x0101010101010101)
			return 1;
	}
	return 0;
}

static void straddle_all(void)
{
	pid_t pids[STRADDLE_PROCESSES];

	test_limit_set(RESIDENT_MIN);
	CHECK_EXITS(0, straddles);
	for (unsigned i = 0; i < STRADDLE_PROCESSES; i++)
		pids[i] = SPAWN(straddles, 0, NULL);
	for (unsigned i = 0; i < STRADDLE_PROCESSES; i++)
		CHECK_ENDED(FAULT_OK, 0, pids[i]);
	test_limit_restore();
}

static void straddle_under(const char *name)
{
	struct policy *before = lru_policy();
	struct policy *policy = policy_find(name);

	NEED_SLOTS(100);
	if (!CHECK(policy))
		return;
	lru_set_policy(policy);
	straddle_all();
	lru_set_policy(before);
}

TEST(fault, straddling_on_four_frames_lru)
{
	straddle_under("lru");
}

TEST(fault, straddling_on_four_frames_lru_exact)
{
	straddle_under("lru-exact");
}

TEST(fault, straddling_on_four_frames_fifo)
{
	straddle_under("fifo");
}

TEST(fault, straddling_on_four_frames_clock)
{
	straddle_under("clock");
}

/* Two threads fault on the same untouched page at once: one frame, and nothing lost. */
#define SAME_PAGES 200

static uint64_t *same_block;
static struct semaphore same_turns[2];

static void touches_the_same(void *argument)
{
	uint64_t id = (uint64_t)argument;

	for (unsigned i = 0; i < SAME_PAGES; i++) {
		/* "I am here", then wait until the other is. */
		CHECK_ERROR(0, semaphore_post(&same_turns[id - 1]));
		CHECK_ERROR(0, semaphore_wait(&same_turns[2 - id]));
		same_block[i * (PAGE_SIZE / 8) + id] = i + id;
	}
}

PROCESS_TEST(fault, two_threads_on_one_page)
{
	tid_t tids[2];

	same_block = vmap_malloc(self_vmap(), SAME_PAGES * (int)PAGE_SIZE);
	for (unsigned i = 0; i < 2; i++)
		CHECK_ERROR(0, semaphore_init(&same_turns[i], 0));
	for (uint64_t i = 0; i < 2; i++)
		if (!CHECK_ERROR(0, thread_start(touches_the_same, (void *)(i + 1), &tids[i])))
			return;
	for (unsigned i = 0; i < 2; i++)
		CHECK_ERROR(0, thread_join(tids[i]));
	for (unsigned i = 0; i < SAME_PAGES; i++)
		if (same_block[i * (PAGE_SIZE / 8) + 1] != i + 1 ||
		    same_block[i * (PAGE_SIZE / 8) + 2] != i + 2)
			FAIL("page %u", i);
}
