/*
 * smp_trampoline.S: where an application processor starts.
 *
 *   SIPI -> smp_trampoline (16 bits, copied to AP_START_PHYS)
 *        -> boot_enter_long_mode (32 bits, boot.S; boot page tables)
 *        -> smp_trampoline_long (64 bits, KERNEL_BASE) -> smp_ap_main()
 *
 * Invariants:
 * 1. Nothing is touched before the claim but registers and the code itself: an
 *    AP that comes too late, when smp.c waits for another or for none, has
 *    harmed nobody, and halts.
 * 2. The claim decides: whoever exchanges smp_wanted first, this CPU (its APIC
 *    number by SMP_CLAIMED) or the impatient smp.c (by SMP_NONE), has won.
 *
 * Intel SDM volume 3, section 8.4.4.1 (typical AP initialization sequence).
 */
#include "arch/x86_64/layout.h"
#include "arch/x86_64/smp_internal.h"
#include "arch/x86_64/unwind.h"

#define PHYS(symbol) ((symbol) - KERNEL_BASE)

#define SELECTOR_CODE32 0x18 /* of boot_gdt */
#define CR0_PE 1

	.section .rodata.trampoline, "a"
	.code16

	/* Starts at AP_START_PHYS >> 4 : 0. */
	.globl smp_trampoline, smp_trampoline_end
smp_trampoline:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl smp_trampoline_gdt - smp_trampoline
	movl %cr0, %eax
	orl $CR0_PE, %eax
	movl %eax, %cr0
	movl $PHYS(smp_trampoline_long), %ebp
	ljmpl $SELECTOR_CODE32, $PHYS(boot_enter_long_mode)

smp_trampoline_gdt: /* boot_gdt, as a 16-bit lgdt can reach it */
	.short 4 * 8 - 1
	.long PHYS(boot_gdt)
smp_trampoline_end:

	.cfi_sections .debug_frame
	.text
	.code64

	.type smp_trampoline_long, @function
smp_trampoline_long:
	.cfi_startproc
	UNWIND_END
	movl $1, %eax /* ebx bits 31..24: the initial APIC number */
	cpuid
	shrl $24, %ebx
	movl %ebx, %eax
	movl $SMP_CLAIMED, %ecx
	lock cmpxchgl %ecx, smp_wanted
	jne 1f

	movq smp_kernel_root, %rax
	movq %rax, %cr3
	movq smp_stack_top, %rsp
	xorl %ebp, %ebp
	call smp_ap_main
	ud2

1:	hlt
	jmp 1b
	.cfi_endproc
	.size smp_trampoline_long, . - smp_trampoline_long
