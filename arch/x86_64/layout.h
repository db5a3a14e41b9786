/*
 * layout.h: the one address map, for C, assembly and the linker script alike.
 *
 *   0x0000000000000000  never mapped (the first 2 MiB)
 *   0x0000000000400000  PROGRAM_BASE: .data and .bss of programs, a copy for each process
 *   0x0000000040000000  MAPPING_BASE: mapped objects, at the same address in every process
 *   0x0000002000000000  slice 1: blocks of the process in slot 1       (128 GiB each)
 *   0x0000004000000000  slice 2 ...
 *   0x00007fffffffffff  end of slice 1023, of the process half
 *        ... not canonical ...
 *   0xffff800000000000  DIRECT_BASE: all RAM, writable, never executable
 *   0xffffc00000000000  STACK_BASE: kernel stacks, each between unmapped guard pages
 *   0xffffffff80000000  FRAMES_BASE: frame descriptors, an array by frame number
 *   0xffffffff90000000  SLOTS_BASE: descriptors of swap slots likewise
 *   0xffffffffc0000000  KERNEL_BASE: physical 0 again; the image lies at +1 MiB
 *   0xffffffffffffffff
 *
 * The image is linked at -1 GiB, not -2 GiB, because programs' data at 4 MiB
 * must be within 2 GiB of it (-mcmodel=kernel, 32-bit displacements).
 */
#pragma once

#define KERNEL_PHYS_BASE 0x100000  /* where the image is loaded */
#define KERNEL_PHYS_LIMIT 0x800000 /* image and bss end below this */

#define PROGRAM_BASE 0x400000
#define PROGRAM_LIMIT 0x40000000

#ifdef __ASSEMBLER__
#define LAYOUT_CONST(n) n
#else
#define LAYOUT_CONST(n) n##ull
#endif

#define PROCESS_FIRST LAYOUT_CONST(0x0000000000200000) /* nothing below is ever mapped */
#define PROCESS_END LAYOUT_CONST(0x0000800000000000)   /* first address past the process half */
#define SLICE_SHIFT 37
#define SLICE_SIZE (LAYOUT_CONST(1) << SLICE_SHIFT)

/* The rest of slice 0. */
#define MAPPING_BASE LAYOUT_CONST(0x0000000040000000)
#define MAPPING_END SLICE_SIZE

#define DIRECT_BASE LAYOUT_CONST(0xffff800000000000)
#define DIRECT_END LAYOUT_CONST(0xffffc00000000000)
#define STACK_BASE LAYOUT_CONST(0xffffc00000000000)
#define STACK_END LAYOUT_CONST(0xffffc08000000000)
#define FRAMES_BASE LAYOUT_CONST(0xffffffff80000000)
#define SLOTS_BASE LAYOUT_CONST(0xffffffff90000000)
#define KERNEL_BASE LAYOUT_CONST(0xffffffffc0000000)

#define AP_START_PHYS 0x8000 /* the page where application processors start, 16-bit code */

/* Selectors in the GDT. */
#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18
