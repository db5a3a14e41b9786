/*
 * unwind.h: for assembly: how a debugger finds a caller's registers (DWARF 5,
 * section 6.4; "CFI directives" in the manual of GNU as). The compiler says the
 * same of C. Only gdb reads it: the kernel's own backtrace follows frame pointers.
 */
#pragma once

/* Push and pop a register, and say so. */
#define PUSH(register)           \
	pushq %register;         \
	.cfi_adjust_cfa_offset 8; \
	.cfi_rel_offset register, 0

#define POP(register)             \
	popq %register;           \
	.cfi_adjust_cfa_offset -8; \
	.cfi_restore register

/* Nobody called this: a backtrace ends here. */
#define UNWIND_END .cfi_undefined rip
