/*
 * tlb.h: address spaces as the processor sees them, and shootdown.
 *
 * An address space knows on which CPUs its root is loaded. A CPU sets its bit
 * before it loads the root and clears it after it loaded another, so whoever
 * changes an entry and then reads the mask (with the full barrier that the
 * atomic exchange of the entry is) either sees the bit or the CPU's walks see
 * the new entry.
 */
#pragma once

#include "arch/x86_64/cpu.h"
#include "lib/types.h"

struct address_space {
	paddr_t root;    /* of the level-4 table */
	uint64_t active; /* bit per CPU that has it loaded; atomic */
	uint64_t stale;  /* bit per CPU that is to flush when it switches threads; atomic */
};

/* The kernel's own root, for idle CPUs and kernel threads; set once at boot. */
extern paddr_t tlb_kernel_root;

/*
 * Loads `space`, or the kernel's root for NULL, on this CPU if it is another, or stale.
 * Interrupts off.
 */
void address_space_load(struct address_space *space);

ALWAYS_INLINE uint64_t address_space_active(const struct address_space *space)
{
	return __atomic_load_n(&space->active, __ATOMIC_SEQ_CST);
}

/* Translations of entries that were changed may stay on these CPUs until they switch threads. */
ALWAYS_INLINE void address_space_stale(struct address_space *space, uint64_t cpu_mask)
{
	__atomic_fetch_or(&space->stale, cpu_mask, __ATOMIC_SEQ_CST);
}

/* Flushes one address on this CPU. */
ALWAYS_INLINE void tlb_flush_local(vaddr_t address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
	COUNT(TLB_FLUSH);
}

/* Flushes every address of the loaded root on this CPU: no entry is global. Interrupts off. */
ALWAYS_INLINE void tlb_flush_local_all(void)
{
	paddr_t root;

	__asm__ volatile("movq %%cr3, %0\n\tmovq %0, %%cr3" : "=r"(root) : : "memory");
	COUNT(TLB_FLUSH);
}

/*
 * Flushes the addresses (page-aligned, `count` of them; more than
 * TLB_FLUSH_ALL flush everything) on exactly the CPUs in `mask`, this one
 * included if its bit is set, and returns when all of them have acknowledged.
 * Called without any spinlock, interrupts on or off; serves other CPUs'
 * requests while it waits, so two CPUs may shoot at each other.
 */
void tlb_shootdown(uint64_t mask, const vaddr_t *addresses, unsigned count);
#define TLB_FLUSH_ALL 64

/* The same of one address. Called through tlb_shootdown_page_saving (kernel/saving.S). */
void tlb_shootdown_page(uint64_t mask, vaddr_t address);

/* The same, quick where no other CPU is concerned. Interrupts are off. */
ALWAYS_INLINE void tlb_flush_page(uint64_t mask, vaddr_t address)
{
	if (LIKELY(mask == 1ull << THIS_CPU->id))
		tlb_flush_local(address);
	else
		__asm__ volatile("call tlb_shootdown_page_saving"
				 :
				 : "D"(mask), "S"(address)
				 : "memory", "cc");
}

/* The same of `count` pages from an address on, at most TLB_FLUSH_ALL. */
void tlb_shootdown_run(uint64_t mask, vaddr_t address, unsigned count);

ALWAYS_INLINE void tlb_flush_run(uint64_t mask, vaddr_t address, unsigned count)
{
	if (UNLIKELY(mask != 1ull << THIS_CPU->id)) {
		tlb_shootdown_run(mask, address, count);
		return;
	}
	for (vaddr_t end = address + count * PAGE_SIZE; address < end; address += PAGE_SIZE)
		__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
	COUNT_ADD(TLB_FLUSH, count);
}

/* Addresses to be flushed together, of any address spaces, and where. */
struct flush_batch {
	uint64_t cpu_mask;
	unsigned count;     /* more than fit: everything is flushed */
	vaddr_t *addresses; /* room for TLB_FLUSH_ALL */
};

ALWAYS_INLINE void flush_batch_init(struct flush_batch *batch, vaddr_t *addresses)
{
	*batch = (struct flush_batch){.addresses = addresses};
}

/* Adds an address whose entry was changed before `cpu_mask` was read from its address space. */
ALWAYS_INLINE void flush_batch_add(struct flush_batch *batch, uint64_t cpu_mask, vaddr_t address)
{
	if (cpu_mask == 0)
		return;
	batch->cpu_mask |= cpu_mask;
	if (LIKELY(batch->count < TLB_FLUSH_ALL))
		batch->addresses[batch->count] = address;
	batch->count++;
}

/* One shootdown for all; the batch is empty again. As tlb_shootdown(). */
ALWAYS_INLINE void flush_batch_send(struct flush_batch *batch)
{
	if (batch->count)
		tlb_shootdown(batch->cpu_mask, batch->addresses, batch->count);
	flush_batch_init(batch, batch->addresses);
}

/*
 * Flushes what others have asked of this CPU and wait for: for whoever has interrupts
 * off for long, or waits with them off. Interrupts are off; any lock may be held.
 */
void tlb_serve(void);

/* The mask of all CPUs online: for the kernel half. */
uint64_t tlb_all_cpus(void);

/* Installs the handler of TRAP_SHOOTDOWN. */
void tlb_init(void);
