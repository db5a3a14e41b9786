/*
 * switch.S: from one thread's stack to another's. System V AMD64 ABI,
 * section 3.2: a called function keeps rbx, rbp and r12 to r15; there are no
 * vector registers to keep (-mgeneral-regs-only).
 *
 * A switched-out stack, as context_switch() leaves and context_prepare() builds it:
 *
 *   saved rsp -> r15 r14 r13 r12 rbp rbx, return address
 */
#include "arch/x86_64/unwind.h"

	.cfi_sections .debug_frame
	.text

	/* void context_switch(uint64_t *save, uint64_t next) */
	.globl context_switch
	.type context_switch, @function
context_switch:
	.cfi_startproc
	PUSH(rbx)
	PUSH(rbp)
	PUSH(r12)
	PUSH(r13)
	PUSH(r14)
	PUSH(r15)
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	POP(r15)
	POP(r14)
	POP(r13)
	POP(r12)
	POP(rbp)
	POP(rbx)
	ret
	.cfi_endproc
	.size context_switch, . - context_switch

	/*
	 * Where a new stack returns to: entry is in r12, its argument in r13, and
	 * rbp is 0, so that a backtrace ends here.
	 */
	.type context_start, @function
context_start:
	.cfi_startproc
	UNWIND_END
	movq %r13, %rdi
	call *%r12
	ud2
	.cfi_endproc
	.size context_start, . - context_start

	/* uint64_t context_prepare(vaddr_t stack_top, void (*entry)(void *), void *argument) */
	.globl context_prepare
	.type context_prepare, @function
context_prepare:
	andq $-16, %rdi /* what entry() finds is aligned as after any call */
	leaq -56(%rdi), %rax
	movq $0, (%rax) /* r15 */
	movq $0, 8(%rax) /* r14 */
	movq %rdx, 16(%rax) /* r13 */
	movq %rsi, 24(%rax) /* r12 */
	movq $0, 32(%rax) /* rbp */
	movq $0, 40(%rax) /* rbx */
	movq $context_start, 48(%rax)
	ret
	.size context_prepare, . - context_prepare
