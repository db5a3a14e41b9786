/*
 * turn.h: progress on a handful of frames.
 *
 * An instruction may touch up to four pages and runs only when all are mapped
 * at once. With fewer frames than all threads' instructions need together,
 * threads could take pages from each other for ever. So a thread that faults
 * again and again on pages it had just been given, without its instruction having
 * retired, asks for the turn: there is one, its pages are exempt from eviction
 * meanwhile, and it is passed on in the order of asking.
 */
#pragma once

#include "arch/x86_64/trap.h"
#include "kernel/mm/lru.h"
#include "kernel/sched/thread.h"
#include "lib/types.h"

/* Gives the turn up, if this thread has it: at the gate, by the tick, at its end. */
SLOW_PATH void turn_release(struct thread *thread);

/*
 * Is the page one of those that the instruction asked for last? No page is at 0. The window is
 * the calling thread's own, or the answer may be a moment old.
 */
ALWAYS_INLINE bool window_has(const struct fault_window *window, vaddr_t page)
{
	STATIC_ASSERT(WINDOW_PAGES == 4);
	return window->pages[0] == page || window->pages[1] == page || window->pages[2] == page ||
	       window->pages[3] == page;
}

/* The same instruction asks again, for a page it had been given or another one. */
SLOW_PATH void turn_ask(struct thread *thread, vaddr_t page);

/* Out of line: the instruction may be the one that faulted last, and not have retired since. */
SLOW_PATH void window_note_again(struct thread *thread, uint64_t rip, vaddr_t page);

/*
 * Notes that the thread's instruction asks for the page, and takes the turn (may wait
 * for it) if it asked often before. The thread has no turn. No spinlock held; interrupts may be
 * off.
 *
 * An instruction that has not retired finds the registers as they were. So where their sum is
 * another than last time, it has, or a repetition of it, or it is another one; else its window
 * tells.
 */
ALWAYS_INLINE void window_note(struct thread *thread, const struct trap_frame *frame, vaddr_t page)
{
	struct fault_window *window = &thread->window;
	uint64_t registers =
		frame->rip + frame->rax + frame->rcx + frame->rdx + frame->rsi + frame->rdi;

	if (UNLIKELY(window->registers == registers)) {
		window_note_again(thread, frame->rip, page);
		return;
	}
	window->registers = registers;
	window->rip = 0;
}

/* The same of any thread: one that has the turn gives it up once its instruction has retired. */
ALWAYS_INLINE void turn_fault(struct thread *thread, const struct trap_frame *frame, vaddr_t page)
{
	if (UNLIKELY(thread->turn) && thread->window.rip == frame->rip) {
		turn_ask(thread, page);
		return;
	}
	if (UNLIKELY(thread->turn))
		turn_release(thread);
	window_note(thread, frame, page);
}

extern struct thread *turn_holder;

ALWAYS_INLINE bool turn_is_taken(void)
{
	return READ_ONCE(lru_exceptions) & LRU_TURN;
}

/* Is it one of the holder's pages? The lru lock is held. */
struct frame;
bool turn_protects(const struct frame *frame);

void turn_init(void);
