/*
 * cpu.c: what makes a processor one of ours: its descriptor table, task state
 * segment and trap table, the GS base, and the vector registers for the few
 * routines that use them.
 *
 * Intel SDM volume 3: 2.5 (control registers), 3.4.4 (GS base), 7.7 (64-bit
 * TSS), 13.3 (XCR0); volume 2, CPUID. Paging, CR0 and no-execute are on already,
 * from boot_enter_long_mode in boot.S.
 *
 * Invariants:
 * 1. A CPU touches only its own entry of cpus[] and cpu_tables[]; cpu_features
 *    is written once, by CPU 0.
 * 2. The double fault and the NMI have stacks of their own on each CPU.
 */
#include "arch/x86_64/cpu.h"

#include "arch/x86_64/layout.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/trap_internal.h"
#include "lib/assert.h"
#include "lib/string.h"

#define MSR_GS_BASE 0xc0000101

#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_OSXSAVE (1u << 18)
#define XCR0_X87_SSE_AVX 7

#define CPUID1_ECX_XSAVE (1u << 26)
#define CPUID1_ECX_AVX (1u << 28)
#define CPUID81_EDX_NX (1u << 20)
#define CPUID81_EDX_GIB_PAGE (1u << 26)

#define DOUBLE_FAULT_STACK_BYTES 4096 /* prints a panic */
#define NMI_STACK_BYTES 4096	      /* prints a panic if nobody expected it */

#define GDT_CODE 0x00af9b000000ffffull /* accessed already, so it is never written */
#define GDT_DATA 0x00cf93000000ffffull
#define GDT_TSS_AVAILABLE 0x89ull

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map_base;
} __attribute__((packed));
STATIC_ASSERT(sizeof(struct tss) == 104);

static struct cpu_tables {
	uint64_t gdt[5]; /* null, code, data, and two words for the TSS */
	struct tss tss;
} __attribute__((aligned(64))) cpu_tables[CPU_MAX];

static char double_fault_stacks[CPU_MAX][DOUBLE_FAULT_STACK_BYTES] __attribute__((aligned(16)));
static char nmi_stacks[CPU_MAX][NMI_STACK_BYTES] __attribute__((aligned(16)));

struct cpu cpus[CPU_MAX];
unsigned cpu_count = 1;
struct cpu_features cpu_features;

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid_read(uint32_t leaf)
{
	struct cpuid out;

	__asm__ volatile("cpuid"
			 : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
			 : "a"(leaf), "c"(0));
	return out;
}

static void brand_read(char brand[49])
{
	char text[49] = "";
	const char *start = text;

	if (cpuid_read(0x80000000).eax >= 0x80000004) {
		for (uint32_t i = 0; i < 3; i++) {
			struct cpuid part = cpuid_read(0x80000002 + i);

			memcpy(text + 16 * i, &part, 16);
		}
	}
	while (*start == ' ') /* Intel pads on the left */
		start++;
	string_copy(brand, start, sizeof(text));
}

static void features_read(void)
{
	uint32_t ecx = cpuid_read(1).ecx;
	uint32_t edx = cpuid_read(0x80000001).edx;

	cpu_features.avx = (ecx & CPUID1_ECX_XSAVE) && (ecx & CPUID1_ECX_AVX);
	cpu_features.nx = edx & CPUID81_EDX_NX;
	cpu_features.gib_page = edx & CPUID81_EDX_GIB_PAGE;
	brand_read(cpu_features.brand);
}

static void tables_load(unsigned id)
{
	struct cpu_tables *tables = &cpu_tables[id];
	vaddr_t tss = (vaddr_t)&tables->tss;
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(tables->gdt) - 1, (vaddr_t)tables->gdt };

	tables->tss.ist[IST_DOUBLE_FAULT - 1] = (vaddr_t)double_fault_stacks[id + 1];
	tables->tss.ist[IST_NMI - 1] = (vaddr_t)nmi_stacks[id + 1];
	tables->tss.io_map_base = sizeof(struct tss);

	tables->gdt[SELECTOR_CODE / 8] = GDT_CODE;
	tables->gdt[SELECTOR_DATA / 8] = GDT_DATA;
	tables->gdt[SELECTOR_TSS / 8] = (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 |
					GDT_TSS_AVAILABLE << 40 | (tss >> 24 & 0xff) << 56;
	tables->gdt[SELECTOR_TSS / 8 + 1] = tss >> 32;

	/* The selectors mean what they did in boot_gdt, so they need not be loaded again. */
	__asm__ volatile("lgdt %0; ltr %w1" : : "m"(pointer), "r"(SELECTOR_TSS) : "memory");
}

static void vector_registers_enable(void)
{
	uint64_t cr4;

	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	if (cpu_features.avx)
		cr4 |= CR4_OSXSAVE;
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4));
	if (cpu_features.avx)
		__asm__ volatile("xsetbv" : : "a"(XCR0_X87_SSE_AVX), "d"(0), "c"(0));
}

void cpu_init(unsigned id, uint32_t apic_id)
{
	struct cpu *cpu = &cpus[id];

	ASSERT(id < CPU_MAX);
	cpu->self = cpu;
	cpu->id = id;
	cpu->lock_owner = id + 1;
	cpu->recent_space = RECENT_NONE;
	cpu->apic_id = apic_id;
	msr_write(MSR_GS_BASE, (vaddr_t)cpu);

	tables_load(id);
	trap_init_cpu();
	if (id == 0) {
		features_read();
		cpu->online = true;
	}
	vector_registers_enable();
}
