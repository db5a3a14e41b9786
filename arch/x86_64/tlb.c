/*
 * tlb.c: which address space is loaded where, and telling other CPUs to forget
 * an address. Intel SDM volume 3, section 4.10.5: a CPU keeps what it has read
 * of a page table until it is told otherwise.
 *
 * A shootdown, initiator A and target T:
 *
 *   A, interrupts off                             T
 *   tlb_requests[A] = addresses, waiting = {T}
 *   tlb_pending[T] |= {A}
 *   interrupt, unless T's mask was not empty      tlb_serve(): takes its mask, flushes,
 *   flushes its own, serves its own mask              waiting &= ~{T}
 *   until waiting is empty
 *
 * Invariants:
 * 1. tlb_requests[A] is written by A only while its `waiting` is empty, and A
 *    waits until it is empty again: so the addresses may lie on A's stack.
 * 2. Whoever finds T's mask empty sends the interrupt, so a mask that is not
 *    empty always has one on its way, or T is about to look by itself.
 * 3. A waiting CPU serves, so any number of CPUs may shoot at each other with
 *    interrupts off.
 *
 * No locks; atomic operations on the two masks order everything else.
 */
#include "arch/x86_64/tlb.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/trap.h"
#include "lib/assert.h"

STATIC_ASSERT(CPU_MAX <= 64); /* a mask is one word */

struct tlb_request {
	const vaddr_t *addresses;
	unsigned count;
	uint64_t waiting; /* targets that have not flushed yet; atomic */
} __attribute__((aligned(64)));

struct tlb_pending {
	uint64_t initiators; /* whose requests this CPU has not looked at; atomic */
} __attribute__((aligned(64)));

paddr_t tlb_kernel_root;

static struct tlb_request tlb_requests[CPU_MAX];
static struct tlb_pending tlb_pending[CPU_MAX];

static void root_load(paddr_t root)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(root) : "memory");
}

void address_space_load(struct address_space *space)
{
	struct cpu *cpu = cpu_current();
	struct address_space *old = cpu->space;
	uint64_t bit = 1ull << cpu->id;

	if (space == old && !(space && __atomic_load_n(&space->stale, __ATOMIC_SEQ_CST) & bit))
		return;
	schedule_point();
	if (space) {
		__atomic_fetch_or(&space->active, bit, __ATOMIC_SEQ_CST);
		/* Before the flush: what becomes stale meanwhile stays marked. */
		__atomic_fetch_and(&space->stale, ~bit, __ATOMIC_SEQ_CST);
	}
	root_load(space ? space->root : tlb_kernel_root);
	cpu->space = space;
	schedule_point();
	if (old && old != space)
		__atomic_fetch_and(&old->active, ~bit, __ATOMIC_SEQ_CST);
}

uint64_t tlb_all_cpus(void)
{
	return ~0ull >> (64 - READ_ONCE(cpu_count));
}

static void flush(const vaddr_t *addresses, unsigned count)
{
	if (count > TLB_FLUSH_ALL) {
		tlb_flush_local_all();
		return;
	}
#pragma GCC unroll 4
	for (unsigned i = 0; i < count; i++)
		__asm__ volatile("invlpg (%0)" : : "r"(addresses[i]) : "memory");
}

void tlb_serve(void)
{
	unsigned self = THIS_CPU->id;
	uint64_t initiators;

	if (READ_ONCE(tlb_pending[self].initiators) == 0) /* usual, and cheaper than the exchange */
		return;
	initiators = __atomic_exchange_n(&tlb_pending[self].initiators, 0, __ATOMIC_SEQ_CST);
	while (initiators) {
		struct tlb_request *request = &tlb_requests[__builtin_ctzll(initiators)];

		DEBUG_ASSERT(__atomic_load_n(&request->waiting, __ATOMIC_RELAXED) & 1ull << self);
		schedule_point();
		flush(request->addresses, request->count);
		schedule_point();
		COUNT_ADD(TLB_RECEIVED, request->count);
		__atomic_fetch_and(&request->waiting, ~(1ull << self), __ATOMIC_SEQ_CST);
		initiators &= initiators - 1;
	}
}

static void tlb_interrupt(struct trap_frame *frame)
{
	(void)frame;
	apic_end_of_interrupt();
	tlb_serve();
}

/* Hands the request to each CPU in `targets` and waits for all. Interrupts off. */
static void shoot(uint64_t targets, const vaddr_t *addresses, unsigned count)
{
	unsigned self = THIS_CPU->id;
	struct tlb_request *request = &tlb_requests[self];

	DEBUG_ASSERT(request->waiting == 0);
	request->addresses = addresses;
	request->count = count;
	__atomic_store_n(&request->waiting, targets, __ATOMIC_RELEASE);

	COUNT(TLB_SHOOTDOWN);
	for (uint64_t left = targets; left; left &= left - 1) {
		unsigned target = (unsigned)__builtin_ctzll(left);

		schedule_point();
		if (__atomic_fetch_or(&tlb_pending[target].initiators, 1ull << self,
				      __ATOMIC_SEQ_CST) == 0)
			apic_send(target, TRAP_SHOOTDOWN);
	}
	while (__atomic_load_n(&request->waiting, __ATOMIC_ACQUIRE)) {
		tlb_serve();
		schedule_wait();
	}
}

void tlb_shootdown(uint64_t mask, const vaddr_t *addresses, unsigned count)
{
	uint64_t flags = irq_save();
	uint64_t self = 1ull << THIS_CPU->id;

	ASSERT((mask & ~tlb_all_cpus()) == 0);
	if (mask & self) {
		flush(addresses, count);
		COUNT_ADD(TLB_FLUSH, count);
	}
	if (mask & ~self)
		shoot(mask & ~self, addresses, count);
	irq_restore(flags);
}

void tlb_shootdown_page(uint64_t mask, vaddr_t address)
{
	tlb_shootdown(mask, &address, 1);
}

void tlb_shootdown_run(uint64_t mask, vaddr_t address, unsigned count)
{
	vaddr_t addresses[TLB_FLUSH_ALL];

	for (unsigned i = 0; i < count; i++)
		addresses[i] = address + i * PAGE_SIZE;
	tlb_shootdown(mask, addresses, count);
}

void tlb_init(void)
{
	trap_set_handler(TRAP_SHOOTDOWN, tlb_interrupt);
}
