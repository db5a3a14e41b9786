/*
 * check_all.c: one quiet moment, and every room's invariants.
 */
#include "kernel/proc/check_all.h"

#include "kernel/mm/commit.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/object.h"
#include "kernel/mm/quarantine.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/stack.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/process.h"
#include "kernel/proc/semaphores.h"
#include "kernel/sched/gate.h"

static struct check result;

struct totals {
	struct check *check;
	uint64_t committed, resident, tables, pids;
};

static void check_process(struct process *process, void *context)
{
	struct totals *totals = context;
	struct vmap_usage usage;

	totals->pids++;
	if (process->state == PROCESS_ZOMBIE)
		return; /* it owns nothing any more */
	vmap_check(&process->vmap, totals->check);
	vmap_usage(&process->vmap, &usage);
	totals->resident += usage.resident - usage.shared;
	totals->committed += process->vmap.committed;
	totals->tables += process->vmap.table_pages;
}

/* Invariant 11: what is promised fits and adds up; 5, 3: no table and no page without an owner. */
static void check_totals(struct check *check, const struct totals *totals)
{
	struct commit_state commit = commit_read();
	uint64_t counts[FRAME_STATE_COUNT];

	frame_census(counts);
	if (commit.committed != totals->committed + object_read_counts().pages)
		check_fail(check, 11, "%lu pages are promised, processes have %lu, objects %lu",
			   commit.committed, totals->committed, object_read_counts().pages);
	if (commit.available < 0 && swap_read_counts().bad == 0)
		check_fail(check, 11, "%ld pages more are promised than fit", -commit.available);
	if (counts[FRAME_PAGE_TABLE] != totals->tables + stack_table_frames())
		check_fail(check, 5, "%lu frames are page tables, %lu are reachable",
			   counts[FRAME_PAGE_TABLE], totals->tables + stack_table_frames());
	if (counts[FRAME_PRIVATE] != totals->resident)
		check_fail(check, 3, "%lu frames are pages of processes, whose entries hold %lu",
			   counts[FRAME_PRIVATE], totals->resident);
	if (frame_memory.ram_pages - commit.kernel_pages !=
	    counts[FRAME_FREE] + counts[FRAME_PRIVATE] + counts[FRAME_SHARED])
		check_fail(check, 11, "%lu frames are charged to the kernel, it has %lu",
			   commit.kernel_pages,
			   frame_memory.ram_pages - counts[FRAME_FREE] - counts[FRAME_PRIVATE] -
				   counts[FRAME_SHARED]);
	check->frames = frame_memory.ram_pages;
	check->pids = totals->pids;
}

const struct check *check_all(void)
{
	struct totals totals = {.check = &result};

	/* Two that check at once, both inside their gates, must not wait for each other. */
	WRITE_ONCE(thread_current()->closing, true);
	process_quiesce();
	gate_close_all();
	(void)quarantine_drain();
	result.violations = 0;
	result.line_count = 0;
	frame_check(&result);
	process_visit_quiet(check_process, &totals);
	object_check(&result);
	swap_check_end(&result);
	check_totals(&result, &totals);
	reclaim_check(&result);
	process_check(&result);
	semaphores_check(&result);
	stack_check(&result);
	gate_open_all();
	WRITE_ONCE(thread_current()->closing, false);
	return &result;
}
