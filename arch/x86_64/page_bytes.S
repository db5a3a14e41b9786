/*
 * page_bytes.S: moving the bytes of a page with vector registers.
 *
 * Interrupts are off from the first to the last use of a vector register, so
 * no other thread of this CPU can come between; nobody keeps values in them.
 * ymm4/xmm4-5: sums of words (a); ymm6/xmm6-7: sums of the sums (b), added
 * once per 64 bytes. Four lanes of 64 bits in both versions.
 */
#include "arch/x86_64/layout.h"
#include "arch/x86_64/unwind.h"

	.cfi_sections .debug_frame
	.text

.macro routine name
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc
.endm

.macro end_routine
	ret
	.cfi_endproc
.endm

.macro enter_vectors
	pushfq
	.cfi_adjust_cfa_offset 8
	cli
.endm

/* Interrupts as they were. */
.macro leave_vectors
	popfq
	.cfi_adjust_cfa_offset -8
.endm

/* Moves the stack for the lanes, and back. */
.macro lanes_on_stack bytes
	addq $-\bytes, %rsp
	.cfi_adjust_cfa_offset \bytes
.endm

/* ---- public names: one jump to the routine chosen at boot (page_zero: page_bytes.h) ---- */

.macro dispatch name
	.globl \name
	.type \name, @function
\name:
	jmp *\name\()_routine(%rip)
	.size \name, . - \name
.endm

	dispatch pages_zero
	dispatch page_copy
	dispatch page_copy_sum
	dispatch page_sum
	dispatch page_is_zero_throughout

	.section .data, "aw"
	.balign 8
	.globl page_zero_routine, pages_zero_routine, page_copy_routine, page_copy_sum_routine
	.globl page_sum_routine, page_is_zero_throughout_routine
page_zero_routine:	.quad page_zero_sse
pages_zero_routine:	.quad pages_zero_sse
page_copy_routine:	.quad page_copy_sse
page_copy_sum_routine:	.quad page_copy_sum_sse
page_sum_routine:	.quad page_sum_sse
page_is_zero_throughout_routine:	.quad page_is_zero_throughout_sse
	.text

/*
 * Folds the lanes a0..a3, b0..b3, stored at 0..63(%rsp), into rax: each lane
 * has its own weight, so lanes cannot be exchanged unseen.
 */
.macro fold_lanes
	movabsq $0x9e3779b97f4a7c15, %rcx
	movq 0(%rsp), %rax
	.irp offset, 8, 16, 24, 32, 40, 48, 56
	imulq %rcx, %rax
	addq \offset(%rsp), %rax
	.endr
	imulq %rcx, %rax
.endm

/* ---- AVX: 32 bytes a step ---- */

	routine page_zero_avx
	enter_vectors
	vpxor %xmm0, %xmm0, %xmm0
	.set offset, 0
	.rept 128
	vmovdqa %ymm0, offset(%rdi)
	.set offset, offset + 32
	.endr
	vzeroupper
	leave_vectors
	end_routine

	/* rdi: frame numbers, esi: how many, at least 1. Interrupts are off. */
	routine pages_zero_avx
	vpxor %xmm0, %xmm0, %xmm0
	movabsq $DIRECT_BASE, %rdx
	leaq (%rdi, %rsi, 4), %rsi
1:
	movl (%rdi), %eax
	addq $4, %rdi
	shlq $12, %rax /* PAGE_SHIFT */
	.set offset, 0
	.rept 128
	vmovdqa %ymm0, offset(%rax, %rdx)
	.set offset, offset + 32
	.endr
	cmpq %rsi, %rdi
	jne 1b
	vzeroupper
	end_routine

	routine page_copy_avx
	enter_vectors
	leaq 4096(%rdi), %rax
1:
	.irp offset, 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 480
	vmovdqa \offset(%rsi), %ymm0
	vmovdqa %ymm0, \offset(%rdi)
	.endr
	addq $512, %rsi
	addq $512, %rdi
	cmpq %rax, %rdi
	jne 1b
	vzeroupper
	leave_vectors
	end_routine

	routine page_copy_sum_avx
	enter_vectors
	lanes_on_stack 64
	vpxor %xmm4, %xmm4, %xmm4
	vpxor %xmm6, %xmm6, %xmm6
	leaq 4096(%rdi), %rax
1:
	.set offset, 0
	.rept 32
	vmovdqa offset(%rsi), %ymm0
	vmovdqa offset + 32(%rsi), %ymm1
	vmovdqa %ymm0, offset(%rdi)
	vpaddq %ymm0, %ymm4, %ymm4
	vmovdqa %ymm1, offset + 32(%rdi)
	vpaddq %ymm4, %ymm6, %ymm6
	vpaddq %ymm1, %ymm4, %ymm4
	.set offset, offset + 64
	.endr
	addq $2048, %rsi
	addq $2048, %rdi
	cmpq %rax, %rdi
	jne 1b
	vmovdqu %ymm4, 0(%rsp)
	vmovdqu %ymm6, 32(%rsp)
	vzeroupper
	fold_lanes
	lanes_on_stack -64
	leave_vectors
	end_routine

	routine page_sum_avx
	enter_vectors
	lanes_on_stack 64
	vpxor %xmm4, %xmm4, %xmm4
	vpxor %xmm6, %xmm6, %xmm6
	leaq 4096(%rdi), %rax
1:
	.irp offset, 0, 64, 128, 192, 256, 320, 384, 448
	vpaddq \offset(%rdi), %ymm4, %ymm4
	vpaddq %ymm4, %ymm6, %ymm6
	vpaddq \offset+32(%rdi), %ymm4, %ymm4
	.endr
	addq $512, %rdi
	cmpq %rax, %rdi
	jne 1b
	vmovdqu %ymm4, 0(%rsp)
	vmovdqu %ymm6, 32(%rsp)
	vzeroupper
	fold_lanes
	lanes_on_stack -64
	leave_vectors
	end_routine

	routine page_is_zero_throughout_avx
	xorl %eax, %eax
	enter_vectors
	vpxor %xmm0, %xmm0, %xmm0
	leaq 4096(%rdi), %rcx
1:
	.irp offset, 0, 32, 64, 96, 128, 160, 192, 224
	vpor \offset(%rdi), %ymm0, %ymm0
	.endr
	vptest %ymm0, %ymm0
	jnz 3f
	addq $256, %rdi
	cmpq %rcx, %rdi
	jne 1b
	movl $1, %eax
3:
	vzeroupper
	leave_vectors
	end_routine

/* ---- SSE2: 16 bytes a step ---- */

	routine page_zero_sse
	enter_vectors
	pxor %xmm0, %xmm0
	.set offset, 0
	.rept 256
	movdqa %xmm0, offset(%rdi)
	.set offset, offset + 16
	.endr
	leave_vectors
	end_routine

	routine page_copy_sse
	enter_vectors
	leaq 4096(%rdi), %rax
1:
	.irp offset, 0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240
	movdqa \offset(%rsi), %xmm0
	movdqa %xmm0, \offset(%rdi)
	.endr
	addq $256, %rsi
	addq $256, %rdi
	cmpq %rax, %rdi
	jne 1b
	leave_vectors
	end_routine

.macro sum_sse_step
	paddq %xmm0, %xmm4
	paddq %xmm1, %xmm5
	paddq %xmm4, %xmm6
	paddq %xmm5, %xmm7
	paddq %xmm2, %xmm4
	paddq %xmm3, %xmm5
.endm

	routine page_copy_sum_sse
	enter_vectors
	lanes_on_stack 64
	pxor %xmm4, %xmm4
	pxor %xmm5, %xmm5
	pxor %xmm6, %xmm6
	pxor %xmm7, %xmm7
	leaq 4096(%rdi), %rax
1:
	.irp offset, 0, 64, 128, 192, 256, 320, 384, 448
	movdqa \offset(%rsi), %xmm0
	movdqa \offset+16(%rsi), %xmm1
	movdqa \offset+32(%rsi), %xmm2
	movdqa \offset+48(%rsi), %xmm3
	movdqa %xmm0, \offset(%rdi)
	movdqa %xmm1, \offset+16(%rdi)
	movdqa %xmm2, \offset+32(%rdi)
	movdqa %xmm3, \offset+48(%rdi)
	sum_sse_step
	.endr
	addq $512, %rsi
	addq $512, %rdi
	cmpq %rax, %rdi
	jne 1b
	movdqu %xmm4, 0(%rsp)
	movdqu %xmm5, 16(%rsp)
	movdqu %xmm6, 32(%rsp)
	movdqu %xmm7, 48(%rsp)
	fold_lanes
	lanes_on_stack -64
	leave_vectors
	end_routine

	routine page_sum_sse
	enter_vectors
	lanes_on_stack 64
	pxor %xmm4, %xmm4
	pxor %xmm5, %xmm5
	pxor %xmm6, %xmm6
	pxor %xmm7, %xmm7
	leaq 4096(%rdi), %rax
1:
	.irp offset, 0, 64, 128, 192, 256, 320, 384, 448
	movdqa \offset(%rdi), %xmm0
	movdqa \offset+16(%rdi), %xmm1
	movdqa \offset+32(%rdi), %xmm2
	movdqa \offset+48(%rdi), %xmm3
	sum_sse_step
	.endr
	addq $512, %rdi
	cmpq %rax, %rdi
	jne 1b
	movdqu %xmm4, 0(%rsp)
	movdqu %xmm5, 16(%rsp)
	movdqu %xmm6, 32(%rsp)
	movdqu %xmm7, 48(%rsp)
	fold_lanes
	lanes_on_stack -64
	leave_vectors
	end_routine

	/* As pages_zero_avx. */
	routine pages_zero_sse
	pxor %xmm0, %xmm0
	movabsq $DIRECT_BASE, %rdx
	leaq (%rdi, %rsi, 4), %rsi
1:
	movl (%rdi), %eax
	addq $4, %rdi
	shlq $12, %rax /* PAGE_SHIFT */
	.set offset, 0
	.rept 256
	movdqa %xmm0, offset(%rax, %rdx)
	.set offset, offset + 16
	.endr
	cmpq %rsi, %rdi
	jne 1b
	end_routine

	routine page_is_zero_throughout_sse
	xorl %eax, %eax
	leaq 4096(%rdi), %rdx
1:
	movq (%rdi), %rcx
	.irp offset, 8, 16, 24, 32, 40, 48, 56
	orq \offset(%rdi), %rcx
	.endr
	jnz 2f
	addq $64, %rdi
	cmpq %rdx, %rdi
	jne 1b
	movl $1, %eax
2:
	end_routine

	.section .note.GNU-stack, "", @progbits
