/*
 * sched.c: the run queue, sleeping and waking, and the switch between threads.
 *
 * Invariants, under the sched lock:
 *  1. A READY thread is on the run queue once; a BLOCKED one is on exactly the
 *     wait queue that its `waiting` names; others are on neither.
 *  2. A RUNNING thread is `current` of exactly one CPU.
 *  3. A DEAD thread is on the dead list until the reaper takes it; by then no
 *     CPU uses its stack, because the lock is held until the switch is over.
 * A CPU without work runs its idle thread on the kernel's own root, with its
 * bit in idle_mask while it may be halted; whoever makes a thread ready clears
 * one such bit and interrupts that CPU.
 */
#include "kernel/sched/sched_internal.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/switch.h"
#include "arch/x86_64/trap.h"
#include "kernel/sched/schedule.h"
#include "lib/errno.h"
#include "lib/string.h"

struct spinlock sched_lock = SPINLOCK(SCHED);

static struct {
	struct thread_list ready GUARDED_BY(sched_lock);
	unsigned ready_count; /* changed under the lock */
	struct thread_list all GUARDED_BY(sched_lock);
	struct thread_list dead GUARDED_BY(sched_lock);
	struct wait_queue reaper GUARDED_BY(sched_lock);
	uint64_t idle_mask GUARDED_BY(sched_lock);
	tid_t next_tid GUARDED_BY(sched_lock);
} sched = {
	.ready = TAILQ_HEAD_INITIALIZER(sched.ready),
	.all = TAILQ_HEAD_INITIALIZER(sched.all),
	.dead = TAILQ_HEAD_INITIALIZER(sched.dead),
	.reaper = WAIT_QUEUE(sched.reaper),
	.next_tid = 1,
};

void (*sched_killed_hook)(void);
void (*sched_retired_hook)(struct thread *thread);

void wait_queue_init(struct wait_queue *queue)
{
	TAILQ_INIT(&queue->threads);
}

/* Puts the thread on the run queue and finds it a CPU. The sched lock is held. */
static void ready_locked(struct thread *thread) REQUIRES(sched_lock)
{
	thread->state = THREAD_READY;
	TAILQ_INSERT_TAIL(&sched.ready, thread, link);
	WRITE_ONCE(sched.ready_count, sched.ready_count + 1);
	if (sched.idle_mask) {
		unsigned cpu = (unsigned)__builtin_ctzll(sched.idle_mask);

		sched.idle_mask &= ~(1ull << cpu);
		if (cpu == THIS_CPU->id)
			THIS_CPU->need_resched = true;
		else
			apic_send(cpu, TRAP_RESCHEDULE);
	}
}

/*
 * Runs the next ready thread, or the idle thread. The sched lock is held
 * before and after, by whichever thread runs; interrupts are off.
 */
static void sched_switch(void) REQUIRES(sched_lock)
{
	struct thread *prev = THIS_CPU->current;
	struct thread *next;

	THIS_CPU->need_resched = false;
	if (prev->state == THREAD_RUNNING && prev != THIS_CPU->idle) {
		prev->state = THREAD_READY;
		TAILQ_INSERT_TAIL(&sched.ready, prev, link);
		WRITE_ONCE(sched.ready_count, sched.ready_count + 1);
	}
	next = TAILQ_FIRST(&sched.ready);
	if (next) {
		TAILQ_REMOVE(&sched.ready, next, link);
		WRITE_ONCE(sched.ready_count, sched.ready_count - 1);
	} else {
		next = THIS_CPU->idle;
	}
	next->state = THREAD_RUNNING;
	if (next == prev)
		return;
	ASSERT(prev->canary == THREAD_CANARY);
	next->cpu = THIS_CPU->id;
	COUNT(CONTEXT_SWITCH);
	address_space_load(next->space);
	THIS_CPU->current = next;
	context_switch(&prev->stack_pointer, next->stack_pointer);
}

/* Where a new thread begins: it inherits the lock from the thread before it. */
static void thread_begin(void *argument)
{
	struct thread *thread = argument;

	spin_taken(&sched_lock);
	spin_unlock(&sched_lock);
	irq_enable();
	thread->entry(thread->argument);
	thread_exit();
}

struct thread *thread_init(vaddr_t stack_base, const char *name, struct process *process,
			   struct address_space *space, void (*entry)(void *), void *argument)
{
	vaddr_t end = stack_base + STACK_PAGES * PAGE_SIZE;
	struct thread *thread = (struct thread *)ALIGN_DOWN(end - sizeof(struct thread), 64);
	uint64_t flags;

	memset(thread, 0, sizeof(*thread));
	thread->process = process;
	thread->space = space;
	thread->stack_base = stack_base;
	thread->stack_top = (vaddr_t)thread;
	thread->fault_floor = stack_base + STACK_RESERVE_BYTES;
	thread->entry = entry;
	thread->argument = argument;
	thread->canary = THREAD_CANARY;
	thread->state = THREAD_NEW;
	string_copy(thread->name, name, sizeof(thread->name));
	thread->stack_pointer = context_prepare(thread->stack_top, thread_begin, thread);
	flags = spin_lock_irq(&sched_lock);
	thread->tid = sched.next_tid++;
	TAILQ_INSERT_TAIL(&sched.all, thread, all);
	spin_unlock_irq(&sched_lock, flags);
	return thread;
}

void thread_ready(struct thread *thread)
{
	uint64_t flags = spin_lock_irq(&sched_lock);

	ASSERT(thread->state == THREAD_NEW);
	ready_locked(thread);
	spin_unlock_irq(&sched_lock, flags);
}

int wait_queue_sleep_locked(struct wait_queue *queue, enum wait_kind kind)
{
	struct thread *thread = thread_current();

	if (kind == WAIT_INTERRUPTIBLE && READ_ONCE(thread->killed))
		return -EINTR;
	thread->state = THREAD_BLOCKED;
	thread->waiting = queue;
	thread->interruptible = kind == WAIT_INTERRUPTIBLE;
	thread->wake_result = 0;
	TAILQ_INSERT_TAIL(&queue->threads, thread, link);
	sched_switch();
	return thread->wake_result;
}

int wait_queue_sleep(struct wait_queue *queue, struct spinlock *lock, enum wait_kind kind)
{
	int result;

	spin_lock(&sched_lock);
	/* The waker must take the sched lock, so it cannot come before the switch. */
	spin_unlock(lock);
	result = wait_queue_sleep_locked(queue, kind);
	spin_unlock(&sched_lock);
	spin_lock(lock);
	return result;
}

/* Takes a blocked thread off its wait queue. The sched lock is held. */
static void unblock_locked(struct thread *thread, int result) REQUIRES(sched_lock)
{
	TAILQ_REMOVE(&thread->waiting->threads, thread, link);
	thread->waiting = NULL;
	thread->wake_result = result;
	ready_locked(thread);
}

bool wait_queue_wake_locked(struct wait_queue *queue)
{
	struct thread *thread = TAILQ_FIRST(&queue->threads);

	if (thread)
		unblock_locked(thread, 0);
	return !TAILQ_EMPTY(&queue->threads);
}

void wait_queue_wake_all(struct wait_queue *queue)
{
	uint64_t flags = spin_lock_irq(&sched_lock);

	while (wait_queue_wake_locked(queue))
		continue;
	spin_unlock_irq(&sched_lock, flags);
}

struct thread *wait_queue_first(struct wait_queue *queue)
{
	uint64_t flags = spin_lock_irq(&sched_lock);
	struct thread *thread = TAILQ_FIRST(&queue->threads);

	spin_unlock_irq(&sched_lock, flags);
	return thread;
}

bool wait_queue_has_second(struct wait_queue *queue)
{
	uint64_t flags = spin_lock_irq(&sched_lock);
	struct thread *first = TAILQ_FIRST(&queue->threads);
	bool second = first && TAILQ_NEXT(first, link);

	spin_unlock_irq(&sched_lock, flags);
	return second;
}

void thread_kill(struct thread *thread)
{
	uint64_t flags = spin_lock_irq(&sched_lock);

	WRITE_ONCE(thread->killed, true);
	if (thread->state == THREAD_BLOCKED && thread->interruptible)
		unblock_locked(thread, -EINTR);
	else if (thread->state == THREAD_RUNNING && thread->cpu != THIS_CPU->id)
		apic_send(thread->cpu, TRAP_RESCHEDULE);
	spin_unlock_irq(&sched_lock, flags);
}

void thread_exit(void)
{
	struct thread *thread = thread_current();

	irq_disable();
	spin_lock(&sched_lock);
	thread->state = THREAD_DEAD;
	TAILQ_REMOVE(&sched.all, thread, all);
	TAILQ_INSERT_TAIL(&sched.dead, thread, link);
	if (TAILQ_FIRST(&sched.reaper.threads))
		unblock_locked(TAILQ_FIRST(&sched.reaper.threads), 0);
	sched_switch();
	__builtin_unreachable();
}

struct thread *sched_wait_dead(void)
{
	uint64_t flags = spin_lock_irq(&sched_lock);
	struct thread *self = thread_current();
	struct thread *thread;

	while (!(thread = TAILQ_FIRST(&sched.dead))) {
		self->state = THREAD_BLOCKED;
		self->waiting = &sched.reaper;
		self->interruptible = false;
		TAILQ_INSERT_TAIL(&sched.reaper.threads, self, link);
		sched_switch();
	}
	TAILQ_REMOVE(&sched.dead, thread, link);
	spin_unlock_irq(&sched_lock, flags);
	return thread;
}

bool sched_dead_empty(void)
{
	uint64_t flags = spin_lock_irq(&sched_lock);
	bool empty = TAILQ_EMPTY(&sched.dead);

	spin_unlock_irq(&sched_lock, flags);
	return empty;
}

void thread_yield(void)
{
	uint64_t flags = spin_lock_irq(&sched_lock);

	sched_switch();
	spin_unlock_irq(&sched_lock, flags);
	/* With nobody else to run here, let the other CPUs go on under icount. */
	schedule_wait();
}

void sched_preempt(bool may_switch)
{
	struct thread *thread = thread_current();

	if (!may_switch)
		return;
	if (THIS_CPU->need_resched && thread != THIS_CPU->idle) {
		spin_lock(&sched_lock);
		sched_switch();
		spin_unlock(&sched_lock);
	}
	if (UNLIKELY(READ_ONCE(thread->killed)) && thread->process && thread->gate_depth == 0) {
		irq_enable();
		sched_killed_hook();
	}
}

/* The interrupted code had interrupts on: it holds no spinlock, so it may be switched away from. */
static bool was_interruptible(const struct trap_frame *frame)
{
	const struct thread *thread = thread_current();

	/* Too deep in its stack to run the scheduler there: next time. */
	return (frame->rflags & RFLAGS_IF) &&
	       (vaddr_t)frame >= thread->stack_base + STACK_RESERVE_BYTES;
}

static void handle_tick(struct trap_frame *frame)
{
	struct thread *thread = thread_current();

	COUNT(TICK);
	apic_end_of_interrupt();
	schedule_watch();
	if (UNLIKELY(thread->turn) && thread->gate_depth == 0 && was_interruptible(frame) &&
	    frame->rip != thread->window.rip)
		sched_retired_hook(thread);
	if (READ_ONCE(sched.ready_count))
		THIS_CPU->need_resched = true;
	sched_preempt(was_interruptible(frame));
}

static void handle_reschedule(struct trap_frame *frame)
{
	apic_end_of_interrupt();
	if (READ_ONCE(sched.ready_count))
		THIS_CPU->need_resched = true;
	sched_preempt(was_interruptible(frame));
}

void sched_init(void)
{
	trap_set_handler(TRAP_TIMER, handle_tick);
	trap_set_handler(TRAP_RESCHEDULE, handle_reschedule);
}

void sched_idle_loop(struct thread *idle)
{
	THIS_CPU->idle = idle;
	THIS_CPU->current = idle;
	idle->state = THREAD_RUNNING;
	idle->cpu = THIS_CPU->id;
	for (;;) {
		irq_disable();
		spin_lock(&sched_lock);
		sched.idle_mask &= ~(1ull << THIS_CPU->id);
		if (!TAILQ_EMPTY(&sched.ready)) {
			sched_switch();
			spin_unlock(&sched_lock);
			continue;
		}
		sched.idle_mask |= 1ull << THIS_CPU->id;
		spin_unlock(&sched_lock);
		COUNT(IDLE);
		cpu_halt();
	}
}

void sched_start(struct thread *idle)
{
	uint64_t unused;

	irq_disable();
	THIS_CPU->idle = idle;
	THIS_CPU->current = idle;
	spin_lock(&sched_lock);
	idle->state = THREAD_RUNNING;
	context_switch(&unused, idle->stack_pointer);
	__builtin_unreachable();
}

unsigned sched_ready_count(void)
{
	return READ_ONCE(sched.ready_count);
}

void sched_visit_threads(void (*visit)(struct thread *thread, void *context), void *context)
{
	uint64_t flags = spin_lock_irq(&sched_lock);
	struct thread *thread;

	TAILQ_FOREACH (thread, &sched.all, all)
		visit(thread, context);
	spin_unlock_irq(&sched_lock, flags);
}
