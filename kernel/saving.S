/*
 * saving.S: calling what quick paths seldom need without changing a register. They
 * are inlined in many functions, and an ordinary call in them would make each of
 * those save registers at every entry.
 */

	.text

/* name_saving: name(rdi) with all registers kept. */
.macro saving name
	.globl \name\()_saving
	.type \name\()_saving, @function
\name\()_saving:
	pushq %rbp
	movq %rsp, %rbp
	.irp register, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	pushq %\register
	.endr
	call \name
	.irp register, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
	popq %\register
	.endr
	popq %rbp
	ret
	.size \name\()_saving, . - \name\()_saving
.endm

	saving spin_lock_contended
	saving mutex_unlock_contended
	saving gate_leave_slow
	saving tlb_shootdown_page
	saving frame_free_slow
	saving event_tell

	.section .note.GNU-stack, "", @progbits
