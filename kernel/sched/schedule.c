/*
 * schedule.c: who goes on at a schedule point. Debug builds only.
 *
 *   schedule_point() --> schedule_decide() --> random_point() | pct_point() --> PAUSE, or not
 *   schedule_wait()  --> schedule_decide_waiting() ------------------------> PAUSE, as waiting
 *
 * A CPU can go on unless it is idle or waits: in a spin for a lock or for an
 * acknowledgement, or in thread_yield(). One that waits is asked again at each
 * point, by a PAUSE: it may have got what it waits for.
 *
 * Invariants:
 *  1. What is decided depends on the seed and on the order of the calls only: no clock, no
 *     address. So it is the same again where that order is.
 *  2. A priority is advice, and nothing here can stop the machine: a CPU pauses at most
 *     SCHEDULE_PAUSES_MAX times at a point, and after SCHEDULE_PCT_POINTS the order is random,
 *     so that CPUs that never wait starve nobody for ever.
 * No locks: under icount a CPU gives way at PAUSE and at the end of its slice
 * only. Where CPUs run in parallel, numbers may be lost, which only makes
 * another schedule of it.
 */
#include "kernel/sched/schedule.h"

#ifdef DEBUG

#include "arch/x86_64/cpu.h"
#include "kernel/panic.h"
#include "kernel/sched/thread.h"
#include "lib/random.h"

enum strategy { STRATEGY_RANDOM, STRATEGY_PCT };

bool schedule_exploring;

static struct {
	struct random random;
	enum strategy strategy;
	uint64_t deadline; /* of the TSC, which counts instructions */
	struct schedule_counts counts;
	unsigned pause_one_in;   /* random: the probability, inverse */
	unsigned preempt_one_in; /* the thread's time is over, where another is ready */
	unsigned change_count;   /* PCT: d - 1 ... */
	uint64_t change[SCHEDULE_CHANGES_MAX]; /* ... points at which the priority drops */
	unsigned lowest;                       /* PCT: the lowest priority given so far */
	unsigned priority[CPU_MAX];            /* PCT: all different */
	bool waiting[CPU_MAX];
} schedule;

/* ---- What a seed means --------------------------------------------------------- */

/* Priorities: any order of the CPUs, above all that change points give. */
static void draw_priorities(struct random *random)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		unsigned other = (unsigned)random_below(random, i + 1);

		schedule.priority[i] = schedule.priority[other];
		schedule.priority[other] = SCHEDULE_PRIORITY_FIRST + i;
	}
	schedule.lowest = SCHEDULE_PRIORITY_FIRST;
}

/*
 * Change points. How many points there will be is not known, so the seed
 * guesses its magnitude: that costs a small factor, and needs no rehearsal.
 */
static void draw_changes(struct random *random)
{
	uint64_t points =
		1ull << (SCHEDULE_POINTS_SHIFT_MIN + random_below(random, SCHEDULE_POINTS_SHIFTS));

	schedule.change_count = (unsigned)random_below(random, SCHEDULE_CHANGES_MAX + 1);
	for (unsigned i = 0; i < schedule.change_count; i++)
		schedule.change[i] = 1 + random_below(random, points);
}

void schedule_begin(uint64_t seed)
{
	struct random *random = &schedule.random;

	random_seed_mixed(random, seed);
	schedule.counts = (struct schedule_counts){0, 0};
	schedule.strategy = random_below(random, 2) ? STRATEGY_PCT : STRATEGY_RANDOM;
	schedule.pause_one_in = 2u << random_below(random, 6);
	schedule.preempt_one_in = 16u << random_below(random, 5);
	draw_priorities(random);
	draw_changes(random);
	for (unsigned i = 0; i < CPU_MAX; i++)
		schedule.waiting[i] = false;
	schedule.deadline = cpu_tsc() + SCHEDULE_INSTRUCTIONS_MAX;
	__atomic_store_n(&schedule_exploring, true, __ATOMIC_SEQ_CST);
}

struct schedule_counts schedule_end(void)
{
	__atomic_store_n(&schedule_exploring, false, __ATOMIC_SEQ_CST);
	return schedule.counts;
}

void schedule_watch(void)
{
	if (!schedule_exploring || cpu_tsc() < schedule.deadline)
		return;
	schedule_exploring = false;
	panic("no end after %lu instructions: a deadlock, or a wakeup that was lost",
	      SCHEDULE_INSTRUCTIONS_MAX);
}

/* ---- At a point ------------------------------------------------------------------ */

static void pause(void)
{
	schedule.counts.pauses++;
	cpu_relax();
}

static void random_point(void)
{
	while (random_below(&schedule.random, schedule.pause_one_in) == 0)
		pause();
}

/* CPUs of higher priority: can one go on; does one wait, if only for its next thread? */
struct others {
	bool can_go_on, waits;
};

static struct others others_above(unsigned self)
{
	struct others others = {false, false};

	for (unsigned i = 0; i < cpu_count; i++) {
		bool idle = READ_ONCE(cpus[i].current) == cpus[i].idle;

		if (schedule.priority[i] <= schedule.priority[self])
			continue;
		if (idle ? sched_ready_count() : schedule.waiting[i])
			others.waits = true;
		else if (!idle)
			others.can_go_on = true;
	}
	return others;
}

static void pct_point(unsigned self)
{
	for (unsigned i = 0; i < schedule.change_count; i++)
		if (schedule.change[i] == schedule.counts.points)
			schedule.priority[self] = --schedule.lowest;
	for (unsigned pauses = 0; pauses < SCHEDULE_PAUSES_MAX; pauses++) {
		struct others others = others_above(self);

		if (!others.can_go_on && (!others.waits || pauses))
			return;
		pause();
	}
}

void schedule_decide(void)
{
	uint64_t flags = irq_save();

	schedule.counts.points++;
	if (random_below(&schedule.random, schedule.preempt_one_in) == 0 && sched_ready_count())
		THIS_CPU->need_resched = true;
	if (THIS_CPU->current != THIS_CPU->idle) {
		if (schedule.strategy == STRATEGY_RANDOM ||
		    schedule.counts.points > SCHEDULE_PCT_POINTS)
			random_point();
		else
			pct_point(THIS_CPU->id);
	}
	irq_restore(flags);
}

void schedule_decide_waiting(void)
{
	uint64_t flags = irq_save();
	unsigned self = THIS_CPU->id;

	schedule_watch(); /* interrupts, the timer's too, may be off in all these loops */
	schedule.waiting[self] = true;
	pause();
	schedule.waiting[self] = false;
	irq_restore(flags);
}

#endif
