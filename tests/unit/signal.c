/*
 * signal.c: a process's own fault handler: what it may do, and what ends the
 * process although it has one. And the jumps that it leaves by.
 */
#include "kernel/proc/signal.h"

#include "arch/x86_64/jump.h"
#include "kernel/mm/lru.h"
#include "kernel/proc/program.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

/* A forbidden address: text is mapped and cannot be written. */
#define FORBIDDEN ((vaddr_t)test_load)

/* Tests' globals are the kernel's own: written by the process, read after its end. */
static struct signal_info seen;
static volatile unsigned calls;
static struct jump_point recovery;

static void use(void (*handler)(const struct signal_info *info))
{
	struct signal_action action = {.handler = handler};

	calls = 0;
	CHECK_ERROR(0, signal_set_action(SIGNAL_SEGV, &action, NULL));
}

/* What siglongjmp() does with a mask that sigsetjmp() saved. */
static NORETURN void leave(void)
{
	signal_set_blocked(0);
	jump_to(&recovery, 7);
}

static void jumps(const struct signal_info *info)
{
	seen = *info;
	calls++;
	leave();
}

PROCESS_TEST(signal, jump_returns_its_value)
{
	volatile int round = 0;
	int value = jump_set(&recovery);

	if (round < 3) {
		CHECK_EQUAL(round == 0 ? 0 : round == 1 ? 1 : -5, value);
		round++;
		jump_to(&recovery, round == 1 ? 0 : -5);
	}
	CHECK_EQUAL(-5, value);
}

PROCESS_TEST(signal, handler_jumps_out)
{
	use(jumps);
	for (volatile unsigned i = 0; i < 100; i++) {
		vaddr_t address = i % 3 == 0 ? 0 : i % 3 == 1 ? 8 * i : FORBIDDEN;

		if (jump_set(&recovery) == 0) {
			test_store(address, 1);
			FAIL("round %u: the store did not fault", i);
		}
		address = i % 3 == 0 ? 0 : i % 3 == 1 ? 8 * i : FORBIDDEN;
		CHECK_EQUAL(i + 1, calls);
		CHECK_EQUAL(SIGNAL_SEGV, seen.number);
		CHECK_EQUAL(address, seen.address);
		CHECK_EQUAL(address == FORBIDDEN ? SIGNAL_FORBIDDEN : SIGNAL_UNMAPPED, seen.code);
		CHECK(seen.program >= (vaddr_t)test_store &&
		      seen.program < (vaddr_t)test_store + 64);
	}
}

/* ---- Handlers that return ------------------------------------------------------ */

static struct VMap *vmap;
static char *block;
static vaddr_t next_block;

/* Makes memory where the access went: a block's address is known before it is there. */
static void mends(const struct signal_info *info)
{
	calls++;
	seen = *info;
	block = vmap_malloc(vmap, PAGE_SIZE);
}

PROCESS_TEST(signal, handler_mends_and_returns)
{
	vmap = self_vmap();
	block = vmap_malloc(vmap, PAGE_SIZE);
	next_block = (vaddr_t)block;
	use(mends);
	/* The same instruction at the same address, each time gone again: that is no loop. */
	for (unsigned i = 0; i < 20; i++) {
		vmap_free(vmap, block);
		test_store(next_block + 16, i);
		CHECK_EQUAL(i + 1, calls);
		CHECK_EQUAL(i, test_load(next_block + 16));
		CHECK_EQUAL(i + 1, calls);
	}
}

static void counts(const struct signal_info *info)
{
	(void)info;
	calls++;
}

static int faults_again(int argc, char **argv)
{
	(void)argc, (void)argv;
	use(counts);
	return (int)test_load(0);
}

TEST(signal, handler_that_mends_nothing)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, faults_again);
	CHECK_EQUAL(1, calls);
	CHECK(strstr(test_report(), "read 0x0000000000000000 at test_load"));
}

/* ---- What ends the process all the same ------------------------------------------- */

static void faults(const struct signal_info *info)
{
	(void)info;
	calls++;
	test_store(16, 1);
}

static int faults_in_its_handler(int argc, char **argv)
{
	(void)argc, (void)argv;
	use(faults);
	return (int)test_load(0);
}

TEST(signal, fault_in_the_handler)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, faults_in_its_handler);
	CHECK_EQUAL(1, calls);
	CHECK(strstr(test_report(), "write 0x0000000000000010 at test_store"));
}

static void jumps_blocked(const struct signal_info *info)
{
	(void)info;
	calls++;
	jump_to(&recovery, 1);
}

static int stays_blocked(int argc, char **argv)
{
	(void)argc, (void)argv;
	use(jumps_blocked);
	(void)jump_set(&recovery);
	return (int)test_load(0);
}

TEST(signal, jump_that_leaves_it_blocked)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, stays_blocked);
	CHECK_EQUAL(1, calls);
}

static void faults_deeper(const struct signal_info *info)
{
	calls++;
	test_store(info->address + 8, 1);
}

static int falls_into_itself(int argc, char **argv)
{
	struct signal_action action = {.handler = faults_deeper, .stay_open = true};

	(void)argc, (void)argv;
	calls = 0;
	if (signal_set_action(SIGNAL_SEGV, &action, NULL))
		return 1;
	return (int)test_load(0);
}

TEST(signal, handler_that_falls_into_itself)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, falls_into_itself);
	CHECK(calls > 1);
}

static uint64_t recurse(uint64_t level)
{
	volatile char space[256] = "";

	space[level % sizeof(space)] = 1;
	return level == UINT64_MAX ? 0 : recurse(level + 1) + (uint64_t)space[0];
}

static int overflows(int argc, char **argv)
{
	(void)argc, (void)argv;
	use(jumps);
	if (jump_set(&recovery))
		return 1;
	return (int)recurse(0);
}

TEST(signal, stack_overflow_is_not_delivered)
{
	CHECK_DIES(FAULT_STACK, overflows);
	CHECK_EQUAL(0, calls);
}

static int calls_nowhere(int argc, char **argv)
{
	static vaddr_t target; /* the compiler is not to know that it is 0 */
	void (*volatile nowhere)(void) = (void (*)(void))READ_ONCE(target);

	(void)argc, (void)argv;
	use(jumps);
	if (jump_set(&recovery) == 0)
		nowhere();
	if (seen.program != 0)
		return 1;
	/* A handler that is no function is a fault in the handler. */
	use((void (*)(const struct signal_info *))16);
	return (int)test_load(0);
}

TEST(signal, jump_to_nowhere)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, calls_nowhere);
	CHECK(strstr(test_report(), "exec 0x0000000000000010"));
}

/* In a service a bad address is its answer, and no fault of the program. */
PROCESS_TEST(signal, services_answer_themselves)
{
	char *mine = vmap_malloc(self_vmap(), 16);

	use(jumps);
	CHECK_ERROR(EFAULT, vmap_copy_to_memory(self_vmap(), mine, NULL, 8));
	CHECK_EQUAL(0, calls);
}

PROCESS_TEST(signal, no_other_signal)
{
	struct signal_action action = {.handler = counts}, before;

	CHECK_ERROR(EINVAL, signal_set_action(0, &action, NULL));
	CHECK_ERROR(EINVAL, signal_set_action(9, &action, NULL));
	CHECK_ERROR(EINVAL, signal_get_action(-1, &action));
	CHECK_ERROR(0, signal_get_action(SIGNAL_SEGV, &before));
	CHECK(before.handler == NULL); /* a new process has none */
	CHECK_EQUAL(0, signal_blocked());
	CHECK_ERROR(0, signal_set_action(SIGNAL_SEGV, &action, NULL));
	action.handler = NULL;
	CHECK_ERROR(0, signal_set_action(SIGNAL_SEGV, &action, &before));
	CHECK(before.handler == counts);
}

/* ---- Kill, threads, few frames ------------------------------------------------------ */

static void never_ends(const struct signal_info *info)
{
	(void)info;
	calls++;
	for (;;)
		__asm__ volatile("pause");
}

static int stays_in_its_handler(int argc, char **argv)
{
	(void)argc, (void)argv;
	use(never_ends);
	return (int)test_load(0);
}

TEST(signal, killed_in_its_handler)
{
	pid_t pid;

	calls = 0;
	pid = SPAWN(stays_in_its_handler, 0, NULL);
	while (pid > 0 && calls == 0)
		thread_yield();
	CHECK_ERROR(0, process_kill(pid));
	CHECK_ENDED(FAULT_KILLED, 0, pid);
}

static void goes_round(const struct signal_info *info)
{
	(void)info;
	calls++;
	leave();
}

static int faults_for_ever(int argc, char **argv)
{
	(void)argc, (void)argv;
	use(goes_round);
	(void)jump_set(&recovery);
	return (int)test_load(0);
}

TEST(signal, killed_among_endless_faults)
{
	pid_t pid;

	calls = 0;
	pid = SPAWN(faults_for_ever, 0, NULL);
	while (pid > 0 && calls < 1000)
		thread_yield();
	CHECK_ERROR(0, process_kill(pid));
	CHECK_ENDED(FAULT_KILLED, 0, pid);
}

#define THREADS 4
#define THREAD_ROUNDS 200

struct own {
	struct jump_point recovery;
	unsigned calls;
};

static struct own owns[THREADS];

/* The address tells whose fault it is. */
static void jumps_to_its_own(const struct signal_info *info)
{
	struct own *own = &owns[info->address / 8 % THREADS];

	own->calls++;
	signal_set_blocked(0);
	jump_to(&own->recovery, 1);
}

static void faults_often(void *argument)
{
	struct own *own = argument;
	char *pages = vmap_malloc(self_vmap(), 4 * (int)PAGE_SIZE);

	for (volatile unsigned i = 0; i < THREAD_ROUNDS; i++) {
		test_store((vaddr_t)pages + i % 4 * PAGE_SIZE, i); /* evictions in between */
		if (jump_set(&own->recovery) == 0)
			(void)test_load((vaddr_t)(own - owns) * 8);
	}
}

static void threads_fault(void)
{
	tid_t tids[THREADS];

	use(jumps_to_its_own);
	memset(owns, 0, sizeof(owns));
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_ERROR(0, thread_start(faults_often, &owns[i], &tids[i]));
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK_ERROR(0, thread_join(tids[i]));
		CHECK_EQUAL(THREAD_ROUNDS, owns[i].calls);
	}
}

PROCESS_TEST(signal, threads_fault_at_once)
{
	threads_fault();
}

PROCESS_TEST(signal, threads_fault_on_few_frames)
{
	NEED_SLOTS(50);
	test_limit_set(RESIDENT_MIN);
	threads_fault();
	test_limit_restore();
}

PROCESS_TEST(signal, faults_under_lru_exact)
{
	struct policy *before = lru_policy();

	NEED_SLOTS(50);
	lru_set_policy(policy_find("lru-exact"));
	test_limit_set(RESIDENT_MIN);
	threads_fault();
	vmap = self_vmap();
	block = vmap_malloc(vmap, PAGE_SIZE);
	next_block = (vaddr_t)block;
	use(mends);
	for (unsigned i = 0; i < 20; i++) {
		vmap_free(vmap, block);
		test_store(next_block, i);
		CHECK_EQUAL(i + 1, calls);
	}
	test_limit_restore();
	lru_set_policy(before);
}
