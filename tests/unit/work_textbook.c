/*
 * work_textbook.c: the reference strings of the textbooks, by real faults: as
 * in Silberschatz, Galvin and Gagne, "Operating System Concepts", chapter on
 * page replacement; and Belady's anomaly (Belady, Nelson, Shedler, 1969).
 *
 * The resident limit cannot be as low as three frames (RESIDENT_MIN), so each
 * page of a string is a group of as many real pages as needed, touched in
 * order. Under FIFO and LRU groups come and go whole, so every count is
 * exactly the group's size times the textbook's.
 */
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/proc/program.h"
#include "tests/unit/work.h"

#define STRING_MAX 24u
#define PAGES_MAX 8u /* distinct ones of a string: 0 .. 7 */

struct string {
	unsigned count;
	uint8_t pages[STRING_MAX];
};

static const struct string belady = {12, {1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5}};
static const struct string silberschatz = {20, {7, 0, 1, 2, 0, 3, 0, 4, 2, 3,
						0, 3, 2, 1, 2, 0, 1, 7, 0, 1}};

/* What the process runs and what it saw; the kernel's memory. */
static struct {
	const struct string *string;
	unsigned group; /* real pages for one of the string */
	bool store;
	uint64_t faults;
	uint64_t wrong;
} run;

static uint64_t faults_now(void)
{
	return counter_read(COUNTER_PGMINFAULT) + counter_read(COUNTER_PGMAJFAULT);
}

/* One instruction on a page: a load, or an exchange that puts `value` there. What was there. */
static uint64_t refer(volatile uint64_t *word, uint64_t value)
{
	return run.store ? __atomic_exchange_n(word, value, __ATOMIC_RELAXED) : *word;
}

static int string_main(int argc, char **argv)
{
	uint64_t versions[PAGES_MAX] = {0};
	uint8_t *block = work_malloc((uint64_t)PAGES_MAX * run.group * PAGE_SIZE);
	uint64_t before = faults_now();

	(void)argc, (void)argv;
	if (!block)
		return 1;
	for (unsigned i = 0; i < run.string->count; i++) {
		unsigned page = run.string->pages[i];

		for (unsigned j = 0; j < run.group; j++) {
			volatile uint64_t *word =
				(uint64_t *)(block + (uint64_t)(page * run.group + j) * PAGE_SIZE);

			run.wrong += refer(word, i + 1) != versions[page];
		}
		if (run.store)
			versions[page] = i + 1;
	}
	run.faults = faults_now() - before;
	work_free(block);
	return 0;
}

/* The string takes this many faults with the policy on so many frames. */
static void check_faults(const struct string *string, const char *policy_name, uint64_t frame_count,
			 uint64_t expected)
{
	struct policy *policy_before = lru_policy();
	uint64_t limit_before = reclaim_limit();
	unsigned group = frame_count < RESIDENT_MIN ? 2 : 1;

	for (unsigned i = 0; i < 4; i++) {
		run.string = string;
		run.group = group << (i / 2);
		run.store = i % 2;
		run.wrong = 0;
		if (!CHECK_ERROR(0, reclaim_set_limit(frame_count * run.group)))
			return;
		lru_set_policy(policy_find(policy_name));
		CHECK_EXITS(0, string_main);
		CHECK_EQUAL(expected * run.group, run.faults);
		CHECK_EQUAL(0, run.wrong);
		lru_set_policy(policy_before);
		CHECK_ERROR(0, reclaim_set_limit(limit_before));
	}
}

TEST(work, belady_anomaly_fifo)
{
	check_faults(&belady, "fifo", 3, 9);
	check_faults(&belady, "fifo", 4, 10);
}

TEST(work, belady_string_lru)
{
	check_faults(&belady, "lru-exact", 3, 10);
	check_faults(&belady, "lru-exact", 4, 8);
}

TEST(work, textbook_string_fifo)
{
	check_faults(&silberschatz, "fifo", 3, 15);
}

TEST(work, textbook_string_lru)
{
	check_faults(&silberschatz, "lru-exact", 3, 12);
}
