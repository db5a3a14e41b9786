/*
 * demo_stage.c: see demo_stage.h.
 *
 *   demo_stage_enter()     page, keeper thread, lower limit
 *   ...                    the demo ends, or is killed
 *   keep()                 whatever is left: actors, limit, page
 *
 * Invariants:
 * 1. Whatever the demo notes in the stage it notes inside the gate, together
 *    with doing it; so a kill finds both or neither.
 * 2. The keeper touches the stage only when the demo has ended.
 * No locks.
 */
#include "kernel/programs/demo_stage.h"

#include "kernel/mm/commit.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/reclaim.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "lib/format.h"
#include "lib/number.h"
#include "lib/string.h"

/* Enough that a page out of four is a little number, few enough to be done in seconds. */
#define FRAMES_MAX 1024u
/* With fewer there is nothing to see: the four actors' own stacks take more. */
#define FRAMES_MIN 16u
/* Pages promised besides the blocks: the programs' data of each process. */
#define PAGES_BESIDE 64u

STATIC_ASSERT(sizeof(struct demo_stage) <= PAGE_SIZE);

/* The most frames so that four times as many pages can be promised; 0: too few to show. */
static uint64_t frames_choose(void)
{
	struct commit_state commit = commit_read();
	uint64_t resident_max = commit_resident_max();
	int64_t slots = commit.available - (int64_t)resident_max - PAGES_BESIDE;
	/* Without a limit yet, some frames stay for what the kernel takes meanwhile. */
	uint64_t most = commit.limit == UINT64_MAX ? resident_max / 2 : resident_max;

	most = MIN(most, (uint64_t)MAX(slots, 0) / (DEMO_FILLERS - 1));
	return most < FRAMES_MIN ? 0 : MIN(most, FRAMES_MAX);
}

/* Does another process of that name exist? */
static bool is_running_elsewhere(void)
{
	struct process_info info;

	for (pid_t pid = 1; process_next(pid, &info); pid = info.pid + 1)
		if (info.pid != self_pid() && strcmp(info.name, process_current()->name) == 0)
			return true;
	return false;
}

static void end_actor(pid_t *pid)
{
	struct process_end end;

	/* It may have ended by itself; but nobody else collects it, unless at the console. */
	if (*pid != 0 && (process_kill(*pid) == 0 || process_ended(*pid)) &&
	    process_wait(*pid, &end) == 0)
		*pid = 0;
}

void demo_stage_clear(struct demo_stage *stage)
{
	gate_enter();
	for (unsigned i = 0; i < DEMO_FILLERS; i++)
		end_actor(&stage->fillers[i].pid);
	end_actor(&stage->intruder);
	if (stage->limited && reclaim_set_limit(stage->limit_before) == 0)
		stage->limited = false;
	gate_leave();
}

/* A thread of the kernel: waits for the demo to end, however it does. */
static void keep(void *argument)
{
	struct demo_stage *stage = argument;

	/* -ESRCH: it has been collected already. */
	if (process_join(stage->demo) != -EINTR)
		demo_stage_clear(stage);
	gate_enter();
	kernel_page_free(stage);
	gate_leave();
}

static struct demo_stage *stage_make(void)
{
	struct demo_stage *stage = kernel_page_alloc();

	if (!stage)
		return NULL;
	stage->demo = self_pid();
	for (unsigned i = 0; i < DEMO_FILLERS; i++)
		if (semaphore_init(&stage->fillers[i].go, 0))
			ASSERT(!"0 is a count");
	if (kernel_thread_start("demo keeper", keep, stage)) {
		kernel_page_free(stage);
		return NULL;
	}
	return stage;
}

static struct demo_stage *enter(int *error)
{
	struct demo_stage *stage;

	*error = -EBUSY;
	if (is_running_elsewhere())
		return NULL;
	*error = -ENOMEM;
	stage = stage_make();
	if (!stage)
		return NULL;
	*error = -ENOSPC;
	stage->frames = frames_choose();
	if (stage->frames == 0)
		return NULL; /* the keeper frees the stage when the demo has ended */
	stage->limit_before = reclaim_limit();
	*error = reclaim_set_limit(stage->frames);
	stage->limited = *error == 0;
	return stage->limited ? stage : NULL;
}

struct demo_stage *demo_stage_enter(int *error)
{
	struct demo_stage *stage;

	gate_enter();
	stage = enter(error);
	gate_leave();
	return stage;
}

int demo_stage_start(struct demo_stage *stage, const char *name, int (*main)(int argc, char **argv),
		     unsigned index, pid_t *pid)
{
	char address[24], number[16];
	char *argv[] = {address, number};
	pid_t started;

	(void)format(address, sizeof(address), "0x%lx", (uint64_t)stage);
	(void)format(number, sizeof(number), "%u", index);
	gate_enter();
	started = process_spawn_function(name, main, 2, argv, PROCESS_BACKGROUND);
	if (started > 0)
		*pid = started;
	gate_leave();
	return MIN(started, 0);
}

int demo_stage_collect(pid_t *pid)
{
	int status;

	gate_enter();
	status = wait_for(*pid);
	if (status != -EINTR)
		*pid = 0;
	gate_leave();
	return status;
}

struct demo_stage *demo_stage_from(int argc, char **argv, unsigned *index)
{
	uint64_t address;
	int64_t number;

	if (argc != 2 || number_parse_u64(argv[0], &address) != 0 ||
	    number_parse(argv[1], 0, DEMO_FILLERS - 1, &number) != 0)
		return NULL;
	*index = (unsigned)number;
	return (struct demo_stage *)address;
}
