/*
 * smp.c: starts the application processors, one after the other.
 *
 *   smp_wanted:  SMP_NONE -> APIC number -> SMP_CLAIMED (by the AP) -> SMP_NONE
 *                             |
 *                             +-> SMP_NONE (it did not come: left out, sent INIT)
 *
 * Intel SDM volume 3, section 8.4.4.1: INIT, a wait, STARTUP, and STARTUP
 * again if nothing happens (a CPU that runs ignores it). The waits are counted
 * in PAUSEs, because no clock is calibrated for them.
 *
 * Invariants:
 * 1. CPU ids are dense: an id whose processor did not come is given to the next.
 * 2. smp_stack_top and smp_ap_id belong to CPU 0 while smp_wanted is SMP_NONE,
 *    and to the claiming AP from its claim until it is online.
 * 3. cpu_count covers a CPU before it is online.
 * 4. The start page has its old content again at the end: GRUB puts modules
 *    where it likes, under UEFI from 0x1000 on. No CPU that was left out will
 *    come to it later, since INIT makes it wait for a STARTUP again.
 */
#include "arch/x86_64/smp.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/apic_internal.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/direct.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/smp_internal.h"
#include "lib/assert.h"
#include "lib/string.h"

#define INIT_PAUSES 1000	/* between INIT and STARTUP */
#define STARTUP_PAUSES 10000	/* for the AP to come, before the next STARTUP */
#define STARTUP_ATTEMPTS 100	/* then it is left out; a host may be busy with others for long */

#define TRAMPOLINE_MAX 128

uint32_t smp_wanted = SMP_NONE;
paddr_t smp_kernel_root;
vaddr_t smp_stack_top;

static unsigned smp_ap_id;
static void (*smp_entry)(unsigned id);

/* First C code of an AP: on its own stack and the kernel's root, interrupts off. */
void smp_ap_main(void)
{
	unsigned id = smp_ap_id;
	void (*entry)(unsigned id) = smp_entry;

	cpu_init(id, apic_id());
	apic_init_cpu();
	__atomic_store_n(&cpu_count, id + 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&cpus[id].online, true, __ATOMIC_SEQ_CST);
	entry(id);
	__builtin_unreachable();
}

/* Sends STARTUP until the AP has claimed its start; false if it never does. */
static bool startup_claimed(uint32_t target)
{
	uint32_t startup = APIC_ASSERTED | APIC_DELIVER_STARTUP | AP_START_PHYS >> PAGE_SHIFT;
	uint32_t wanted = target;

	for (unsigned attempt = 0; attempt < STARTUP_ATTEMPTS; attempt++) {
		apic_command(target, startup);
		for (unsigned i = 0; i < STARTUP_PAUSES; i++) {
			if (__atomic_load_n(&smp_wanted, __ATOMIC_ACQUIRE) == SMP_CLAIMED)
				return true;
			cpu_relax();
		}
	}
	return !__atomic_compare_exchange_n(&smp_wanted, &wanted, SMP_NONE, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Starts the processor with that APIC number as CPU `id`; false if it does not come. */
static bool ap_start(uint32_t target, unsigned id, vaddr_t stack_top)
{
	smp_ap_id = id;
	smp_stack_top = stack_top;
	__atomic_store_n(&smp_wanted, target, __ATOMIC_SEQ_CST);

	apic_command(target, APIC_ASSERTED | APIC_DELIVER_INIT);
	for (unsigned i = 0; i < INIT_PAUSES; i++)
		cpu_relax();
	if (!startup_claimed(target)) {
		apic_command(target, APIC_ASSERTED | APIC_DELIVER_INIT);
		return false;
	}
	/* It runs our code now, so it will be online. */
	while (!__atomic_load_n(&cpus[id].online, __ATOMIC_ACQUIRE))
		cpu_relax();
	__atomic_store_n(&smp_wanted, SMP_NONE, __ATOMIC_SEQ_CST);
	return true;
}

unsigned smp_start(unsigned count, paddr_t kernel_root, const vaddr_t *stack_tops,
		   void (*entry)(unsigned id))
{
	uint32_t self = apic_id();
	size_t bytes = (vaddr_t)smp_trampoline_end - (vaddr_t)smp_trampoline;
	char *start_page = direct_map(AP_START_PHYS);
	char saved[TRAMPOLINE_MAX];
	unsigned id = 1;

	ASSERT(count <= CPU_MAX);
	ASSERT(bytes <= sizeof(saved));
	memcpy(saved, start_page, bytes);
	memcpy(start_page, smp_trampoline, bytes);
	smp_kernel_root = kernel_root;
	smp_entry = entry;
	for (unsigned i = 0; i < acpi_info.cpu_count && id < count; i++) {
		uint32_t target = acpi_info.apic_ids[i];

		if (target != self && ap_start(target, id, stack_tops[id]))
			id++;
	}
	memcpy(start_page, saved, bytes);
	ASSERT(id == cpu_count);
	return cpu_count;
}
