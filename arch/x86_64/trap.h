/*
 * trap.h: exceptions and interrupts. One entry path for all (trap.S): every
 * register is saved in a struct trap_frame on the interrupted thread's own
 * stack, and the vector's handler is called with interrupts off. A page fault has a
 * first handler besides.
 *
 * Double fault and NMI have stacks of their own (IST), so that a thread that
 * ran into the guard page below its stack can still be reported.
 */
#pragma once

#include "lib/types.h"

struct trap_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector;
	uint64_t error; /* 0 where the processor gives none */
	uint64_t rip, cs, rflags, rsp, ss;
};

enum trap_vector {
	TRAP_DIVIDE = 0,
	TRAP_DEBUG = 1,
	TRAP_NMI = 2,
	TRAP_BREAKPOINT = 3,
	TRAP_INVALID_OPCODE = 6,
	TRAP_DOUBLE_FAULT = 8,
	TRAP_STACK_SEGMENT = 12,
	TRAP_GENERAL_PROTECTION = 13,
	TRAP_PAGE_FAULT = 14,
	TRAP_EXCEPTION_COUNT = 32,
	/* Interrupts. */
	TRAP_TIMER = 0x20,
	TRAP_SERIAL = 0x24,
	TRAP_RESCHEDULE = 0xf0, /* another CPU has work for this one */
	TRAP_SHOOTDOWN = 0xf1,  /* tlb.c */
	TRAP_SPURIOUS = 0xff,
	TRAP_VECTOR_COUNT = 256,
};

/* Page-fault error code (Intel SDM volume 3, section 4.7). */
#define FAULT_PROTECTION 0x01 /* the page was present; clear: it was not */
#define FAULT_WRITE 0x02
#define FAULT_RESERVED 0x08 /* a reserved bit was set in some entry */
#define FAULT_EXECUTE 0x10

typedef void trap_handler(struct trap_frame *frame);

/* Called with interrupts off, on the interrupted stack. Until set, a vector panics. */
void trap_set_handler(unsigned vector, trap_handler *handler);

/*
 * The first handler of the page fault: in the frame that it gets, r15 .. rbx (those
 * that a function keeps) are not saved. True: the interrupted code goes on. False:
 * they are saved, and the vector's handler is called. Until set it is always false.
 */
typedef bool trap_first(struct trap_frame *frame);
void trap_set_first(trap_first *handler);
#define TRAP_FRAME_KEPT_BYTES offsetof(struct trap_frame, r11)

/* Loads the one IDT on this CPU. */
void trap_init_cpu(void);

/* "page fault" for 14, "interrupt" for those above 31. */
const char *trap_name(unsigned vector);
