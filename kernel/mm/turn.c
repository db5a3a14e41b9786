/*
 * turn.c: who may finish its instruction first.
 *
 * `turn` is a mutex, so it is handed on in the order of asking. The holder's
 * window is read by evictors under the lru lock while the holder may be
 * changing it: then a page more or less is exempt for a moment, which is
 * harmless, as the holder asks again.
 */
#include "kernel/mm/turn.h"

#include "kernel/mm/lru.h"
#include "kernel/mm/vmap.h"
#include "kernel/sched/mutex.h"

static struct mutex turn;
struct thread *turn_holder;

/* Takes the mutex `turn`, which turn_release() lets go. */
static COLD void turn_take(struct thread *thread)
{
	uint64_t flags = irq_save();

	irq_enable();
	mutex_lock(&turn);
	mutex_given(&turn); /* thread->turn says that it is held */
	irq_restore(flags);
	thread->turn = true;
	thread->fault_floor = UINT64_MAX;
	thread->turn_faults = 0;
	__atomic_store_n(&turn_holder, thread, __ATOMIC_RELEASE);
	__atomic_fetch_or(&lru_exceptions, LRU_TURN, __ATOMIC_SEQ_CST);
}

void turn_release(struct thread *thread)
{
	/* The tick releases too, in the middle of anything outside the gate: once, not twice. */
	uint64_t flags = irq_save();

	if (thread->turn) {
		ASSERT(turn_holder == thread);
		lru_end_turn();
		thread->turn = false;
		thread->fault_floor = thread->stack_base + STACK_RESERVE_BYTES;
		mutex_taken(&turn);
		mutex_unlock(&turn);
	}
	irq_restore(flags);
}

/*
 * A loop, too, comes back to a page that left meanwhile; but not that often without asking for
 * another one. An instruction that cannot retire does, as it needs no others.
 */
static bool window_is_stuck(struct fault_window *window)
{
	if (window->asked_at != (uint16_t)window->next) {
		window->asked_at = (uint16_t)window->next;
		window->asked_again = 0;
	}
	return ++window->asked_again > WINDOW_PAGES;
}

void turn_ask(struct thread *thread, vaddr_t page)
{
	struct fault_window *window = &thread->window;

	/* With the turn, each of at most four pages faults once before the instruction retires. */
	if (thread->turn && ++thread->turn_faults > WINDOW_PAGES)
		turn_release(thread);
	if (!window_has(window, page))
		window->pages[window->next++ % WINDOW_PAGES] = page;
	else if (!thread->turn && window_is_stuck(window))
		turn_take(thread);
}

void window_note_again(struct thread *thread, uint64_t rip, vaddr_t page)
{
	struct fault_window *window = &thread->window;

	if (window->rip != rip) {
		window->rip = rip;
		for (unsigned i = 1; i < WINDOW_PAGES; i++)
			window->pages[i] = 0;
		window->pages[0] = page;
		window->next = 1;
		window->asked_again = 0;
	} else {
		turn_ask(thread, page);
	}
}

/* Is the page mapped at one of the addresses? A shared one may be, at any. */
static bool window_maps(const struct fault_window *window, const struct VMap *vmap, pfn_t pfn)
{
	for (unsigned i = 0; i < WINDOW_PAGES; i++) {
		vaddr_t page = READ_ONCE(window->pages[i]);
		const pte_t *entry = page && page < PROCESS_END ? vmap_entry(vmap, page) : NULL;

		if (entry && pte_has_frame(pte_read(entry)) && pte_pfn(pte_read(entry)) == pfn)
			return true;
	}
	return false;
}

bool turn_protects(const struct frame *frame)
{
	const struct thread *holder = READ_ONCE(turn_holder);
	const struct address_space *space = holder ? READ_ONCE(holder->space) : NULL;
	const struct VMap *vmap;

	if (!space)
		return false;
	vmap = CONTAINER_OF(space, struct VMap, space);
	if (frame->state == FRAME_SHARED)
		return window_maps(&holder->window, vmap, frame_pfn(frame));
	return vmap->slot == frame->owner && window_has(&holder->window, frame->page.address);
}

void turn_init(void)
{
	mutex_init(&turn, LOCK_TURN);
	sched_retired_hook = turn_release;
}
