/*
 * scenario.h: what can happen at once, and must come out right in any order.
 *
 *     static void faults(void *number)
 *     {
 *             scenario_meet();
 *             test_store(...);
 *     }
 *
 *     SCENARIO(01, two_faults_on_one_page)
 *     {
 *             scenario_expect(2);
 *             ... starts two threads of a process that call faults(), waits for them,
 *             ... and checks what came of it
 *     }
 *
 * A scenario runs in the console's thread, a thread of the kernel, and may use
 * all of tests/unit. It is explored in two ways. As the test `schedule.NAME` it
 * runs a few times as it comes, for CPUs that really are parallel. The command
 * `schedule` runs it once for each of many seeds, and from the moment its parts
 * have met the seed chooses the interleaving (kernel/sched/schedule.h; debug
 * builds under icount). Either way it ends as every test does: check, and
 * nothing lost.
 *
 * As many parts as CPUs have one each. Where there are fewer CPUs, the rest
 * gets its turn when others wait, or when their time is over.
 */
#pragma once

#include "tests/unit/pages.h"
#include "tests/unit/work.h"

struct scenario {
	const char *name; /* "01.two_faults_on_one_page" */
	void (*play)(void);
	const char *file;
	int line;
};

/* Number: two digits, of the list in tests/README.md, which is their order. */
#define SCENARIO(number_, name_)                                                                \
	static void scenario_##name_(void);                                                     \
	static const struct scenario scenario_##name_##_scenario = {#number_ "." #name_,        \
								    scenario_##name_, __FILE__, \
								    __LINE__};                  \
	static const struct scenario *const scenario_##name_##_entry                            \
		__attribute__((used, section(".table.scenarios." #number_))) =                  \
			&scenario_##name_##_scenario;                                           \
	TEST(schedule, name_)                                                                   \
	{                                                                                       \
		scenario_rounds(&scenario_##name_##_scenario);                                  \
	}                                                                                       \
	static void scenario_##name_(void)

/* Plays it a few times without a seed. */
void scenario_rounds(const struct scenario *scenario);

/* So many parts are to meet. Before any of them is started. */
void scenario_expect(unsigned parts);

/* This part is ready. Returns when all are; from here on the order is open. */
void scenario_meet(void);

/* Waits until so many are ready, for what comes between that and the last one. */
void scenario_await_parts(unsigned parts);

/* In the midst of a scenario: raises the count, and waits until it is `parts`. */
void scenario_count_to(unsigned *count, unsigned parts);

/* Starts a thread of the kernel; waits for all that were. In the scenario's own function. */
void scenario_start(void (*entry)(void *argument), void *argument);
void scenario_finish(void);

/* Until the scenario's end, others get their turn before and after each read and write of swap. */
void scenario_slow_disk(void);

/* As many parts as make sense: one a CPU, at least 2, at most `most`. */
unsigned scenario_parts(unsigned most);

/* Evicts so many pages, or fewer where no page can leave. */
void scenario_evict(unsigned pages);

/* A load or store of 8 bytes that may hit a page that is gone. 0 or -EFAULT. In a process. */
int scenario_try_load(vaddr_t address, uint64_t *value) MUST_CHECK;
int scenario_try_store(vaddr_t address, uint64_t value) MUST_CHECK;
