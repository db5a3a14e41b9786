/*
 * ktap.h: tests that run inside the kernel, for the console's `test`.
 *
 *     TEST(suite, name)
 *     {
 *             CHECK_EQUAL(4, strlen("four"));
 *     }
 *
 * A TEST runs in the console's thread, a thread of the kernel: it has no
 * process half, so it starts processes for what must fault. A PROCESS_TEST runs
 * as the main function of a process of its own. Tests run in the order of their
 * files' names and, within a file, as they stand.
 *
 * A test fails if a CHECK in it fails; if its process dies; if check then finds
 * a violation; or if anything is left or lost afterwards: frames, slots,
 * processes, threads, promised pages, the resident limit, the policy. A CHECK
 * that fails goes on, and tells by its value that it failed:
 *
 *     if (!CHECK(block))
 *             return;
 */
#pragma once

#include "kernel/mm/fault.h"
#include "kernel/proc/process.h"
#include "lib/errno.h"
#include "lib/random.h"
#include "lib/types.h"

struct ktap_test {
	const char *suite;
	const char *name;
	void (*run)(void);
	bool in_process;
	const char *file;
	int line;
};

#define KTAP_TEST(suite_, name_, in_process_)                                               \
	static void test_##suite_##_##name_(void);                                          \
	static const struct ktap_test test_##suite_##_##name_##_test = {                    \
		#suite_, #name_, test_##suite_##_##name_, in_process_, __FILE__, __LINE__}; \
	static const struct ktap_test *const test_##suite_##_##name_##_entry                \
		__attribute__((used, no_reorder, section(".table.tests"))) =                \
			&test_##suite_##_##name_##_test;                                    \
	static void test_##suite_##_##name_(void)

#define TEST(suite, name) KTAP_TEST(suite, name, false)
#define PROCESS_TEST(suite, name) KTAP_TEST(suite, name, true)

/* ---- What holds ------------------------------------------------------------ */

/* Each is true if it held. Any thread of the test may check, outside spinlocks. */
#define CHECK(condition) ktap_check(condition, #condition, __FILE__, __LINE__)

/* Integers or pointers; pointers are shown as addresses. */
#define CHECK_EQUAL(expected, observed)                                                      \
	ktap_check_equal((int64_t)(expected), (int64_t)(observed),                           \
			 __builtin_classify_type(observed) == KTAP_POINTER_CLASS, #observed, \
			 __FILE__, __LINE__)
#define KTAP_POINTER_CLASS 5 /* GCC's number for pointers */

/* A call that returns 0 or a negative errno: CHECK_ERROR(EINVAL, call), CHECK_ERROR(0, call). */
#define CHECK_ERROR(expected, call) \
	ktap_check_error(expected, -(int)(call), #call, __FILE__, __LINE__)

/* The thread's errno, which vmap_malloc() and vmap_free() set. */
#define CHECK_ERRNO(expected) ktap_check_error(expected, *vmap_errno(), "errno", __FILE__, __LINE__)

#define CHECK_TEXT(expected, observed) \
	ktap_check_text(expected, observed, #observed, __FILE__, __LINE__)

/* Fails the test, with a sentence. */
#define FAIL(...) ktap_fail(__FILE__, __LINE__, __VA_ARGS__)

/* Ends the test's function: it cannot be done here, for a reason. */
#define SKIP(...)                       \
	do {                            \
		ktap_skip(__VA_ARGS__); \
		return;                 \
	} while (0)

bool ktap_check(bool held, const char *condition, const char *file, int line);
bool ktap_check_equal(int64_t expected, int64_t observed, bool address, const char *what,
		      const char *file, int line);
bool ktap_check_error(int expected, int observed, const char *what, const char *file, int line);
bool ktap_check_text(const char *expected, const char *observed, const char *what, const char *file,
		     int line);
void ktap_fail(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);
void ktap_skip(const char *format, ...) PRINTF_LIKE(1, 2);

/* ---- Processes ------------------------------------------------------------- */

typedef int test_main(int argc, char **argv);

/*
 * Runs main as a process, waits for it and checks how it ended: killed for the
 * reason (FAULT_OK: not at all) or exited with the status. What it would report
 * is not printed, but kept for test_report(). Its globals are the kernel's own.
 */
#define CHECK_EXITS(status, main) CHECK_ENDS(FAULT_OK, status, main, 0, NULL)
#define CHECK_DIES(reason, main) CHECK_ENDS(reason, 0, main, 0, NULL)
#define CHECK_ENDS(reason, status, main, argc, argv) \
	ktap_check_ends(reason, status, main, argc, argv, #main, __FILE__, __LINE__)

bool ktap_check_ends(enum fault_reason reason, int status, test_main *main, int argc,
		     char *const *argv, const char *what, const char *file, int line);

/* Starts main as a process; a failure fails the test. PID or 0. CHECK_ENDED() waits for it. */
#define SPAWN(main, argc, argv) ktap_spawn(main, argc, argv, #main, __FILE__, __LINE__)
#define CHECK_ENDED(reason, status, pid) ktap_check_ended(reason, status, pid, __FILE__, __LINE__)

pid_t ktap_spawn(test_main *main, int argc, char *const *argv, const char *what, const char *file,
		 int line);
bool ktap_check_ended(enum fault_reason reason, int status, pid_t pid, const char *file, int line);

/* The last report of a fatal fault in this test, or "". */
const char *test_report(void);

/* ---- The rest -------------------------------------------------------------- */

/* A generator for this test: seeded by seed= of the command line, or 1; the seed is told at
 * failure. */
void test_random(struct random *random);

/* One load or store of 8 bytes, at any address: the compiler knows nothing of it. */
uint64_t test_load(vaddr_t address);
void test_store(vaddr_t address, uint64_t value);

/* Exactly so many failures are to come, and are not shown: for tests of the tests. */
void test_expect_failures(unsigned count);

/*
 * Runs one test, prints what fails but no result, and tells whether it passed.
 * In the console's thread, while no other test runs.
 */
bool ktap_try(const struct ktap_test *test);

/* A comment line: "# ...". */
void test_comment(const char *format, ...) PRINTF_LIKE(1, 2);
