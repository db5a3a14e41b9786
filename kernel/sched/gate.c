/*
 * gate.c: closing the gates.
 *
 * Closing sets the flag, then looks at each thread's depth; entering raises the
 * depth, then looks at the flag; both with full barriers, so one sees the
 * other. A thread that finds the gates closed goes back out and sleeps on a
 * queue. Who is inside goes on until it leaves or sleeps interruptibly.
 */
#include "kernel/sched/gate.h"

#include "kernel/sched/mutex.h"

unsigned detours;

struct mutex gate_closer = {.lock_class = LOCK_GATE, .waiters = WAIT_QUEUE(gate_closer.waiters)};

static struct {
	struct spinlock lock;
	struct wait_queue waiting GUARDED_BY(lock);
} gate = {
	.lock = SPINLOCK(GATE_WAIT),
	.waiting = WAIT_QUEUE(gate.waiting),
};

void gate_enter_closed(struct thread *thread)
{
	uint64_t flags;

	/* Others that wait for the turn are inside, and the closer waits for them. */
	if (thread->turn)
		sched_retired_hook(thread);
	do {
		__atomic_store_n(&thread->gate_depth, 0, __ATOMIC_SEQ_CST);
		flags = spin_lock_irq(&gate.lock);
		while (gate_is_closed())
			(void)wait_queue_sleep(&gate.waiting, &gate.lock, WAIT_UNINTERRUPTIBLE);
		spin_unlock_irq(&gate.lock, flags);
		__atomic_store_n(&thread->gate_depth, 1, __ATOMIC_SEQ_CST);
	} while (gate_is_closed());
}

void gate_enter_slow(struct thread *thread)
{
	if (gate_stack_is_short(thread) && thread->process) {
		__atomic_store_n(&thread->gate_depth, 0, __ATOMIC_SEQ_CST);
		/* As if it had run into its guard page itself: the fault ends the process. */
		*(volatile char *)(thread->stack_base - 1) = 0;
	}
	/* Its instruction has retired, and who waits for the turn may hold what it is to wait for.
	 */
	if (thread->turn)
		sched_retired_hook(thread);
	if (gate_is_closed())
		gate_enter_closed(thread);
}

void gate_leave_slow(struct thread *thread)
{
	if (thread->gate_depth)
		return;
	if (thread->turn)
		sched_retired_hook(thread);
	if (READ_ONCE(thread->killed) && thread->process && irq_enabled())
		sched_killed_hook();
}

struct inside {
	const struct thread *self;
	unsigned count;
};

static void count_inside(struct thread *thread, void *context)
{
	struct inside *inside = context;

	if (thread == inside->self || READ_ONCE(thread->closing) ||
	    __atomic_load_n(&thread->gate_depth, __ATOMIC_SEQ_CST) == 0)
		return;
	if (thread->state == THREAD_BLOCKED && thread->interruptible)
		return;
	if (thread->state == THREAD_NEW || thread->state == THREAD_DEAD)
		return; /* it runs nothing */
	inside->count++;
}

void gate_close_all(void)
{
	struct inside inside = {thread_current(), 0};

	mutex_lock(&gate_closer);
	detour_set(DETOUR_GATE, true);
	for (;;) {
		inside.count = 0;
		sched_visit_threads(count_inside, &inside);
		if (inside.count == 0)
			return;
		thread_yield();
	}
}

void gate_open_all(void)
{
	uint64_t flags = spin_lock_irq(&gate.lock);

	detour_set(DETOUR_GATE, false);
	wait_queue_wake_all(&gate.waiting);
	spin_unlock_irq(&gate.lock, flags);
	mutex_unlock(&gate_closer);
}
