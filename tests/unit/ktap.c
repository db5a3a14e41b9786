/*
 * ktap.c: runs tests and prints KTAP, which `prove` reads.
 *
 *   ktap_run() -> run_test() -> ktap_try() -> snapshot -> body -> settle -> check_all() -> compare
 *
 * Fault reports of processes are taken from the console's hook while tests
 * run: those of processes that were to die would only clutter.
 * Anything may fail from several threads at once: counters are atomic, lines
 * are whole. A thread of a process prints inside the gate, so that a kill does
 * not come in between.
 */
#include "tests/unit/ktap.h"

#include "kernel/dev/ramdisk.h"
#include "kernel/mm/boot_memory.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/stack.h"
#include "kernel/mm/swap.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/input.h"
#include "kernel/monitor/test_runner.h"
#include "kernel/proc/check_all.h"
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "lib/format.h"
#include "lib/glob.h"
#include "lib/string.h"
#include "tests/unit/pages.h"

#define NAME_BYTES 96
#define TEXT_BYTES 256
#define REPORT_BYTES 2048
#define FAILURES_SHOWN 20 /* of one test: more say no more */

/* Threads that ended need a moment until they are gone: far more than that, then it is a loss. */
#define SETTLE_YIELDS 2000000u

extern const struct ktap_test *const table_tests_start[];
extern const struct ktap_test *const table_tests_end[];

/* The test that runs. */
static struct {
	const struct ktap_test *test;
	unsigned failures; /* atomic */
	unsigned expected; /* failures that are to come, and are not shown */
	bool seeded;
	bool skipped;
	char skip_reason[TEXT_BYTES];
	char report[REPORT_BYTES]; /* of the last fatal fault; written under proc's report lock */
} now;

/* ---- What holds ------------------------------------------------------------ */

/* A line "# ..." for each line of the text. */
static void print_comment(const char *text)
{
	if (now.expected)
		return;
	while (*text) {
		const char *end = strchr(text, '\n');
		int length = (int)(end ? (size_t)(end - text) : strlen(text));

		console_print("# %.*s\n", length, text);
		text += length + (end != NULL);
	}
}

static PRINTF_LIKE(1, 0) void comment_v(const char *fmt, va_list arguments)
{
	char text[TEXT_BYTES];

	(void)format_v(text, sizeof(text), fmt, arguments);
	print_comment(text);
}

void test_comment(const char *fmt, ...)
{
	va_list arguments;

	gate_enter();
	va_start(arguments, fmt);
	comment_v(fmt, arguments);
	va_end(arguments);
	gate_leave();
}

void ktap_fail(const char *file, int line, const char *fmt, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;

	gate_enter();
	if (__atomic_fetch_add(&now.failures, 1, __ATOMIC_RELAXED) < FAILURES_SHOWN) {
		int length = format(text, sizeof(text), "%s:%d: ", file, line);

		va_start(arguments, fmt);
		(void)format_v(text + length, sizeof(text) - (size_t)length, fmt, arguments);
		va_end(arguments);
		print_comment(text);
	}
	gate_leave();
}

bool ktap_check(bool held, const char *condition, const char *file, int line)
{
	if (UNLIKELY(!held))
		ktap_fail(file, line, "expected true, observed false: %s", condition);
	return held;
}

bool ktap_check_equal(int64_t expected, int64_t observed, bool address, const char *what,
		      const char *file, int line)
{
	if (LIKELY(expected == observed))
		return true;
	if (address || expected > UINT32_MAX || observed > UINT32_MAX)
		ktap_fail(file, line, "expected %p, observed %p: %s", (void *)expected,
			  (void *)observed, what);
	else
		ktap_fail(file, line, "expected %ld, observed %ld: %s", expected, observed, what);
	return false;
}

static const char *error_text(int error, char buffer[24])
{
	if (error == 0)
		return "no error";
	if (strcmp(errno_name(error), "E?") != 0)
		return errno_name(error);
	(void)format(buffer, 24, "%d", error);
	return buffer;
}

bool ktap_check_error(int expected, int observed, const char *what, const char *file, int line)
{
	char buffers[2][24];

	if (LIKELY(expected == observed))
		return true;
	ktap_fail(file, line, "expected %s, observed %s: %s", error_text(expected, buffers[0]),
		  error_text(observed, buffers[1]), what);
	return false;
}

bool ktap_check_text(const char *expected, const char *observed, const char *what, const char *file,
		     int line)
{
	if (LIKELY(strcmp(expected, observed) == 0))
		return true;
	ktap_fail(file, line, "expected \"%.60s\", observed \"%.60s\": %s", expected, observed,
		  what);
	return false;
}

void ktap_skip(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	(void)format_v(now.skip_reason, sizeof(now.skip_reason), fmt, arguments);
	va_end(arguments);
	now.skipped = true;
}

uint64_t test_load(vaddr_t address)
{
	return *(volatile uint64_t *)address;
}

void test_store(vaddr_t address, uint64_t value)
{
	*(volatile uint64_t *)address = value;
}

void test_expect_failures(unsigned count)
{
	now.expected = count;
}

void test_random(struct random *random)
{
	now.seeded = true;
	random_seed_mixed(random, test_seed);
}

/* ---- Processes ------------------------------------------------------------- */

static void keep_report(struct process *process, const char *text)
{
	(void)process;
	(void)string_copy(now.report, text, sizeof(now.report));
}

const char *test_report(void)
{
	return now.report;
}

pid_t ktap_spawn(test_main *main, int argc, char *const *argv, const char *what, const char *file,
		 int line)
{
	pid_t pid = process_spawn_function(what, main, argc, argv, PROCESS_BACKGROUND);

	if (pid < 0)
		ktap_fail(file, line, "the process %s cannot start: %s", what, errno_name(pid));
	return MAX(pid, 0);
}

static const char *end_text(enum fault_reason reason, int status, char buffer[24])
{
	if (reason != FAULT_OK)
		return fault_reason_name(reason);
	(void)format(buffer, 24, "exit status %d", status);
	return buffer;
}

bool ktap_check_ended(enum fault_reason reason, int status, pid_t pid, const char *file, int line)
{
	struct process_end end;
	char buffers[2][24];
	int error;

	if (pid <= 0)
		return false; /* said already */
	error = process_wait(pid, &end);
	if (error) {
		ktap_fail(file, line, "pid %d cannot be waited for: %s", pid, errno_name(error));
		return false;
	}
	if (end.killed == reason && (reason != FAULT_OK || end.exit_status == status))
		return true;
	ktap_fail(file, line, "expected %s, observed %s: the end of pid %d",
		  end_text(reason, status, buffers[0]),
		  end_text(end.killed, end.exit_status, buffers[1]), pid);
	if (end.killed)
		test_comment("%s", now.report);
	return false;
}

bool ktap_check_ends(enum fault_reason reason, int status, test_main *main, int argc,
		     char *const *argv, const char *what, const char *file, int line)
{
	pid_t pid = ktap_spawn(main, argc, argv, what, file, line);

	return ktap_check_ended(reason, status, pid, file, line);
}

static int process_test_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	now.test->run();
	return 0;
}

/* ---- What is left or lost -------------------------------------------------- */

struct snapshot {
	uint64_t frames; /* free ones and those of the stack area's tables, which stay */
	uint64_t slots, bad_slots;
	uint64_t processes, threads;
	uint64_t committed;
	uint64_t limit;
	struct policy *policy;
};

static void count_thread(struct thread *thread, void *context)
{
	(void)thread;
	(*(uint64_t *)context)++;
}

static uint64_t thread_count(void)
{
	uint64_t count = 0;

	sched_visit_threads(count_thread, &count);
	return count;
}

static struct snapshot snapshot_take(void)
{
	struct swap_counts swap = swap_read_counts();

	return (struct snapshot){
		.frames = frame_free_count() + stack_table_frames(),
		.slots = swap.used,
		.bad_slots = swap.bad,
		.processes = process_count(),
		.threads = thread_count(),
		.committed = commit_read().committed,
		.limit = reclaim_limit(),
		.policy = lru_policy(),
	};
}

/* Waits until the threads that ended are gone. */
static void settle(const struct snapshot *before)
{
	for (unsigned i = 0; i < SETTLE_YIELDS; i++) {
		if (thread_count() <= before->threads)
			break;
		thread_yield();
	}
	process_quiesce();
}

static void compare(uint64_t before, uint64_t after, const char *what)
{
	if (before != after)
		FAIL("expected %lu, observed %lu (%+ld): %s", before, after,
		     (int64_t)(after - before), what);
}

static void snapshot_compare(const struct snapshot *before, const struct snapshot *after)
{
	compare(before->frames, after->frames, "free frames");
	compare(before->slots, after->slots, "swap slots in use");
	compare(before->bad_slots, after->bad_slots, "bad swap slots");
	compare(before->processes, after->processes, "processes");
	compare(before->threads, after->threads, "threads");
	compare(before->committed, after->committed, "promised pages");
	compare(before->limit, after->limit, "the resident limit");
	if (before->policy != after->policy)
		FAIL("expected %s, observed %s: the policy", before->policy->name,
		     after->policy->name);
}

/* What a test may have set is set back, so that the next one starts as this one did. */
static void restore(const struct snapshot *before)
{
	kernel_pages_fail(0, 0);
	if (swap_set_device(&swap_ramdisk.device) != &swap_ramdisk.device)
		FAIL("another swap device is still installed");
	if (lru_policy() != before->policy)
		lru_set_policy(before->policy);
	if (reclaim_limit() != before->limit && reclaim_set_limit(before->limit))
		FAIL("the resident limit cannot be set back");
}

static void check_invariants(void)
{
	const struct check *check = check_all();

	if (check->violations == 0)
		return;
	FAIL("check: %u violations", check->violations);
	for (unsigned i = 0; i < check->line_count; i++)
		test_comment("%s", check->lines[i]);
}

/* ---- Running --------------------------------------------------------------- */

static void run_body(const struct ktap_test *test)
{
	if (test->in_process)
		(void)ktap_check_ends(FAULT_OK, 0, process_test_main, 0, NULL, test->name,
				      test->file, test->line);
	else
		test->run();
}

bool ktap_try(const struct ktap_test *test)
{
	void (*report_hook)(struct process * process, const char *text) = process_report_hook;
	struct snapshot before, after;

	memset(&now, 0, sizeof(now));
	now.test = test;
	process_report_hook = keep_report;
	process_quiesce();
	before = snapshot_take();
	run_body(test);
	kernel_pages_fail(0, 0);
	settle(&before);
	check_invariants();
	after = snapshot_take();
	snapshot_compare(&before, &after);
	restore(&before);
	process_report_hook = report_hook;
	if (now.expected) {
		unsigned expected = now.expected, observed = now.failures;

		now.failures = now.expected = 0;
		CHECK_EQUAL(expected, observed);
	}
	if (now.failures > FAILURES_SHOWN)
		test_comment("%u failures in all", now.failures);
	if (now.failures && now.seeded)
		test_comment("seed=%lu on the command line repeats it", test_seed);
	return now.failures == 0;
}

/* True if it passed. */
static bool run_test(const struct ktap_test *test, unsigned number)
{
	bool passed = ktap_try(test);

	console_print("%sok %u %s.%s%s%s\n", passed ? "" : "not ", number, test->suite, test->name,
		      now.skipped ? " # SKIP " : "", now.skipped ? now.skip_reason : "");
	return passed;
}

static bool test_matches(const struct ktap_test *test, const char *glob)
{
	char name[NAME_BYTES];

	(void)format(name, sizeof(name), "%s.%s", test->suite, test->name);
	return glob_match(glob, name);
}

static unsigned count_matching(const char *glob)
{
	unsigned count = 0;

	for (const struct ktap_test *const *test = table_tests_start; test < table_tests_end;
	     test++)
		count += test_matches(*test, glob);
	return count;
}

int ktap_run(const char *glob)
{
	unsigned total = count_matching(glob);
	unsigned number = 0;
	int failed = 0;

	if (total == 0)
		return -ENOENT;
	console_print("KTAP version 1\n1..%u\n", total);
	/* A file's page may be in memory: no test is to be blamed for its leaving. */
	test_evict_all();
	for (const struct ktap_test *const *test = table_tests_start; test < table_tests_end;
	     test++) {
		if (!test_matches(*test, glob))
			continue;
		failed += !run_test(*test, ++number);
		if (input_interrupted()) {
			console_print("Bail out! interrupted\n");
			break;
		}
	}
	return failed;
}
