/*
 * trap.S: the entry of every exception and interrupt, and the way back.
 * Intel SDM volume 3, sections 6.12 to 6.14: in 64-bit mode the processor
 * aligns the stack to 16 and pushes ss, rsp, rflags, cs, rip and for some
 * exceptions an error code. What lies on the stack then is struct trap_frame
 * (trap.h), 176 bytes, so the handler is called on an aligned stack.
 *
 * No swapgs and no other stack: there is one ring. The frame pointer is left
 * alone: a backtrace knows the frame by the return address trap_return.
 */
	.text

	/*
	 * TRAP_STUB_BYTES apart, for trap.c. Vectors with an error code of the
	 * processor's: 8, 10 to 14, 17, 21, 29, 30 (table 6-1).
	 */
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
	jmp trap_common
	.set vector, vector + 1
	.endr
	.size trap_stubs, . - trap_stubs

	.balign 16
	.type trap_common, @function
trap_common:
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movl 15 * 8(%rsp), %eax /* the vector */
	movq %rsp, %rdi
	call *trap_handlers(, %rax, 8)

	.globl trap_return
trap_return:
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	addq $16, %rsp /* vector and error */
	iretq
	.size trap_common, . - trap_common
