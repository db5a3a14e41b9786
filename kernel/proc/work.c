/*
 * work.c: see work.h. One list of all requests that are queued or taken.
 *
 * Invariants:
 * 1. A request is on the list from work_submit() until work_finish() or
 *    work_process_ended() takes it off, and exactly one of them does.
 * 2. It is submitted only while its process cannot end, so the process's end
 *    finds it.
 *
 * Locks: `lock`, of the semaphores' class, guards the list and each state; the
 * hooks are called without it.
 */
#include "kernel/proc/work.h"

#include "kernel/proc/process.h"
#include "kernel/sched/thread.h"
#include "lib/errno.h"
#include "lib/string.h"

TAILQ_HEAD(work_list, work);

static struct {
	struct spinlock lock;
	struct work_list list GUARDED_BY(lock);
	struct wait_queue arrived GUARDED_BY(lock);
} works = {
	.lock = SPINLOCK(WAIT),
	.list = TAILQ_HEAD_INITIALIZER(works.list),
	.arrived = WAIT_QUEUE(works.arrived),
};

void (*work_print_hook)(struct work *work);
void (*work_done_hook)(struct work *work);
void (*work_progress_hook)(const struct work *work, uint64_t done, uint64_t total);

/* Called while the process cannot end: invariant 2. */
static void submit(struct process *process, void *context)
{
	struct work *work = context;
	uint64_t flags;

	if (strcmp(process->name, WORKER_NAME) != 0) {
		work->error = -EINVAL;
		return;
	}
	work->error = 0;
	flags = spin_lock_irq(&works.lock);
	work->state = WORK_QUEUED;
	TAILQ_INSERT_TAIL(&works.list, work, link);
	wait_queue_wake_all(&works.arrived);
	spin_unlock_irq(&works.lock, flags);
}

int work_submit(struct work *work)
{
	int error;

	work->state = WORK_NEW;
	work->cancelled = false;
	work->killed = FAULT_OK;
	error = process_with(work->pid, submit, work);
	if (error != 0)
		return error;
	return work->state == WORK_NEW ? -EINVAL : 0;
}

void work_cancel(struct work *work)
{
	WRITE_ONCE(work->cancelled, true);
}

bool work_is_cancelled(const struct work *work)
{
	return READ_ONCE(work->cancelled);
}

/* The first request to the process that nobody has taken. The lock is held. */
static struct work *find_queued(pid_t pid)
{
	struct work *work;

	TAILQ_FOREACH (work, &works.list, link)
		if (work->pid == pid && work->state == WORK_QUEUED)
			return work;
	return NULL;
}

int work_take(struct work **taken)
{
	pid_t pid = process_current()->pid;
	uint64_t flags = spin_lock_irq(&works.lock);
	struct work *work;
	int error = 0;

	while (!(work = find_queued(pid))) {
		error = wait_queue_sleep(&works.arrived, &works.lock, WAIT_INTERRUPTIBLE);
		if (error != 0)
			break;
	}
	if (work) {
		work->state = WORK_TAKEN;
		error = 0;
	}
	*taken = work;
	spin_unlock_irq(&works.lock, flags);
	return error;
}

static void finish(struct work *work)
{
	uint64_t flags = spin_lock_irq(&works.lock);

	TAILQ_REMOVE(&works.list, work, link);
	work->state = WORK_DONE;
	spin_unlock_irq(&works.lock, flags);
	work_done_hook(work);
}

void work_finish(struct work *work)
{
	work_print_hook(work);
	finish(work);
}

/* A request to the process, or NULL. */
static struct work *find_any(pid_t pid)
{
	uint64_t flags = spin_lock_irq(&works.lock);
	struct work *work;

	TAILQ_FOREACH (work, &works.list, link)
		if (work->pid == pid)
			break;
	spin_unlock_irq(&works.lock, flags);
	return work;
}

void work_process_ended(pid_t pid, enum fault_reason killed)
{
	struct work *work;

	while ((work = find_any(pid))) {
		work->error = work->state == WORK_TAKEN ? -EFAULT : -ESRCH;
		work->killed = killed != FAULT_OK ? killed : FAULT_KILLED;
		work_finish(work);
	}
}

bool work_is_awaited(pid_t pid)
{
	uint64_t flags = spin_lock_irq(&works.lock);
	struct work *work;

	TAILQ_FOREACH (work, &works.list, link)
		if (work->pid == pid && work->state == WORK_TAKEN && !work->apart)
			break;
	spin_unlock_irq(&works.lock, flags);
	return work;
}
