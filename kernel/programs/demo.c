/*
 * demo.c: `run demo`: what the kernel is for, in a few seconds.
 *
 *   step       the four fillers                     what is shown
 *   limit      do not exist yet                     memory is short
 *   fill       write their blocks                   first touches, evictions, writes
 *   compare    read them back twice, all at once    major faults, swap traffic
 *   intrude    wait                                 another process is stopped
 *   free       free their blocks and end            everything is given back
 *   check      are gone                             the invariants
 *
 * It narrates; the work is done by demo_actors.c on a stage of demo_stage.c.
 * It has no globals, and so no pages: what it tells is about the others.
 */
#include "kernel/mm/frame.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/check_all.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "kernel/programs/demo_stage.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"

/* ---- Counters ---------------------------------------------------------------- */

/* What is told of a step, with what it means; read-only, so it is no page of the process. */
static const struct {
	enum counter counter;
	const char *name, *meaning;
} told[] = {
	{COUNTER_PGMINFAULT, "first touches", "the page had no frame yet: a zeroed one"},
	{COUNTER_PGAHEAD, "neighbours", "mapped with it, before anybody touched them"},
	{COUNTER_PGMAJFAULT, "major faults", "the page was in swap: read it back"},
	{COUNTER_PGSOFTFAULT, "soft faults", "the page was still there: map it again"},
	{COUNTER_PGSTEAL, "evictions", "a page left, so that another finds a frame"},
	{COUNTER_PSWPOUT, "swap writes", "pages that left and had changed"},
	{COUNTER_PSWPIN, "swap reads", "pages that came back, checksum verified"},
	{COUNTER_TLB_SHOOTDOWN, "shootdowns", "other CPUs told to forget a mapping"},
};

struct counts {
	uint64_t values[COUNTER_COUNT];
};

static void counts_read(struct counts *counts)
{
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		counts->values[i] = counter_read((enum counter)i);
}

/* What happened since `before`, those that did. */
static void print_counts(const struct counts *before)
{
	for (unsigned i = 0; i < ARRAY_SIZE(told); i++) {
		uint64_t count = counter_read(told[i].counter) - before->values[told[i].counter];

		if (count > 0)
			print("     %8lu %-14s %s\n", count, told[i].name, told[i].meaning);
	}
}

/* ---- Fillers ----------------------------------------------------------------- */

/* Waits until a filler has done a step. False, and says so, if it died on the way. */
static bool wait_step(const struct demo_filler *filler, enum demo_step step)
{
	while (__atomic_load_n(&filler->step, __ATOMIC_ACQUIRE) < step) {
		bool ended;

		gate_enter();
		ended = process_ended(filler->pid);
		gate_leave();
		if (ended && __atomic_load_n(&filler->step, __ATOMIC_ACQUIRE) < step) {
			print("demo: pid %d ended before its time\n", filler->pid);
			return false;
		}
		yield();
	}
	return true;
}

static bool wait_all(const struct demo_stage *stage, enum demo_step step)
{
	for (unsigned i = 0; i < DEMO_FILLERS; i++)
		if (!wait_step(&stage->fillers[i], step))
			return false;
	return true;
}

/* Lets all fillers take the next step. */
static void let_go(struct demo_stage *stage)
{
	for (unsigned i = 0; i < DEMO_FILLERS; i++) {
		gate_enter();
		if (semaphore_post(&stage->fillers[i].go))
			ASSERT(!"a count of a few");
		gate_leave();
	}
}

static uint64_t bytes_wrong(const struct demo_stage *stage)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DEMO_FILLERS; i++)
		sum += stage->fillers[i].bytes_wrong;
	return sum;
}

/* ---- The steps --------------------------------------------------------------- */

static void show_limit(const struct demo_stage *stage)
{
	print("\n"
	      "1  Memory is short. The machine has %lu frames of 4 KiB; from now on pages of\n"
	      "   processes may have %lu of them, as if `limit %lu` had been typed. What does\n"
	      "   not fit leaves for swap, a disk in RAM with %lu slots, a page each. Who\n"
	      "   leaves is for the policy to say: %s.\n",
	      frame_memory.ram_pages, stage->frames, stage->frames, swap_read_counts().slots,
	      lru_policy()->name);
}

static bool show_fill(struct demo_stage *stage)
{
	struct counts before;

	print("\n"
	      "2  Four processes start. Each asks vmap_malloc for %lu pages, as many as there\n"
	      "   are frames for all of them, and writes every byte.\n",
	      stage->frames);
	counts_read(&before);
	for (unsigned i = 0; i < DEMO_FILLERS; i++) {
		int error = demo_stage_start(stage, "demo-filler", demo_filler_main, i,
					     &stage->fillers[i].pid);

		if (error) {
			print("demo: a process cannot start: %s\n", errno_name(error));
			return false;
		}
	}
	if (!wait_all(stage, DEMO_FILLED))
		return false;
	for (unsigned i = 0; i < DEMO_FILLERS; i++) {
		const struct demo_filler *filler = &stage->fillers[i];

		print("     pid %-4d %6lu pages at %p, all written\n", filler->pid, stage->frames,
		      (void *)filler->address);
	}
	print("   That is %lu pages on %lu frames, four times what there is:\n",
	      DEMO_FILLERS * stage->frames, stage->frames);
	print_counts(&before);
	return true;
}

static bool show_compare(struct demo_stage *stage)
{
	struct counts before;

	print("\n"
	      "3  All four at once read their bytes and write others in their place, then\n"
	      "   read those, from the last to the first. Most pages are away when wanted.\n");
	counts_read(&before);
	let_go(stage);
	if (!wait_all(stage, DEMO_COMPARED))
		return false;
	print_counts(&before);
	for (unsigned i = 0; i < DEMO_FILLERS; i++) {
		const struct demo_filler *filler = &stage->fillers[i];

		print("     pid %-4d %10lu bytes compared, %lu differ\n", filler->pid,
		      filler->bytes_right + filler->bytes_wrong, filler->bytes_wrong);
		if (filler->bytes_wrong > 0)
			print("     pid %-4d the first of them at %p\n", filler->pid,
			      (void *)filler->first_wrong);
	}
	return true;
}

static bool show_intruder(struct demo_stage *stage)
{
	const struct demo_filler *victim = &stage->fillers[0];
	pid_t pid;
	int error;

	print("\n"
	      "4  An address means something in one process only. Another process now reads\n"
	      "   at %p, where pid %d has its bytes:\n",
	      (void *)victim->address, victim->pid);
	error = demo_stage_start(stage, "demo-intruder", demo_intruder_main, 0, &stage->intruder);
	if (error) {
		print("demo: a process cannot start: %s\n", errno_name(error));
		return false;
	}
	pid = stage->intruder;
	error = demo_stage_collect(&stage->intruder);
	if (error >= 0) {
		print("   pid %d got through! Its exit status is %d.\n", pid, error);
		return false;
	}
	print("   The CPU found no page there, the kernel found whose it is: pid %d is gone,\n"
	      "   pid %d never noticed, and everything else goes on.\n",
	      pid, victim->pid);
	return true;
}

static bool show_free(struct demo_stage *stage)
{
	print("\n"
	      "5  The four free their blocks and end, and the limit is what it was.\n");
	let_go(stage);
	for (unsigned i = 0; i < DEMO_FILLERS; i++) {
		pid_t pid = stage->fillers[i].pid;
		int status = demo_stage_collect(&stage->fillers[i].pid);

		if (status != 0) {
			print("demo: pid %d ended with %d\n", pid, status);
			return false;
		}
	}
	demo_stage_clear(stage);
	print("     %8lu pages of processes in memory, %lu slots of swap in use\n",
	      reclaim_resident(), swap_read_counts().used);
	return true;
}

static bool show_check(void)
{
	const struct check *check;
	bool ok;

	print("\n"
	      "6  Did anything go wrong unseen? check stops everybody for a moment and compares\n"
	      "   every frame, page-table entry, slot and list with every other. The one process\n"
	      "   that is left is this demo:\n");
	gate_enter();
	check = check_all();
	ok = check->violations == 0;
	if (ok)
		print("check: ok frames %lu slots %lu pids %lu\n", check->frames, check->slots,
		      check->pids);
	else
		print("check: %u violations\n", check->violations);
	for (unsigned i = 0; i < check->line_count; i++)
		print("%s\n", check->lines[i]);
	gate_leave();
	return ok;
}

static bool show(struct demo_stage *stage)
{
	show_limit(stage);
	return show_fill(stage) && show_compare(stage) && show_intruder(stage) &&
	       show_free(stage) && show_check() && bytes_wrong(stage) == 0;
}

static const char *why_not(int error)
{
	switch (error) {
	case -ENOSPC:
		return "there is too little memory or swap to promise four times the frames";
	case -EBUSY:
		return "another demo is running";
	default:
		return errno_text(error);
	}
}

static int demo_main(int argc, char **argv)
{
	struct demo_stage *stage;
	bool ok;
	int error;

	(void)argc, (void)argv;
	stage = demo_stage_enter(&error);
	if (!stage) {
		print("demo: %s\n", why_not(error));
		return 1;
	}
	print("quire: programs larger than memory, and nobody gets hurt\n");
	ok = show(stage);
	demo_stage_clear(stage);
	print("\n%s\n", ok ? "Every byte came back, every frame too. `help` lists what else "
			     "there is."
			   : "The demo failed: see above.");
	return ok ? 0 : 1;
}

PROGRAM(demo, "demo", "", "shows what the kernel is for, in a few seconds", demo_main);
