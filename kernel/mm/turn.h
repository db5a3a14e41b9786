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

/* Out of line: the same instruction asks again for a page it had been given. */
SLOW_PATH void turn_ask(struct thread *thread, vaddr_t page);

/*
 * Notes that the thread's instruction at rip asks for the page, and takes the turn (may wait
 * for it) if it asked often before. The thread has no turn. No spinlock held; interrupts may be
 * off.
 */
ALWAYS_INLINE void window_note(struct thread *thread, uint64_t rip, vaddr_t page)
{
	struct fault_window *window = &thread->window;

	if (window->rip != rip) {
		window->rip = rip;
		for (unsigned i = 1; i < WINDOW_PAGES; i++)
			window->pages[i] = 0;
		window->pages[0] = page;
		window->next = 1;
		window->asked_again = 0;
	} else if (UNLIKELY(window_has(window, page))) {
		turn_ask(thread, page);
	} else {
		window->pages[window->next++ % WINDOW_PAGES] = page;
	}
}

/* The same of any thread: one that has the turn gives it up once its instruction has retired. */
ALWAYS_INLINE void turn_fault(struct thread *thread, uint64_t rip, vaddr_t page)
{
	if (UNLIKELY(thread->turn) && thread->window.rip == rip) {
		turn_ask(thread, page);
		return;
	}
	if (UNLIKELY(thread->turn))
		turn_release(thread);
	window_note(thread, rip, page);
}

extern struct thread *turn_holder;

ALWAYS_INLINE bool turn_is_taken(void)
{
	return READ_ONCE(turn_holder);
}

/* Is it one of the holder's pages? The lru lock is held. */
struct frame;
bool turn_protects(const struct frame *frame);

void turn_init(void);
