/*
 * trap.c: the IDT, the table of handlers, and the end of a trap that nobody
 * handles. The entry path is in trap.S.
 *
 * Invariants:
 * 1. All CPUs share one IDT, complete before the first of them loads it.
 * 2. Every vector has a handler at any time; each gate is an interrupt gate, so
 *    handlers start with interrupts off.
 *
 * No locks: handlers are set during boot; a pointer is stored whole.
 */
#include "arch/x86_64/trap.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/trap_internal.h"
#include "kernel/panic.h"
#include "lib/assert.h"

/* Intel SDM volume 3, figure 6-8. */
struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};
STATIC_ASSERT(sizeof(struct idt_gate) == 16);
STATIC_ASSERT(sizeof(struct trap_frame) == 176);
STATIC_ASSERT(sizeof(struct trap_frame) % 16 == 0);
STATIC_ASSERT(TRAP_FRAME_KEPT_BYTES == 6 * 8 && TRAP_PAGE_FAULT == 14); /* trap.S */

#define GATE_INTERRUPT 0x8e /* present, ring 0, 64-bit interrupt gate */

static struct idt_gate idt[TRAP_VECTOR_COUNT];

static void trap_unhandled(struct trap_frame *frame);

/* The local APIC's way to say that an interrupt went away; it wants no end-of-interrupt. */
static void trap_ignore(struct trap_frame *frame)
{
	(void)frame;
}

trap_handler *trap_handlers[TRAP_VECTOR_COUNT] = {
	[0 ... TRAP_SPURIOUS - 1] = trap_unhandled,
	[TRAP_SPURIOUS] = trap_ignore,
};

static bool first_of_none(struct trap_frame *frame)
{
	(void)frame;
	return false;
}

trap_first *trap_first_handler = first_of_none;

const char *trap_name(unsigned vector)
{
	static const char *const names[TRAP_EXCEPTION_COUNT] = {
		[0] = "divide error",
		[1] = "debug exception",
		[2] = "non-maskable interrupt",
		[3] = "breakpoint",
		[4] = "overflow",
		[5] = "bound range exceeded",
		[6] = "invalid opcode",
		[7] = "no coprocessor",
		[8] = "double fault",
		[10] = "invalid TSS",
		[11] = "segment not present",
		[12] = "stack-segment fault",
		[13] = "general protection fault",
		[14] = "page fault",
		[16] = "x87 floating-point error",
		[17] = "alignment check",
		[18] = "machine check",
		[19] = "SIMD floating-point error",
		[20] = "virtualization exception",
		[21] = "control protection exception",
	};

	if (vector >= TRAP_EXCEPTION_COUNT)
		return "interrupt";
	return names[vector] ? names[vector] : "reserved exception";
}

static void trap_unhandled(struct trap_frame *frame)
{
	if (frame->vector == TRAP_PAGE_FAULT) {
		const char *access = frame->error & FAULT_EXECUTE ? "execution"
				     : frame->error & FAULT_WRITE ? "write"
								  : "read";
		const char *why = frame->error & FAULT_RESERVED     ? "reserved bit set"
				  : frame->error & FAULT_PROTECTION ? "not allowed"
								    : "not mapped";

		panic_trap(frame, "page fault: %s at 0x%016lx, %s", access, cpu_fault_address(),
			   why);
	}
	panic_trap(frame, "unexpected %s, vector %lu, error 0x%lx",
		   trap_name((unsigned)frame->vector), frame->vector, frame->error);
}

void trap_set_handler(unsigned vector, trap_handler *handler)
{
	ASSERT(vector < TRAP_VECTOR_COUNT);
	ASSERT(handler);
	WRITE_ONCE(trap_handlers[vector], handler);
}

void trap_set_first(trap_first *handler)
{
	ASSERT(handler);
	WRITE_ONCE(trap_first_handler, handler);
}

static void idt_fill(void)
{
	for (unsigned vector = 0; vector < TRAP_VECTOR_COUNT; vector++) {
		vaddr_t stub = (vaddr_t)trap_stubs[vector];

		idt[vector] = (struct idt_gate){
			.offset_low = (uint16_t)stub,
			.offset_middle = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
			.selector = SELECTOR_CODE,
			.type = GATE_INTERRUPT,
		};
	}
	idt[TRAP_DOUBLE_FAULT].ist = IST_DOUBLE_FAULT;
	idt[TRAP_NMI].ist = IST_NMI;
}

void trap_init_cpu(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (vaddr_t)idt};

	if (cpu_current()->id == 0)
		idt_fill();
	__asm__ volatile("lidt %0" : : "m"(pointer));
}
