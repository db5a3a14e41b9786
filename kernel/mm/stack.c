/*
 * stack.c: the stack area: slots of 8 pages, of which the lowest ones stay
 * unmapped and the upper STACK_PAGES hold a stack.
 *
 * The level-4 entry of the area is made at boot, so all roots share what is
 * below it; lower tables are made when first needed and kept. A mapping goes
 * away with a shootdown on all CPUs before its frames are free.
 * Lock: `stack` guards the free slots and the making of tables' entries.
 */
#include "kernel/mm/stack.h"

#include "arch/x86_64/layout.h"
#include "arch/x86_64/pte.h"
#include "arch/x86_64/tlb.h"
#include "kernel/config.h"
#include "kernel/mm/check.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/sched/thread.h"

#define SLOT_PAGES 8u
#define SLOT_BYTES ((vaddr_t)SLOT_PAGES * PAGE_SIZE)
#define GUARD_BYTES (SLOT_BYTES - STACK_PAGES * PAGE_SIZE)

static struct {
	struct spinlock lock;
	uint64_t used[THREAD_MAX / 64] GUARDED_BY(lock); /* bitmap */
	uint64_t table_frames GUARDED_BY(lock);
} stacks = {.lock = SPINLOCK(STACK)};

/* The level-1 entry of a page in the area, making tables on the way; NULL: no memory. */
static pte_t *stack_entry(vaddr_t address, bool make)
{
	pte_t *table = direct_map(tlb_kernel_root);

	for (int level = 4; level > 1; level--) {
		pte_t *entry = &table[pte_index(address, level)];
		pte_t none = PTE_NONE;

		if (!pte_is_present(pte_read(entry))) {
			pfn_t pfn = make ? kernel_frame_alloc(FRAME_PAGE_TABLE) : PFN_NONE;
			pte_t made;

			if (pfn == PFN_NONE)
				return NULL;
			made.bits = (uint64_t)pfn << PAGE_SHIFT | PTE_PRESENT | PTE_WRITABLE;
			/* Another CPU may have been quicker. */
			if (!__atomic_compare_exchange_n(&entry->bits, &none.bits, made.bits, false,
							 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
				kernel_frame_free(pfn);
			else
				__atomic_fetch_add(&stacks.table_frames, 1, __ATOMIC_RELAXED);
		}
		table = direct_map(pte_read(entry).bits & PTE_FRAME_MASK);
	}
	return &table[pte_index(address, 1)];
}

static int slot_take(void)
{
	uint64_t flags = spin_lock_irq(&stacks.lock);
	int slot = -1;

	for (unsigned word = 0; word < ARRAY_SIZE(stacks.used); word++) {
		if (~stacks.used[word]) {
			unsigned bit = (unsigned)__builtin_ctzll(~stacks.used[word]);

			stacks.used[word] |= 1ull << bit;
			slot = (int)(word * 64 + bit);
			break;
		}
	}
	spin_unlock_irq(&stacks.lock, flags);
	return slot;
}

static void slot_give(unsigned slot)
{
	uint64_t flags = spin_lock_irq(&stacks.lock);

	ASSERT(stacks.used[slot / 64] >> (slot % 64) & 1);
	stacks.used[slot / 64] &= ~(1ull << (slot % 64));
	spin_unlock_irq(&stacks.lock, flags);
}

/* Unmaps and frees the first `count` pages of the stack at base. */
static void unmap(vaddr_t base, unsigned count)
{
	vaddr_t addresses[STACK_PAGES];
	pfn_t pfns[STACK_PAGES];

	for (unsigned i = 0; i < count; i++) {
		pte_t *entry = stack_entry(base + i * PAGE_SIZE, false);

		addresses[i] = base + i * PAGE_SIZE;
		pfns[i] = pte_pfn(pte_exchange(entry, PTE_NONE));
	}
	if (count)
		tlb_shootdown(tlb_all_cpus(), addresses, count);
	for (unsigned i = 0; i < count; i++)
		kernel_frame_free(pfns[i]);
}

vaddr_t stack_alloc(void)
{
	int slot = slot_take();
	vaddr_t base;

	if (slot < 0)
		return 0;
	base = STACK_BASE + (vaddr_t)slot * SLOT_BYTES + GUARD_BYTES;
	for (unsigned i = 0; i < STACK_PAGES; i++) {
		pte_t *entry = stack_entry(base + i * PAGE_SIZE, true);
		pfn_t pfn = entry ? kernel_frame_alloc(FRAME_KERNEL) : PFN_NONE;

		if (pfn == PFN_NONE) {
			unmap(base, i);
			slot_give((unsigned)slot);
			return 0;
		}
		pte_write(entry, pte_make_present(pfn, 0));
	}
	return base;
}

void stack_free(vaddr_t base)
{
	unmap(base, STACK_PAGES);
	slot_give((unsigned)((base - STACK_BASE) / SLOT_BYTES));
}

uint64_t stack_table_frames(void)
{
	return READ_ONCE(stacks.table_frames);
}

bool stack_is_guard(vaddr_t base, vaddr_t address)
{
	return address < base && base - address <= GUARD_BYTES;
}

static void check_thread(struct thread *thread, void *context)
{
	struct check *check = context;
	pte_t *guard;

	if (thread->canary != THREAD_CANARY)
		check_fail(check, 14, "the canary of thread %d (%s) is gone", thread->tid,
			   thread->name);
	if (thread->stack_base < STACK_BASE || thread->stack_base >= STACK_END)
		return;
	guard = stack_entry(thread->stack_base - PAGE_SIZE, false);
	if (guard && !pte_is_none(pte_read(guard)))
		check_fail(check, 14, "the guard page of thread %d (%s) is mapped", thread->tid,
			   thread->name);
}

void stack_check(struct check *check)
{
	sched_visit_threads(check_thread, check);
}
