/*
 * actor.c: a process that does random work, with several threads, until each
 * has done its share; then it looks at every byte again and ends. Some are to
 * die of a bad access in the middle of it, all may be killed at any moment.
 */
#include "kernel/monitor/input.h"
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "lib/number.h"
#include "tests/stress/stress.h"

static void wake_console(void)
{
	gate_enter();
	input_change();
	gate_leave();
}

static bool is_doomed(const struct stress_thread *thread, unsigned done)
{
	const struct stress_actor *actor = thread->actor;

	return actor->doom != FAULT_OK && actor->doom_thread == thread->index &&
	       actor->doom_at == done;
}

static void work(void *argument)
{
	struct stress_thread *thread = argument;
	struct stress_actor *actor = thread->actor;

	for (unsigned done = 0; done < actor->budget; done++) {
		uint64_t number;

		if (__atomic_load_n(&stress.stop, __ATOMIC_RELAXED))
			break;
		number = __atomic_add_fetch(&stress.operations, 1, __ATOMIC_RELAXED);
		if (number % STRESS_WAKE_OPERATIONS == 0 || number >= stress.target)
			wake_console();
		if (number > stress.target)
			break;
		thread->operation = number;
		stress_goes_on(thread);
		if (is_doomed(thread, done))
			stress_doom_access(thread);
		stress_operation(thread);
	}
}

int stress_actor_main(int argc, char **argv)
{
	int64_t index = 0;
	tid_t tids[STRESS_THREADS];
	unsigned started = 1;
	struct stress_actor *actor;

	if (argc != 1 || number_parse(argv[0], 0, STRESS_ACTORS - 1, &index) != 0)
		return 1;
	actor = stress.actors[index];
	for (; started < actor->thread_count; started++) {
		if (thread_start(work, &actor->threads[started], &tids[started]) != 0) {
			stress_counted(STRESS_REFUSED);
			break;
		}
		stress_counted(STRESS_THREAD);
	}
	work(&actor->threads[0]);
	for (unsigned i = 1; i < started; i++)
		if (thread_join(tids[i]) != 0)
			stress_fail(&actor->threads[0], "a thread cannot be joined");
	if (actor->doom != FAULT_OK)
		stress_doom_access(&actor->threads[0]);
	if (!__atomic_load_n(&stress.failed, __ATOMIC_RELAXED))
		stress_verify_all(&actor->threads[0]);
	return 0;
}
