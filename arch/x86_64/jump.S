/*
 * jump.S: see jump.h.
 *
 *   struct jump_point: rbx rbp r12 r13 r14 r15 rsp rip, 8 bytes each
 */

	.cfi_sections .debug_frame
	.text

	/* int jump_set(struct jump_point *point) */
	.globl jump_set
	.type jump_set, @function
jump_set:
	.cfi_startproc
	movq (%rsp), %rax /* where this returns to */
	leaq 8(%rsp), %rdx /* and the stack then */
	movq %rbx, (%rdi)
	movq %rbp, 8(%rdi)
	movq %r12, 16(%rdi)
	movq %r13, 24(%rdi)
	movq %r14, 32(%rdi)
	movq %r15, 40(%rdi)
	movq %rdx, 48(%rdi)
	movq %rax, 56(%rdi)
	xorl %eax, %eax
	ret
	.cfi_endproc
	.size jump_set, . - jump_set

	/* void jump_to(const struct jump_point *point, int value) */
	.globl jump_to
	.type jump_to, @function
jump_to:
	.cfi_startproc
	movl $1, %eax
	testl %esi, %esi
	cmovnzl %esi, %eax
	movq (%rdi), %rbx
	movq 8(%rdi), %rbp
	movq 16(%rdi), %r12
	movq 24(%rdi), %r13
	movq 32(%rdi), %r14
	movq 40(%rdi), %r15
	movq 48(%rdi), %rsp
	jmp *56(%rdi)
	.cfi_endproc
	.size jump_to, . - jump_to

	.section .note.GNU-stack, "", @progbits
