/*
 * world.c: the console's thread's part: it has actors started and collected
 * (population.c), kills some, changes limit and policy, and stops the world for
 * `check`.
 *
 *   world_begin()    pages, limit, hook
 *   rounds()         each time the actors have done some operations, or one ended
 *   world_end()      everybody ends; then nothing may be left or lost
 *
 * What is drawn here comes from a generator of its own, a draw for each
 * ACT_OPERATIONS of the actors.
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/stack.h"
#include "kernel/mm/swap.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/input.h"
#include "kernel/proc/check_all.h"
#include "kernel/proc/process.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "tests/stress/stress.h"

#define ACT_OPERATIONS STRESS_WAKE_OPERATIONS
#define CHECK_OPERATIONS 2048u
#define PROGRESS_SECONDS 5u
#define SAMPLES 15u
#define SAMPLE_ROUNDS 200000u
/* The lowest limit: below it threads spend their time taking pages from each other. */
#define LIMIT_MIN 8u
/* So slots, and with them addresses, go round often, and PIDs in a long run. */
#define CHURN_PROCESSES 384u
#define CHURN_AT_ONCE 32u

struct stress stress;

/* What was there before, and must be again. */
struct stress_before {
	uint64_t frames, slots, committed, processes, limit;
	struct policy *policy;
	void (*report_hook)(struct process *process, const char *text);
};

static struct {
	struct random random;
	uint64_t frames; /* the highest limit */
	uint64_t minutes;
	uint64_t tsc_second; /* the time stamp counter's advance in one */
	uint64_t tsc_begun;
	uint64_t told;           /* seconds, of the last line of progress */
	uint64_t acted, checked; /* operations when it was done last */
	struct stress_before before;
} world;

/* What the time stamp counter advances in a second, by a sample of the timer between two ticks. */
static uint64_t tsc_sample(void)
{
	uint64_t flags = irq_save();
	uint64_t begun, ended;
	uint32_t before, after;

	do {
		before = apic_timer_left();
		begun = cpu_tsc();
		for (unsigned i = 0; i < SAMPLE_ROUNDS; i++) /* far less than a tick */
			__asm__ volatile("");
		after = apic_timer_left();
		ended = cpu_tsc();
	} while (after >= before); /* a tick was due meanwhile */
	irq_restore(flags);
	return (ended - begun) * 1000000000 / (before - after);
}

/* The median sample: QEMU may have been away from its CPU in the middle of another. */
static void clock_begin(void)
{
	uint64_t samples[SAMPLES] = {0};

	for (unsigned i = 0; i < SAMPLES; i++) {
		uint64_t sample = tsc_sample();
		unsigned j = i;

		for (; j > 0 && samples[j - 1] > sample; j--)
			samples[j] = samples[j - 1];
		samples[j] = sample;
	}
	world.tsc_second = samples[SAMPLES / 2];
	world.tsc_begun = cpu_tsc();
}

/* The guest's clock, since the beginning. */
uint64_t stress_seconds(void)
{
	return (cpu_tsc() - world.tsc_begun) / world.tsc_second;
}

static uint64_t draw(uint64_t limit)
{
	return random_below(&world.random, limit);
}

uint64_t stress_operations(void)
{
	return MIN(__atomic_load_n(&stress.operations, __ATOMIC_RELAXED), stress.target);
}

void stress_fail(const struct stress_thread *thread, const char *fmt, ...)
{
	char text[256], who[64] = "";
	va_list arguments;

	gate_enter();
	if (!__atomic_exchange_n(&stress.failed, true, __ATOMIC_SEQ_CST)) {
		va_start(arguments, fmt);
		(void)format_v(text, sizeof(text), fmt, arguments);
		va_end(arguments);
		if (thread)
			(void)format(who, sizeof(who),
				     "pid %d tid %d cpu %u: ", process_current()->pid,
				     thread_current()->tid, THIS_CPU->id);
		console_fresh_line();
		console_print("mismatch: seed %lu operation %lu: %s%s\n", stress.seed,
			      thread ? thread->operation : stress_operations(), who, text);
	}
	__atomic_store_n(&stress.stop, true, __ATOMIC_RELAXED);
	gate_leave();
}

/* ---- What happens to them ------------------------------------------------------------- */

static void kill_one(void)
{
	struct stress_actor *actor = stress.actors[draw(STRESS_ACTORS)];

	/* Said first: it may be gone before process_kill() returns. */
	if (actor->pid == 0)
		return;
	actor->killed = true;
	if (process_kill(actor->pid) == 0)
		stress_counted(STRESS_KILL);
}

static int nothing_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* Collects empty processes. */
static void churn_collect(const pid_t *pids, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct process_end end;

		stress_counted(STRESS_CHURN);
		if (process_wait(pids[i], &end) != 0 || end.killed != FAULT_OK ||
		    end.exit_status != 0)
			stress_fail(NULL, "pid %d: expected exit status 0, observed %s, %d",
				    pids[i], fault_reason_name(end.killed), end.exit_status);
	}
}

/* Processes that end at once. */
static void churn(void)
{
	for (unsigned done = 0; done < CHURN_PROCESSES; done += CHURN_AT_ONCE) {
		pid_t pids[CHURN_AT_ONCE];
		unsigned started = 0;

		while (started < CHURN_AT_ONCE) {
			pids[started] = process_spawn_function("nothing", nothing_main, 0, NULL,
							       PROCESS_BACKGROUND);
			if (pids[started] < 0)
				break;
			started++;
		}
		churn_collect(pids, started);
		if (started < CHURN_AT_ONCE) {
			stress_counted(STRESS_REFUSED);
			return;
		}
	}
}

static void change_limit(void)
{
	uint64_t lowest = MIN(world.frames, MAX(world.frames / 4, (uint64_t)LIMIT_MIN));
	uint64_t limit = draw(2) ? world.frames : lowest + draw(world.frames - lowest + 1);
	int error = reclaim_set_limit(limit);

	/* More may be promised than the lower limit and swap would hold. */
	if (error != 0 && error != -ENOMEM)
		stress_fail(NULL, "limit %lu: expected ENOMEM at most, observed %s", limit,
			    errno_name(error));
	stress_counted(STRESS_LIMIT);
}

static void act(void)
{
	switch (draw(48)) {
	case 0:
	case 1:
	case 2:
		kill_one();
		break;
	case 3:
	case 4:
		change_limit();
		break;
	case 5:
		lru_set_policy(policies[draw(policy_count)]);
		stress_counted(STRESS_POLICY);
		break;
	case 6:
		churn();
		break;
	default:
		break;
	}
}

static void check(void)
{
	const struct check *result = check_all();

	stress_counted(STRESS_CHECK);
	if (result->violations == 0)
		return;
	stress_fail(NULL, "check: expected no violation, observed %u", result->violations);
	for (unsigned i = 0; i < result->line_count; i++)
		console_print("%s\n", result->lines[i]);
}

static void tell_progress(void)
{
	uint64_t now = stress_seconds();
	bool terminal = console_get_mode() == CONSOLE_TERMINAL;
	void (*print)(const char *fmt, ...) = terminal ? console_progress : console_print;

	if (now < world.told + (terminal ? 1 : PROGRESS_SECONDS))
		return;
	world.told = now;
	print("stress: %lu s, %lu operations, %lu processes, %lu checks%s", now,
	      stress_operations(), stress.counts[STRESS_PROCESS] + stress.counts[STRESS_CHURN],
	      stress.counts[STRESS_CHECK], terminal ? "" : "\n");
}

static bool is_over(void)
{
	return __atomic_load_n(&stress.stop, __ATOMIC_RELAXED) ||
	       stress_operations() >= stress.target || input_interrupted() ||
	       (world.minutes > 0 && stress_seconds() >= world.minutes * 60);
}

/* 0, -ENOMEM, or -EINTR. */
static int rounds(void)
{
	for (;;) {
		uint64_t seen = input_changes();

		if (is_over())
			return 0;
		if (!stress_actors_renew(&world.random))
			return -ENOMEM;
		for (; world.acted + ACT_OPERATIONS <= stress_operations();
		     world.acted += ACT_OPERATIONS)
			act();
		if (world.checked + CHECK_OPERATIONS <= stress_operations()) {
			world.checked = stress_operations();
			check();
			stress_actors_must_go_on();
		}
		tell_progress();
		if (!is_over() && input_wait_change(seen) != 0)
			return -EINTR;
	}
}

/* ---- Begin and end ---------------------------------------------------------------------- */

static struct stress_before before_take(void)
{
	process_quiesce();
	return (struct stress_before){
		.frames = frame_free_count() + stack_table_frames(),
		.slots = swap_read_counts().used,
		.committed = commit_read().committed,
		.processes = process_count(),
		.limit = reclaim_limit(),
		.policy = lru_policy(),
		.report_hook = process_report_hook,
	};
}

/* 0, -EBUSY (another process has pages, which would not fit), -ENOMEM. */
static int world_begin(const struct stress_options *options)
{
	int error;

	memset(&stress, 0, sizeof(stress));
	memset(&world, 0, sizeof(world));
	stress.seed = options->seed;
	stress.target = options->operations ? options->operations : UINT64_MAX;
	world.minutes = options->operations ? 0 : options->minutes;
	world.frames = options->frames;
	random_seed_mixed(&world.random, options->seed);
	world.before = before_take();
	if (world.before.processes != 0)
		return -EBUSY;
	error = stress_actors_make();
	if (error == 0)
		error = reclaim_set_limit(world.frames);
	if (error != 0) {
		stress_actors_free();
		return error;
	}
	clock_begin();
	process_report_hook = stress_keep_report;
	return 0;
}

static void compare(uint64_t before, uint64_t after, const char *what)
{
	if (before != after)
		stress_fail(NULL, "after the end: expected %lu %s, observed %lu", before, what,
			    after);
}

/* Nothing is left and nothing lost. */
static void world_end(void)
{
	struct stress_before after;

	console_progress("%s", "");
	if (!stress_actors_end())
		return; /* they still use their pages */
	lru_set_policy(world.before.policy);
	if (reclaim_set_limit(world.before.limit) != 0)
		stress_fail(NULL, "the limit from before cannot be set back");
	stress_actors_free();
	process_report_hook = world.before.report_hook;
	after = before_take();
	compare(world.before.frames, after.frames, "free frames");
	compare(world.before.slots, after.slots, "slots in use");
	compare(world.before.committed, after.committed, "promised pages");
	compare(world.before.processes, after.processes, "processes");
}

static void print_counts(void)
{
	static const char *const names[STRESS_COUNT_COUNT] = {
#define STRESS_NAME(identifier, name) [STRESS_##identifier] = (name),
		STRESS_COUNTS(STRESS_NAME)
#undef STRESS_NAME
	};

	console_print("operations %lu\n", stress_operations());
	for (unsigned i = 0; i < STRESS_COUNT_COUNT; i++)
		console_print("%s %lu\n", names[i], stress.counts[i]);
	console_print("digest 0x%016lx\n", stress.digest);
}

int stress_run(const struct stress_options *options)
{
	int error = world_begin(options);
	bool interrupted;

	if (error != 0)
		return error;
	console_print("stress: seed %lu, %u CPUs, %lu frames, %lu slots\n", stress.seed, cpu_count,
		      world.frames, swap_read_counts().slots);
	error = rounds();
	interrupted = input_interrupted();
	world_end();
	print_counts();
	if (!stress.failed) {
		const struct check *result = check_all();

		if (result->violations)
			check();
		else
			console_print("check: ok frames %lu slots %lu pids %lu\n", result->frames,
				      result->slots, result->pids);
	}
	if (stress.failed)
		return -EIO;
	return interrupted ? -EINTR : error;
}
