/*
 * population.c: the actors: their pages, their processes' starts and ends.
 *
 *   actor_prepare() -> a process of stress_actor_main() -> ended -> actor_collect() -> ...
 *
 * Called by the console's thread alone. How a process may end is settled before
 * it starts: with status 0, or by the bad access that it is to make; or killed,
 * if it was.
 */
#include "kernel/mm/kernel_pages.h"
#include "kernel/monitor/console.h"
#include "kernel/proc/process.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "tests/stress/stress.h"

/* Somebody is stuck if all others together did so many operations since his last ... */
#define STUCK_OPERATIONS 50000u
/* ... and all are, if this thread had so many turns and seconds meanwhile. */
#define STUCK_YIELDS 100000u
#define STUCK_SECONDS 5u
#define REPORT_BYTES 2048

STATIC_ASSERT(sizeof(struct stress_actor) <= PAGE_SIZE);
STATIC_ASSERT(STRESS_BLOCKS_A_PAGE > 0);

static struct {
	uint64_t progress, progress_yields, progress_second; /* seen last; and since when */
	char report[REPORT_BYTES]; /* of the last fatal fault; written under proc's report lock */
} population;

void stress_keep_report(struct process *process, const char *text)
{
	(void)process;
	(void)string_copy(population.report, text, sizeof(population.report));
}

/* What the next process of this actor is to be. */
static void actor_prepare(struct stress_actor *actor, struct random *random)
{
	actor->generation++;
	actor->killed = false;
	actor->thread_count = 1 + (unsigned)random_below(random, STRESS_THREADS);
	actor->budget = 1 + (unsigned)random_below(random, random_below(random, 2) ? 60 : 400);
	actor->baton_count = 1 + (int)random_below(random, 2);
	actor->baton_holders = 0;
	actor->last_operation = stress_operations();
	actor->doom_kind = (unsigned)random_below(random, stress_doom_kinds());
	actor->doom =
		random_below(random, 4) == 0 ? stress_doom_reason(actor->doom_kind) : FAULT_OK;
	actor->doom_thread = (unsigned)random_below(random, actor->thread_count);
	actor->doom_at = (unsigned)random_below(random, actor->budget);
	for (unsigned i = 0; i < STRESS_BLOCKS; i++) {
		stress_block(actor, i)->taken = 0;
		stress_block(actor, i)->place = 0;
	}
	if (semaphore_init(&actor->baton, actor->baton_count) != 0)
		ASSERT(!"1 and 2 are counts");
	for (unsigned i = 0; i < STRESS_THREADS; i++) {
		struct stress_thread *thread = &actor->threads[i];

		thread->actor = actor;
		thread->index = i;
		thread->operation = 0;
		random_seed_mixed(&thread->random, random_next(random));
	}
}

/* False if there is no memory for it now. */
static bool actor_start(struct stress_actor *actor, struct random *random)
{
	char number[16];
	char *argv[] = {number};
	pid_t pid;

	actor_prepare(actor, random);
	(void)format(number, sizeof(number), "%u", actor->index);
	pid = process_spawn_function("stress", stress_actor_main, 1, argv, PROCESS_BACKGROUND);
	if (pid > 0) {
		__atomic_store_n(&actor->pid, pid, __ATOMIC_RELAXED);
		stress_counted(STRESS_PROCESS);
		return true;
	}
	if (pid != -ENOMEM)
		stress_fail(NULL, "a process cannot start: expected ENOMEM, observed %s",
			    errno_name(pid));
	stress_counted(STRESS_REFUSED);
	return false;
}

/* Did it end as it was to? */
static void end_verify(const struct stress_actor *actor, pid_t pid, const struct process_end *end)
{
	const char *expected = actor->killed ? "killed" : "exit status 0";

	if (end->killed == FAULT_KILLED && actor->killed)
		return;
	if (actor->doom != FAULT_OK && end->killed == actor->doom) {
		stress_counted(STRESS_BAD_ACCESS);
		return;
	}
	if (end->killed == FAULT_OK && end->exit_status == 0 && actor->doom == FAULT_OK)
		return;
	if (actor->doom != FAULT_OK)
		expected = fault_reason_name(actor->doom);
	stress_fail(NULL, "the end of pid %d: expected %s, observed %s, %d", pid, expected,
		    fault_reason_name(end->killed), end->exit_status);
	console_write(population.report, strlen(population.report));
}

/* Its process has ended. */
static void actor_collect(struct stress_actor *actor)
{
	struct process_end end;
	pid_t pid = actor->pid;
	int error = process_wait(pid, &end);

	__atomic_store_n(&actor->pid, 0, __ATOMIC_RELAXED);
	if (error != 0) {
		stress_fail(NULL, "the wait for pid %d: expected no error, observed %s", pid,
			    errno_name(error));
		return;
	}
	end_verify(actor, pid, &end);
	if (semaphore_destroy(&actor->baton) != 0)
		stress_fail(NULL,
			    "a semaphore of pid %d, which has ended: expected no waiters, "
			    "observed EBUSY",
			    pid);
}

bool stress_actors_renew(struct random *random)
{
	unsigned running = 0;

	for (unsigned i = 0; i < STRESS_ACTORS; i++) {
		struct stress_actor *actor = stress.actors[i];

		if (actor->pid != 0 && process_ended(actor->pid))
			actor_collect(actor);
		running += actor->pid != 0 || actor_start(actor, random);
	}
	return running > 0;
}

void stress_actors_must_go_on(void)
{
	for (unsigned i = 0; i < STRESS_ACTORS; i++) {
		const struct stress_actor *actor = stress.actors[i];
		uint64_t last = __atomic_load_n(&actor->last_operation, __ATOMIC_RELAXED);

		if (actor->pid != 0 && stress_operations() > last + STUCK_OPERATIONS)
			stress_fail(NULL,
				    "pid %d: expected an operation now and then, "
				    "observed none since operation %lu",
				    actor->pid, last);
	}
}

/* Lets others go on; false, and told, if nobody does. */
static bool yield_must_help(void)
{
	uint64_t progress = __atomic_load_n(&stress.progress, __ATOMIC_RELAXED);

	thread_yield();
	if (progress != population.progress) {
		population.progress = progress;
		population.progress_yields = 0;
		population.progress_second = stress_seconds();
	}
	if (++population.progress_yields < STUCK_YIELDS ||
	    stress_seconds() < population.progress_second + STUCK_SECONDS)
		return true;
	population.progress_yields = 0;
	stress_fail(NULL, "expected that the processes go on, observed that none does");
	return false;
}

/* ---- Begin and end ----------------------------------------------------------------- */

void stress_actors_free(void)
{
	for (unsigned i = 0; i < STRESS_ACTORS && stress.actors[i]; i++) {
		struct stress_actor *actor = stress.actors[i];

		for (unsigned j = 0; j < STRESS_THREADS; j++)
			if (actor->threads[j].scratch)
				kernel_page_free(actor->threads[j].scratch);
		for (unsigned j = 0; j < STRESS_BLOCK_FRAMES; j++)
			if (actor->blocks[j])
				kernel_page_free(actor->blocks[j]);
		kernel_page_free(actor);
	}
}

static struct stress_actor *actor_make(unsigned index)
{
	struct stress_actor *actor = stress.actors[index] = kernel_page_alloc();
	bool ok = actor;

	for (unsigned j = 0; ok && j < STRESS_THREADS; j++)
		ok = (actor->threads[j].scratch = kernel_page_alloc());
	for (unsigned j = 0; ok && j < STRESS_BLOCK_FRAMES; j++)
		ok = (actor->blocks[j] = kernel_page_alloc());
	if (ok)
		actor->index = index;
	return ok ? actor : NULL;
}

int stress_actors_make(void)
{
	memset(&population, 0, sizeof(population));
	for (unsigned i = 0; i < STRESS_ACTORS; i++)
		if (!actor_make(i))
			return -ENOMEM;
	return 0;
}

/* Waits until the actor's process has ended; false if it does not. */
static bool actor_end(struct stress_actor *actor)
{
	while (actor->pid != 0 && !process_ended(actor->pid))
		if (!yield_must_help())
			return false;
	if (actor->pid != 0)
		actor_collect(actor);
	return true;
}

bool stress_actors_end(void)
{
	bool ended = true;

	__atomic_store_n(&stress.stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < STRESS_ACTORS; i++) {
		struct stress_actor *actor = stress.actors[i];

		if (actor_end(actor))
			continue;
		console_print("pid %d does not end by itself, its last operation was %lu\n",
			      actor->pid, actor->last_operation);
		actor->killed = true;
		if (process_kill(actor->pid) != 0 || !actor_end(actor)) {
			console_print("pid %d does not end when it is killed\n", actor->pid);
			ended = false;
		}
	}
	return ended;
}
