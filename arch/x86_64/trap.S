/*
 * trap.S: the entry of every exception and interrupt, and the way back.
 * Intel SDM volume 3, sections 6.12 to 6.14: in 64-bit mode the processor
 * aligns the stack to 16 and pushes ss, rsp, rflags, cs, rip and for some
 * exceptions an error code. What lies on the stack then is struct trap_frame
 * (trap.h), 176 bytes, so the handler is called on an aligned stack.
 *
 * A page fault is mostly served by its first handler, a function like any other: it
 * keeps the registers that a function keeps, so they are saved only if it does not.
 *
 * No swapgs and no other stack: there is one ring. The frame pointer is left
 * alone: a backtrace knows the frame by the return address, trap_return or
 * trap_first_return.
 */
#include "arch/x86_64/unwind.h"

	.cfi_sections .debug_frame
	.text

	/*
	 * TRAP_STUB_BYTES apart, for trap.c. Vectors with an error code of the
	 * processor's: 8, 10 to 14, 17, 21, 29, 30 (table 6-1).
	 */
	.set page_fault, 14 /* trap.h: TRAP_PAGE_FAULT */
	.set with_error, 1 << 8 | 0x1f << 10 | 1 << 17 | 1 << 21 | 3 << 29

	.globl trap_stubs
	.balign 16
	.type trap_stubs, @function
trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if vector >= 32 || !((with_error >> (vector & 31)) & 1)
	pushq $0
	.endif
	pushq $vector
	.if vector == page_fault
	jmp trap_page_fault
	.else
	jmp trap_common
	.endif
	.set vector, vector + 1
	.endr
	.size trap_stubs, . - trap_stubs

/* What the processor pushed, and the stub, is on the stack. */
.macro begin_trap
	.cfi_startproc simple
	.cfi_signal_frame /* what is interrupted need not be at a call */
	.cfi_def_cfa rsp, 7 * 8 /* above vector, error, rip, cs, rflags, rsp, ss */
	.cfi_offset rip, -5 * 8
	.cfi_offset rsp, -2 * 8
.endm

/* The registers that a function may change, and those that it keeps. */
.macro save_scratch
	PUSH(rdi)
	PUSH(rsi)
	PUSH(rdx)
	PUSH(rcx)
	PUSH(rax)
	PUSH(r8)
	PUSH(r9)
	PUSH(r10)
	PUSH(r11)
.endm

.macro save_kept
	PUSH(rbx)
	PUSH(rbp)
	PUSH(r12)
	PUSH(r13)
	PUSH(r14)
	PUSH(r15)
.endm

.macro restore_scratch_and_return
	POP(r11)
	POP(r10)
	POP(r9)
	POP(r8)
	POP(rax)
	POP(rcx)
	POP(rdx)
	POP(rsi)
	POP(rdi)
	addq $16, %rsp /* vector and error */
	.cfi_adjust_cfa_offset -16
	iretq
.endm

	.balign 16
	.type trap_page_fault, @function
trap_page_fault:
	begin_trap
	save_scratch
	cld
	leaq -6 * 8(%rsp), %rdi /* the frame, but for what save_kept saves */
	call *trap_first_handler(%rip)
	.globl trap_first_return
trap_first_return:
	testb %al, %al
	je trap_save_kept
	restore_scratch_and_return
	.cfi_endproc
	.size trap_page_fault, . - trap_page_fault

	.balign 16
	.type trap_common, @function
trap_common:
	begin_trap
	save_scratch
trap_save_kept:
	save_kept
	cld
	movl 15 * 8(%rsp), %eax /* the vector */
	movq %rsp, %rdi
	call *trap_handlers(, %rax, 8)

	.globl trap_return
trap_return:
	POP(r15)
	POP(r14)
	POP(r13)
	POP(r12)
	POP(rbp)
	POP(rbx)
	restore_scratch_and_return
	.cfi_endproc
	.size trap_common, . - trap_common
