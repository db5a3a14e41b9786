/*
 * test_ktap.c: that the framework passes what is right and notices what is not.
 */
#include "kernel/mm/commit.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"

static int exits_with_seven(int argc, char **argv)
{
	return argc == 2 && strcmp(argv[1], "7") == 0 ? 7 : 1;
}

static int writes_to_null(int argc, char **argv)
{
	(void)argc, (void)argv;
	test_store(8, 1);
	return 0;
}

TEST(ktap, runs)
{
	CHECK(true);
	CHECK_EQUAL(4, strlen("four"));
	CHECK_ERROR(EINVAL, -EINVAL);
	CHECK_ERROR(0, 0);
	CHECK_TEXT("a", "a");
}

PROCESS_TEST(ktap, runs_in_a_process)
{
	CHECK(process_current());
	CHECK(vmap_current() == &process_current()->vmap);
}

TEST(ktap, processes_end)
{
	char *argv[] = {"test", "7"};

	CHECK_ENDS(FAULT_OK, 7, exits_with_seven, 2, argv);
	CHECK_EXITS(1, exits_with_seven);
	CHECK_DIES(FAULT_BAD_ADDRESS, writes_to_null);
	CHECK(strstr(test_report(), "write 0x0000000000000008 at test_store"));
}

TEST(ktap, skips)
{
	SKIP("to show that it can");
}

/* ---- Each kind of failure is noticed ------------------------------------------ */

static pfn_t lost_frame = PFN_NONE;
static pid_t lost_pid;

TEST(ktap, notices_a_check_that_fails)
{
	test_expect_failures(5);
	CHECK(false);
	CHECK_EQUAL(1, 2);
	CHECK_ERROR(EINVAL, -ENOMEM);
	CHECK_TEXT("a", "b");
	FAIL("for no reason");
}

PROCESS_TEST(ktap, notices_that_its_process_dies)
{
	test_expect_failures(1);
	test_store(8, 1);
}

TEST(ktap, notices_another_end)
{
	test_expect_failures(3);
	CHECK_EXITS(2, exits_with_seven);
	CHECK_EXITS(0, writes_to_null);
	CHECK_DIES(FAULT_STACK, writes_to_null);
}

TEST(ktap, notices_a_lost_frame)
{
	test_expect_failures(1);
	lost_frame = kernel_frame_alloc(FRAME_KERNEL);
}

TEST(ktap, notices_a_found_frame)
{
	test_expect_failures(1);
	kernel_frame_free(lost_frame);
}

TEST(ktap, notices_a_lost_process)
{
	/* A process and its record's frame. */
	test_expect_failures(2);
	lost_pid = SPAWN(exits_with_seven, 0, NULL);
	while (lost_pid && !process_ended(lost_pid))
		thread_yield();
}

TEST(ktap, notices_a_found_process)
{
	test_expect_failures(2);
	CHECK_ENDED(FAULT_OK, 1, lost_pid);
}

TEST(ktap, notices_another_policy_and_limit)
{
	test_expect_failures(2);
	lru_set_policy(policies[policies[0] == lru_policy()]);
	CHECK_ERROR(0, reclaim_set_limit(20));
}

TEST(ktap, notices_a_violation)
{
	/* Promised pages that nobody has: the count, and I11. */
	test_expect_failures(2);
	CHECK_ERROR(0, commit_charge(1));
}

TEST(ktap, notices_a_promise_given_back)
{
	test_expect_failures(1);
	commit_uncharge(1);
}
