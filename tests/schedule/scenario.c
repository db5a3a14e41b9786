/*
 * scenario.c: plays scenarios, and the command `schedule`.
 *
 *   scenario_play() -> its own function -> parts -> scenario_meet() -> schedule_begin(seed)
 *                   -> schedule_end()
 *
 * Parts meet by a count that each raises; the last one opens the stage. So what
 * they need beforehand is no part of the schedule.
 */
#include "tests/schedule/scenario.h"

#include "kernel/dev/ramdisk.h"
#include "kernel/mm/boot_memory.h"
#include "kernel/mm/copy.h"
#include "kernel/mm/reclaim.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/panic.h"
#include "kernel/sched/gate.h"
#include "kernel/sched/schedule.h"
#include "kernel/sched/semaphore.h"
#include "lib/glob.h"
#include "lib/number.h"
#include "lib/string.h"

/* Without a seed: how often. Each round costs a moment; the machine's chance does the rest. */
#define ROUNDS 4

#define SEEDS_DEFAULT 100

extern const struct scenario *const table_scenarios_start[];
extern const struct scenario *const table_scenarios_end[];

#define THREADS_MAX 16u

struct scenario_thread {
	void (*entry)(void *argument);
	void *argument;
};

static struct {
	const struct scenario *scenario; /* NULL: none plays */
	uint64_t seed;
	bool seeded;
	unsigned expected;
	unsigned arrived; /* atomic */
	bool open;        /* atomic: all have met */
	struct schedule_counts counts;
	struct scenario_thread threads[THREADS_MAX];
	unsigned started; /* of them, in the kernel */
	struct semaphore done;
} stage;

/* ---- For scenarios --------------------------------------------------------------- */

void scenario_expect(unsigned parts)
{
	stage.expected = parts;
	stage.arrived = 0;
	__atomic_store_n(&stage.open, false, __ATOMIC_SEQ_CST);
}

void scenario_await_parts(unsigned parts)
{
	while (__atomic_load_n(&stage.arrived, __ATOMIC_ACQUIRE) < parts)
		thread_yield();
}

void scenario_meet(void)
{
	if (__atomic_add_fetch(&stage.arrived, 1, __ATOMIC_SEQ_CST) == stage.expected) {
		if (stage.seeded)
			schedule_begin(stage.seed);
		__atomic_store_n(&stage.open, true, __ATOMIC_SEQ_CST);
	}
	while (!__atomic_load_n(&stage.open, __ATOMIC_ACQUIRE))
		thread_yield();
}

unsigned scenario_parts(unsigned most)
{
	return MIN(MAX(cpu_count, 2u), most);
}

static void thread_of_the_kernel(void *argument)
{
	const struct scenario_thread *thread = argument;

	thread->entry(thread->argument);
	CHECK_ERROR(0, semaphore_post(&stage.done));
}

void scenario_start(void (*entry)(void *argument), void *argument)
{
	struct scenario_thread *thread = &stage.threads[stage.started];

	ASSERT(stage.started < THREADS_MAX);
	*thread = (struct scenario_thread){entry, argument};
	if (CHECK_ERROR(0, kernel_thread_start("scenario", thread_of_the_kernel, thread)))
		stage.started++;
}

void scenario_finish(void)
{
	while (stage.started) {
		CHECK_ERROR(0, semaphore_wait(&stage.done));
		stage.started--;
	}
}

void scenario_evict(unsigned pages)
{
	gate_enter();
	for (unsigned i = 0; i < pages; i++) {
		pfn_t pfn = reclaim_evict();
		uint64_t flags;

		if (pfn == PFN_NONE)
			continue;
		flags = irq_save();
		reclaim_page_free(pfn);
		irq_restore(flags);
	}
	gate_leave();
}

int scenario_try_load(vaddr_t address, uint64_t *value)
{
	int result;

	gate_enter();
	result = copy_pages(&process_current()->vmap, value, (const void *)address, sizeof(*value));
	gate_leave();
	schedule_point();
	return result;
}

int scenario_try_store(vaddr_t address, uint64_t value)
{
	int result;

	gate_enter();
	result = copy_pages(&process_current()->vmap, (void *)address, &value, sizeof(value));
	gate_leave();
	schedule_point();
	return result;
}

void scenario_count_to(unsigned *count, unsigned parts)
{
	__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(count, __ATOMIC_SEQ_CST) < parts)
		thread_yield();
}

/* ---- A slow swap disk ------------------------------------------------------------ */

static struct block_device *disk;

static struct page_copied slow_write(uint64_t block, const void *page, struct block_device *device)
{
	struct page_copied copied;

	(void)device;
	thread_yield();
	copied = disk->write(block, page, disk);
	thread_yield();
	return copied;
}

static struct page_copied slow_read(void *page, uint64_t block, struct block_device *device)
{
	struct page_copied copied;

	(void)device;
	thread_yield();
	copied = disk->read(page, block, disk);
	thread_yield();
	return copied;
}

static struct block_device slow_disk = {.name = "slow", .write = slow_write, .read = slow_read};

void scenario_slow_disk(void)
{
	disk = &swap_ramdisk.device;
	slow_disk.block_count = disk->block_count;
	CHECK(swap_set_device(&slow_disk) == disk);
}

static void usual_disk(void)
{
	if (disk)
		CHECK(swap_set_device(disk) == &slow_disk);
	disk = NULL;
}

/* ---- Playing --------------------------------------------------------------------- */

static void scenario_play(const struct scenario *scenario)
{
	stage.scenario = scenario;
	stage.started = 0;
	CHECK_ERROR(0, semaphore_init(&stage.done, 0));
	scenario->play();
	stage.counts = schedule_end();
	usual_disk();
	test_limit_restore();
	stage.scenario = NULL;
}

void scenario_rounds(const struct scenario *scenario)
{
	stage.seeded = false;
	for (unsigned round = 0; round < ROUNDS; round++)
		scenario_play(scenario);
}

static const struct scenario *to_play;

static void play_it(void)
{
	scenario_play(to_play);
}

/* One seed, with all that follows a test. True if it passed. */
static bool seed_run(const struct scenario *scenario, uint64_t seed)
{
	struct ktap_test test = {
		.suite = "schedule",
		.name = scenario->name,
		.run = play_it,
		.file = scenario->file,
		.line = scenario->line,
	};

	to_play = scenario;
	stage.seed = seed;
	stage.seeded = true;
	return ktap_try(&test);
}

void panic_describe_test(void)
{
	if (stage.scenario && stage.seeded)
		panic_print("in scenario %s, seed %lu\n", stage.scenario->name, stage.seed);
	else if (stage.scenario)
		panic_print("in scenario %s\n", stage.scenario->name);
}

/* ---- The command ----------------------------------------------------------------- */

struct request {
	const char *glob;
	int64_t first, count;
};

/* The glob is of the whole name, its number or what follows the number. */
static bool scenario_matches(const struct scenario *scenario, const char *glob)
{
	char number[3] = {scenario->name[0], scenario->name[1], '\0'};

	return glob_match(glob, scenario->name) || glob_match(glob, number) ||
	       glob_match(glob, scenario->name + sizeof(number));
}

static int seeds_run(const struct scenario *scenario, const struct request *request)
{
	uint64_t points = 0, pauses = 0;

	for (int64_t i = 0; i < request->count; i++) {
		if (!seed_run(scenario, (uint64_t)(request->first + i)))
			return command_fail(EFAULT, "scenario %s fails with seed %ld, after %ld",
					    scenario->name, request->first + i, i + 1);
		points += stage.counts.points;
		pauses += stage.counts.pauses;
		if (command_interrupted())
			return -EINTR;
	}
	console_print("schedule %s: %ld seeds from %ld, %lu points and %lu pauses each\n",
		      scenario->name, request->count, request->first,
		      points / (uint64_t)request->count, pauses / (uint64_t)request->count);
	return 0;
}

static int request_read(int argc, char **argv, struct request *request)
{
	*request = (struct request){.glob = "*", .first = 1, .count = SEEDS_DEFAULT};
	for (int i = 1; i < argc; i++) {
		int error = 0;

		if (strncmp(argv[i], "seeds=", 6) == 0)
			error = argument_size(argv[i] + 6, "seeds", 1, INT32_MAX, &request->count);
		else if (strncmp(argv[i], "seed=", 5) == 0)
			error = argument_size(argv[i] + 5, "seed", 0, INT64_MAX - INT32_MAX,
					      &request->first);
		else if (i == 1)
			request->glob = argv[i];
		else
			error = command_fail(EINVAL, "'%s' is none of seeds=N, seed=FIRST",
					     argv[i]);
		if (error)
			return error;
	}
	return 0;
}

static int schedule_run(int argc, char **argv)
{
	struct request request;
	unsigned matching = 0;
	int error = request_read(argc, argv, &request);

	if (error)
		return error;
	if (!SCHEDULE_AVAILABLE)
		return command_fail(ENOSYS, "schedules need a kernel built with DEBUG=1");
	for (const struct scenario *const *at = table_scenarios_start; at < table_scenarios_end;
	     at++) {
		if (!scenario_matches(*at, request.glob))
			continue;
		matching++;
		error = seeds_run(*at, &request);
		if (error)
			return error;
	}
	if (matching == 0)
		return command_fail(ENOENT, "no scenario matches '%s'", request.glob);
	return 0;
}

COMMAND(82, schedule, .name = "schedule", .arguments = "[GLOB] [seeds=N] [seed=FIRST]",
	.summary = "plays scenarios of concurrency, a seed an interleaving",
	.detail = "Needs a debug build. Under ICOUNT=1 a seed is the same interleaving each time;\n"
		  "`make schedule` does it all.\n",
	.max = 3, .run = schedule_run);
