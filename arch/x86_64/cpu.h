/*
 * cpu.h: what each CPU has for itself, and the instructions C has no word for.
 *
 * The GS base points at this CPU's struct cpu, always: there is no other ring.
 * THIS_CPU->field is one instruction, so it is right even when the thread is
 * preempted around it; a pointer from cpu_current() stays that CPU's only
 * while interrupts are off.
 */
#pragma once

#include "arch/x86_64/pte.h"
#include "kernel/config.h"
#include "kernel/counters.h"
#include "lib/types.h"

struct address_space;
struct event_ring;
struct frame;
struct inbox;
struct magazine;
struct thread;

struct cpu {
	struct cpu *self;            /* must be first: cpu_current() */
	struct thread *current;      /* the thread that runs here */
	struct address_space *space; /* whose root is in CR3; NULL: the kernel's own */
	uint32_t id;                 /* 0 .. cpu_count - 1, 0 booted */
	uint32_t lock_owner;         /* id + 1: what a spinlock has that this CPU holds */
	uint32_t apic_id;
	/* The page that this CPU's last fault mapped (mm/fault_internal.h). */
	const struct address_space *recent_space; /* RECENT_NONE: of none */
	pte_t *recent_entry;
	uint64_t recent_address;
	bool online;
	bool need_resched; /* set by tick and wakeups, cleared by the scheduler */
	bool halted_for_panic;
	const void *panic_frame;   /* where it was when another CPU's panic stopped it */
	struct thread *idle;       /* runs when nothing else can */
	struct magazine *magazine; /* free frames at hand (mm/frame.c) */
	struct inbox *inbox;       /* pages that the lists do not have yet (mm/lru_inbox.c) */
	struct event_ring *events; /* what happened to pages here (mm/event.c) */
	uint64_t counters[COUNTER_COUNT];
} __attribute__((aligned(64)));

/* Features found at boot, the same on every CPU. */
struct cpu_features {
	bool avx;      /* 32-byte moves, enabled in XCR0 */
	bool nx;       /* always on 64-bit CPUs of QEMU; boot stops without it */
	bool gib_page; /* 1 GiB pages */
	char brand[49];
};

#define RECENT_NONE ((const struct address_space *)1) /* no address space, and not NULL */

extern struct cpu cpus[CPU_MAX];
extern unsigned cpu_count; /* CPUs online; grows only during boot */
extern struct cpu_features cpu_features;

#define THIS_CPU ((struct cpu __seg_gs *)0)

/* Counts on this CPU, in one instruction. */
#define COUNT(name) (THIS_CPU->counters[COUNTER_##name]++)
#define COUNT_ADD(name, n) (THIS_CPU->counters[COUNTER_##name] += (uint64_t)(n))

ALWAYS_INLINE struct cpu *cpu_current(void)
{
	return THIS_CPU->self;
}

#define RFLAGS_IF 0x200ull
#define RFLAGS_TF 0x100ull

ALWAYS_INLINE uint64_t irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

ALWAYS_INLINE void irq_restore(uint64_t flags)
{
	__asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

ALWAYS_INLINE void irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

ALWAYS_INLINE void irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

ALWAYS_INLINE bool irq_enabled(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return flags & RFLAGS_IF;
}

/* Waits a moment in a spin; under QEMU's icount another CPU goes on. */
ALWAYS_INLINE uint64_t cpu_stack_pointer(void)
{
	uint64_t value;

	__asm__ volatile("movq %%rsp, %0" : "=r"(value));
	return value;
}

ALWAYS_INLINE void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Interrupts on and sleep until the next one, without a gap between the two. */
ALWAYS_INLINE void cpu_halt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

ALWAYS_INLINE uint64_t cpu_tsc(void)
{
	uint64_t low, high; /* the processor clears their upper halves */

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return high << 32 | low;
}

/* The same for who stores it anyway. */
ALWAYS_INLINE void cpu_tsc_halves(uint32_t *low, uint32_t *high)
{
	__asm__ volatile("rdtsc" : "=a"(*low), "=d"(*high));
}

ALWAYS_INLINE vaddr_t cpu_fault_address(void)
{
	vaddr_t address;

	__asm__ volatile("movq %%cr2, %0" : "=r"(address));
	return address;
}

ALWAYS_INLINE uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

ALWAYS_INLINE void msr_write(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

ALWAYS_INLINE uint8_t port_read8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

ALWAYS_INLINE void port_write8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

ALWAYS_INLINE void port_write16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

ALWAYS_INLINE void port_write32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

/*
 * Fills in cpus[id], loads its GDT, TSS and IDT, sets the GS base, and turns
 * on SSE and, where there is one, AVX (CR0.WP and NX are on since boot.S).
 * Called once on each CPU, before anything that uses THIS_CPU.
 */
void cpu_init(unsigned id, uint32_t apic_id);
