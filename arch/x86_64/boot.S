/*
 * boot.S: from the loader to kernel_main().
 *
 *   loader -> boot_entry (32 bits, paging off) -> boot_enter_long_mode
 *          -> boot_start (64 bits, KERNEL_BASE) -> kernel_main(magic, info_address)
 *
 * Application processors come through boot_enter_long_mode too, from
 * smp_trampoline.S.
 *
 * Invariants:
 * 1. Until boot_start the code runs at its load address: it names memory by
 *    PHYS(symbol), never by the symbol.
 * 2. eax and ebx of the loader stay in edi and esi, kernel_main's arguments.
 * 3. The boot page tables are never changed again. mm's tables replace them;
 *    they stay for the moment in which an application processor turns paging on.
 *
 * Sources: Multiboot Specification 0.6.96, sections 3.1 and 3.2; Multiboot2
 * Specification 2.0, sections 3.1 and 3.3; Intel SDM volume 3, sections 4.5
 * (paging) and 9.8.5 (to IA-32e mode).
 */
#include "arch/x86_64/layout.h"
#include "arch/x86_64/unwind.h"

#define PHYS(symbol) ((symbol) - KERNEL_BASE)

#define MULTIBOOT1_MAGIC 0x1badb002
#define MULTIBOOT1_FLAGS 0x10003 /* modules on pages, memory map, address fields */
#define MULTIBOOT2_MAGIC 0xe85250d6
#define MULTIBOOT2_I386 0
#define MULTIBOOT2_TAG_ADDRESS 2
#define MULTIBOOT2_TAG_ENTRY 3
#define MULTIBOOT2_TAG_MODULE_ALIGN 6

#define CR0_BOOT 0x80010033 /* PG WP NE ET MP PE; clear: EM TS CD NW AM */
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900

#define EFLAGS_ID 0x200000
#define CPUID_NX_LM 0x20100000 /* leaf 0x80000001, edx */

#define TABLE_ENTRY 0x03 /* present, writable */
#define LARGE_PAGE 0x83
#define BOOT_GIB_COUNT 4 /* mapped directly: the loader's structures, ACPI, the APICs */

#define BOOT_STACK_BYTES 16384
#define SELECTOR_CODE32 0x18 /* in boot_gdt only */

#define COM1 0x3f8

	.section .boot.header, "a"

	.balign 8
multiboot1_header:
	.long MULTIBOOT1_MAGIC
	.long MULTIBOOT1_FLAGS
	.long -(MULTIBOOT1_MAGIC + MULTIBOOT1_FLAGS)
	.long PHYS(multiboot1_header)
	.long PHYS(image_text_start)
	.long PHYS(image_data_end)
	.long PHYS(image_end)
	.long PHYS(boot_entry)

	/*
	 * With an address tag GRUB loads a flat image as for multiboot 1, and does
	 * not keep the ELF sections, debug information included, in memory.
	 */
	.balign 8
multiboot2_header:
	.long MULTIBOOT2_MAGIC
	.long MULTIBOOT2_I386
	.long multiboot2_end - multiboot2_header
	.long -(MULTIBOOT2_MAGIC + MULTIBOOT2_I386 + (multiboot2_end - multiboot2_header))

	.short MULTIBOOT2_TAG_ADDRESS, 0
	.long 24
	.long PHYS(multiboot2_header)
	.long PHYS(image_text_start)
	.long PHYS(image_data_end)
	.long PHYS(image_end)

	.short MULTIBOOT2_TAG_ENTRY, 0
	.long 12
	.long PHYS(boot_entry)
	.balign 8

	.short MULTIBOOT2_TAG_MODULE_ALIGN, 0
	.long 8

	.short 0, 0
	.long 8
multiboot2_end:

	.cfi_sections .debug_frame
	.section .boot, "ax"
	.cfi_startproc
	UNWIND_END
	.code32

	/* In: eax = magic, ebx = address of the loader's information; flat segments. */
	.globl boot_entry
boot_entry:
	movl %eax, %edi
	movl %ebx, %esi
	rdtsc
	movl %eax, PHYS(boot_tsc)
	movl %edx, PHYS(boot_tsc) + 4
	cli
	cld
	movl $PHYS(boot_stack_top), %esp

	call boot_check_cpu
	call boot_fill_tables
	lgdt PHYS(boot_gdt_pointer)
	movl $PHYS(boot_start), %ebp
	/* Goes on below. */

	/*
	 * In: ebp = where to go on in 64-bit mode, its load address; boot_gdt loaded.
	 * Out: there, at its linked address; edi and esi kept, no stack.
	 */
	.globl boot_enter_long_mode
boot_enter_long_mode:
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $PHYS(boot_root), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME_NXE, %eax
	wrmsr
	movl $CR0_BOOT, %eax
	movl %eax, %cr0
	ljmp $SELECTOR_CODE, $PHYS(1f)

	.code64
1:	movl $SELECTOR_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	addq $KERNEL_BASE, %rbp
	jmp *%rbp

boot_start:
	movq $boot_stack_top, %rsp
	xorl %ebp, %ebp /* the last frame of a backtrace */
	call kernel_main
	ud2

	.code32

	/* Returns if the CPU has 64-bit mode and no-execute pages. */
boot_check_cpu:
	pushl %esi
	/* CPUID exists if EFLAGS.ID can be changed. */
	pushfl
	popl %eax
	movl %eax, %ecx
	xorl $EFLAGS_ID, %eax
	pushl %eax
	popfl
	pushfl
	popl %eax
	cmpl %eax, %ecx
	je boot_refuse

	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb boot_refuse
	movl $0x80000001, %eax
	cpuid
	andl $CPUID_NX_LM, %edx
	cmpl $CPUID_NX_LM, %edx
	jne boot_refuse
	popl %esi
	ret

boot_refuse:
	movl $PHYS(boot_refusal), %esi
	movw $COM1, %dx
1:	lodsb
	testb %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	hlt
	jmp 2b

	/*
	 * boot_root: the first BOOT_GIB_COUNT GiB at 0 and at DIRECT_BASE (the same
	 * level-3 table), the first one also at KERNEL_BASE, the last GiB of all.
	 */
boot_fill_tables:
	movl $PHYS(boot_level3_direct) + TABLE_ENTRY, %eax
	movl %eax, PHYS(boot_root)
	movl %eax, PHYS(boot_root) + ((DIRECT_BASE >> 39) & 511) * 8
	movl $PHYS(boot_level3_kernel) + TABLE_ENTRY, PHYS(boot_root) + 511 * 8
	movl $PHYS(boot_level2) + TABLE_ENTRY, %eax
	movl %eax, PHYS(boot_level3_kernel) + 511 * 8

	xorl %ecx, %ecx
1:	movl %eax, PHYS(boot_level3_direct)(, %ecx, 8)
	addl $4096, %eax
	incl %ecx
	cmpl $BOOT_GIB_COUNT, %ecx
	jb 1b

	movl $LARGE_PAGE, %eax
	xorl %ecx, %ecx
1:	movl %eax, PHYS(boot_level2)(, %ecx, 8)
	addl $0x200000, %eax
	incl %ecx
	cmpl $BOOT_GIB_COUNT * 512, %ecx
	jb 1b
	ret
	.cfi_endproc

	.section .rodata.boot, "a"

boot_refusal:
	.asciz "quire: this CPU has no 64-bit mode with no-execute pages (try -cpu qemu64)\r\n"

	/* cpu.c gives each CPU a table of its own, with the same first selectors. */
	.globl boot_gdt
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* SELECTOR_CODE: 64-bit code */
	.quad 0x00cf93000000ffff /* SELECTOR_DATA */
	.quad 0x00cf9b000000ffff /* SELECTOR_CODE32 */
boot_gdt_end:

boot_gdt_pointer:
	.short boot_gdt_end - boot_gdt - 1
	.long PHYS(boot_gdt)

	.bss

	.balign 4096
boot_root:
	.skip 4096
boot_level3_direct:
	.skip 4096
boot_level3_kernel:
	.skip 4096
boot_level2:
	.skip 4096 * BOOT_GIB_COUNT

	.globl boot_stack, boot_stack_top
	.balign 16
boot_stack:
	.skip BOOT_STACK_BYTES
boot_stack_top:

	/* The time stamp counter at the first instruction. */
	.globl boot_tsc
	.balign 8
boot_tsc:
	.skip 8
