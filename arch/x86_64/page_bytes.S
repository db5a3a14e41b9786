/*
 * page_bytes.S: moving the bytes of a page with vector registers.
 *
 * Interrupts are off from the first to the last use of a vector register, so
 * no other thread of this CPU can come between; nobody keeps values in them.
 * Nor is there a VZEROUPPER: it is for SSE instructions that come after those of
 * AVX, and where there is AVX nobody executes any but tests.
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

/* ---- public names: one jump to the routine chosen at boot (others: page_bytes.h) ---- */

.macro dispatch name
	.globl \name
	.type \name, @function
\name:
	jmp *\name\()_routine(%rip)
	.size \name, . - \name
.endm

	dispatch pages_zero
	dispatch page_copy
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
 * ---- The sum ----
 *
 * A page is 32 groups of four words of 32 bytes, each four lanes of 64 bits. Two
 * sums, a and b, begin at 0, and for each group
 *
 *   a += first word    b += second    a -= third    b -= fourth
 *   then a += b, and a and b change places
 *
 * so that a word, later, is in both by two Fibonacci numbers in turn, which tell
 * its group; which sum it was added to, or taken from, tells its place there. At
 * the end each lane is the one sum plus the other with its halves exchanged, and
 * the four lanes make one number, each with another odd factor.
 *
 * A flipped bit always shows: a lane of a changes by 2^k F, of b by 2^k G, with F
 * and G neighbours in the Fibonacci sequence below 2^22, of which one at least is
 * odd; with the halves of b exchanged they never cancel.
 */

/*
 * The number that the lanes make, in rax. They lie at LANES, below the stack's end: interrupts
 * are off, an NMI has a stack of its own (IST, cpu.c), and machine checks are not enabled.
 */
#define LANES -32
.macro fold_lanes
	movq LANES(%rsp), %rax
	.irp offset, 8, 16, 24
	imulq $0x1e3779b1, %rax, %rax
	addq LANES+\offset(%rsp), %rax
	.endr
.endm

/* A register of `step` bytes, all over the page at base (+ index). */
.macro store_page move register step base:vararg
	.set offset, 0
	.rept 4096 / \step
	\move \register, offset(\base)
	.set offset, offset + \step
	.endr
.endm

/* The same of several frames: rdi has their numbers, esi how many. */
.macro store_pages move register step
	movabsq $DIRECT_BASE, %rdx
	leaq (%rdi, %rsi, 4), %rsi
1:
	movl (%rdi), %eax
	addq $4, %rdi
	shlq $12, %rax /* PAGE_SHIFT */
	store_page \move, \register, \step, %rax, %rdx
	cmpq %rsi, %rdi
	jne 1b
.endm

/* ---- AVX: 32 bytes a step ---- */

	routine page_zero_avx
	vpxor %xmm0, %xmm0, %xmm0
	store_page vmovdqa, %ymm0, 32, %rdi
	end_routine

	/* rdi: frame numbers, esi: how many, at least 1. Interrupts are off. */
	routine pages_zero_avx
	vpxor %xmm0, %xmm0, %xmm0
	store_pages vmovdqa, %ymm0, 32
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
	leave_vectors
	end_routine

/*
 * What four words of 128 bytes do to the sums a and b. From one group to the next a
 * and b change their names.
 */
.macro sum_first_avx a, b, w0, w1
	vpaddq \w0, \a, \a
	vpaddq \w1, \b, \b
.endm

.macro sum_last_avx a, b, w2, w3
	vpsubq \w2, \a, \a
	vpsubq \w3, \b, \b
	vpaddq \b, \a, \a
.endm

/* Copies them and leaves them in w0, w1, ymm2 and ymm3. */
.macro copy_avx offset, w0, w1
	vmovdqa \offset(%rsi), \w0
	vmovdqa \offset+32(%rsi), \w1
	vmovdqa \offset+64(%rsi), %ymm2
	vmovdqa \offset+96(%rsi), %ymm3
	vmovdqa \w0, \offset(%rdi)
	vmovdqa \w1, \offset+32(%rdi)
	vmovdqa %ymm2, \offset+64(%rdi)
	vmovdqa %ymm3, \offset+96(%rdi)
.endm

.macro copy_sum_avx offset, a, b
	copy_avx \offset, %ymm0, %ymm1
	sum_first_avx \a, \b, %ymm0, %ymm1
	sum_last_avx \a, \b, %ymm2, %ymm3
.endm

	routine page_copy_sum_avx
	copy_avx 0, %ymm4, %ymm5 /* the sums begin as the first words */
	sum_last_avx %ymm4, %ymm5, %ymm2, %ymm3
	copy_sum_avx 128, %ymm5, %ymm4
	.set at, 256
	.rept 15
	copy_sum_avx at, %ymm4, %ymm5
	copy_sum_avx at+128, %ymm5, %ymm4
	.set at, at + 256
	.endr
	vpshufd $0xb1, %ymm5, %ymm5
	vpaddq %ymm5, %ymm4, %ymm4
	vmovdqu %ymm4, LANES(%rsp)
	fold_lanes
	xorl %edx, %edx
	end_routine

	routine page_sum_avx
	enter_vectors
	vpxor %xmm4, %xmm4, %xmm4
	vpxor %xmm5, %xmm5, %xmm5
	leaq 4096(%rdi), %rax
1:
	sum_first_avx %ymm4, %ymm5, (%rdi), 32(%rdi)
	sum_last_avx %ymm4, %ymm5, 64(%rdi), 96(%rdi)
	sum_first_avx %ymm5, %ymm4, 128(%rdi), 160(%rdi)
	sum_last_avx %ymm5, %ymm4, 192(%rdi), 224(%rdi)
	addq $256, %rdi
	cmpq %rax, %rdi
	jne 1b
	vpshufd $0xb1, %ymm5, %ymm5
	vpaddq %ymm5, %ymm4, %ymm4
	vmovdqu %ymm4, LANES(%rsp)
	fold_lanes
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
	leave_vectors
	end_routine

/* ---- SSE2: 16 bytes a step ---- */

	routine page_zero_sse
	pxor %xmm0, %xmm0
	store_page movdqa, %xmm0, 16, %rdi
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

/* The same, of 128 bytes from \from(\base) on: the low lanes, then the high ones. */
.macro sum_sse_lanes base, from, a, b
	movdqa \from(\base), %xmm0
	movdqa \from+32(\base), %xmm1
	movdqa \from+64(\base), %xmm2
	movdqa \from+96(\base), %xmm3
	paddq %xmm0, \a
	paddq %xmm1, \b
	psubq %xmm2, \a
	psubq %xmm3, \b
	paddq \b, \a
.endm

.macro store_sse to
	movdqa %xmm0, \to(%rdi)
	movdqa %xmm1, \to+32(%rdi)
	movdqa %xmm2, \to+64(%rdi)
	movdqa %xmm3, \to+96(%rdi)
.endm

.macro clear_sums_sse
	.irp register, %xmm4, %xmm5, %xmm6, %xmm7
	pxor \register, \register
	.endr
.endm

.macro fold_sse
	pshufd $0xb1, %xmm5, %xmm5
	pshufd $0xb1, %xmm7, %xmm7
	paddq %xmm5, %xmm4
	paddq %xmm7, %xmm6
	movdqu %xmm4, LANES(%rsp)
	movdqu %xmm6, LANES+16(%rsp)
	fold_lanes
.endm

	routine page_copy_sum_sse
	clear_sums_sse
	leaq 4096(%rdi), %rax
1:
	sum_sse_lanes %rsi, 0, %xmm4, %xmm5
	store_sse 0
	sum_sse_lanes %rsi, 16, %xmm6, %xmm7
	store_sse 16
	sum_sse_lanes %rsi, 128, %xmm5, %xmm4
	store_sse 128
	sum_sse_lanes %rsi, 144, %xmm7, %xmm6
	store_sse 144
	addq $256, %rsi
	addq $256, %rdi
	cmpq %rax, %rdi
	jne 1b
	fold_sse
	xorl %edx, %edx
	end_routine

	routine page_sum_sse
	enter_vectors
	clear_sums_sse
	leaq 4096(%rdi), %rax
1:
	sum_sse_lanes %rdi, 0, %xmm4, %xmm5
	sum_sse_lanes %rdi, 16, %xmm6, %xmm7
	sum_sse_lanes %rdi, 128, %xmm5, %xmm4
	sum_sse_lanes %rdi, 144, %xmm7, %xmm6
	addq $256, %rdi
	cmpq %rax, %rdi
	jne 1b
	fold_sse
	leave_vectors
	end_routine

	/* As pages_zero_avx. */
	routine pages_zero_sse
	pxor %xmm0, %xmm0
	store_pages movdqa, %xmm0, 16
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
