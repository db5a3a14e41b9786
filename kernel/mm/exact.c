/*
 * exact.c: trapping every change of page.
 *
 * A thread has at most one page mapped between its instructions: the one that
 * it used last. An instruction may use up to four; they gather in the thread's
 * `mapped` list, and the single-step trap after the instruction (TF, Intel SDM
 * volume 3, section 17.3.1.4) lets all but the last rest. proc/signal.c asks for
 * that trap too, to know that an instruction has retired.
 */
#include "kernel/mm/exact.h"

#include "arch/x86_64/trap.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/turn.h"
#include "kernel/mm/vmap.h"
#include "kernel/panic.h"
#include "kernel/sched/gate.h"

/* present -> resting, everywhere. The page stays on the policy's list. */
static void rest(struct VMap *vmap, vaddr_t page)
{
	pte_t *entry = vmap_entry(vmap, page);
	struct frame *table = vmap_table_of(entry);
	uint64_t active;
	pte_t old;

	spin_lock(&table->table.lock);
	old = pte_read(entry);
	if (!pte_is_present(old)) {
		spin_unlock(&table->table.lock);
		return; /* it was evicted or freed meanwhile */
	}
	old = pte_exchange(entry,
			   pte_make_resting(pte_pfn(old),
					    pte_away_flags(old) | (old.bits & PTE_OBJECT_FLAGS)));
	if (old.bits & PTE_DIRTY)
		frame_flag_set(&frames[pte_pfn(old)], PAGE_DIRTY);
	spin_unlock(&table->table.lock);
	active = address_space_active(&vmap->space);
	if (active)
		tlb_shootdown(active, &page, 1);
}

/* All pages but the newest `keep` rest. */
static void rest_all_but(struct thread *thread, unsigned keep)
{
	struct VMap *vmap = vmap_current();
	unsigned rested = 0;

	while (thread->mapped_count - rested > keep)
		rest(vmap, thread->mapped[rested++]);
	for (unsigned i = rested; i < thread->mapped_count; i++)
		thread->mapped[i - rested] = thread->mapped[i];
	thread->mapped_count -= rested;
}

/* A page that this instruction had before, and that left meanwhile, takes one place, not two. */
static void mapped_remove(struct thread *thread, vaddr_t page)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < thread->mapped_count; i++)
		if (thread->mapped[i] != page)
			thread->mapped[kept++] = thread->mapped[i];
	thread->mapped_count = kept;
}

void exact_rest(void)
{
	uint64_t flags = irq_save();

	rest_all_but(thread_current(), 0);
	irq_restore(flags);
}

void exact_mapped(struct trap_frame *frame, vaddr_t page)
{
	struct thread *thread = thread_current();

	/* Stepping already: this is one more page of the same instruction. */
	if (!(frame->rflags & RFLAGS_TF))
		rest_all_but(thread, 0);
	mapped_remove(thread, page);
	if (thread->mapped_count == WINDOW_PAGES)
		rest_all_but(thread, WINDOW_PAGES - 1);
	thread->mapped[thread->mapped_count++] = page;
	frame->rflags |= RFLAGS_TF;
}

static void handle_debug(struct trap_frame *frame)
{
	struct thread *thread = thread_current();

	if (!(frame->rflags & RFLAGS_TF))
		panic_trap(frame, "debug trap that nobody asked for");
	frame->rflags &= ~RFLAGS_TF;
	gate_enter_anyhow();
	if (thread->mapped_count > 1)
		rest_all_but(thread, 1);
	thread->gate_depth--;
	/* It has retired: the next time round a loop it needs no page of this time (mm/turn.h). */
	thread->window.rip = 0;
	thread->retried.rip = 0;
	turn_release(thread);
}

void exact_init(void)
{
	trap_set_handler(TRAP_DEBUG, handle_debug);
}
