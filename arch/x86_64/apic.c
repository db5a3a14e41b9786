/*
 * apic.c: the local APIC in xAPIC mode and the first I/O APIC. Intel SDM
 * volume 3, chapter 11: 11.4 (registers), 11.5.4 (timer), 11.6.1 (interrupt
 * command register); Intel 82093AA data sheet, section 3.
 *
 * Invariants:
 * 1. A CPU writes only its own local APIC (all are at the same address); CPU 0
 *    alone programs the I/O APIC, during boot.
 * 2. The interrupt command register's two halves are written with interrupts
 *    off, and only after the previous command has been accepted.
 * 3. LINT0 is masked, so an interrupt of the 8259s never arrives.
 */
#include "arch/x86_64/apic.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/apic_internal.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/direct.h"
#include "arch/x86_64/trap.h"
#include "lib/assert.h"

/* Local APIC registers, byte offsets (table 11-1). */
#define LAPIC_ID 0x020
#define LAPIC_TASK_PRIORITY 0x080
#define LAPIC_END_OF_INTERRUPT 0x0b0
#define LAPIC_SPURIOUS 0x0f0
#define LAPIC_COMMAND_LOW 0x300
#define LAPIC_COMMAND_HIGH 0x310
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0

#define SPURIOUS_ENABLE 0x100
#define LVT_MASKED 0x10000
#define LVT_NMI 0x400
#define LVT_TIMER_PERIODIC 0x20000
#define TIMER_DIVIDE_BY_1 0x0b
#define COMMAND_PENDING 0x1000

/* QEMU's and KVM's local APIC timers count nanoseconds when divided by 1. */
#define TIMER_COUNT TICK_NANOSECONDS

/* The I/O APIC's two registers, and indexes reached through them. */
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_VERSION 0x01 /* bits 16..23: the last redirection entry */
#define IOAPIC_REDIRECTION 0x10

#define REDIRECT_ACTIVE_LOW 0x2000
#define REDIRECT_LEVEL 0x8000

/* Flags of an interrupt source override: ACPI 6.4, table 5.26. */
#define OVERRIDE_POLARITY_MASK 0x3
#define OVERRIDE_ACTIVE_LOW 0x3
#define OVERRIDE_TRIGGER_MASK 0xc
#define OVERRIDE_LEVEL 0xc

#define PIC1_DATA 0x21
#define PIC2_DATA 0xa1
#define PIC_ALL_MASKED 0xff

static volatile uint32_t *lapic_register(uint32_t offset)
{
	return direct_map(acpi_info.local_apic + offset);
}

static void lapic_write(uint32_t offset, uint32_t value)
{
	*lapic_register(offset) = value;
}

static uint32_t lapic_read(uint32_t offset)
{
	return *lapic_register(offset);
}

void apic_init_cpu(void)
{
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	/* The machine's NMI, QEMU's `nmi`: one CPU panics and tells where the others are. */
	lapic_write(LAPIC_LVT_LINT1, THIS_CPU->id == 0 ? LVT_NMI : LVT_MASKED);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_TASK_PRIORITY, 0);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | TRAP_SPURIOUS);
}

void apic_timer_start(void)
{
	lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, LVT_TIMER_PERIODIC | TRAP_TIMER);
	lapic_write(LAPIC_TIMER_INITIAL, TIMER_COUNT);
}

uint32_t apic_timer_left(void)
{
	return lapic_read(LAPIC_TIMER_CURRENT);
}

uint32_t apic_id(void)
{
	return lapic_read(LAPIC_ID) >> 24;
}

void apic_end_of_interrupt(void)
{
	lapic_write(LAPIC_END_OF_INTERRUPT, 0);
}

void apic_command(uint32_t apic_id, uint32_t command)
{
	uint64_t flags = irq_save();

	while (lapic_read(LAPIC_COMMAND_LOW) & COMMAND_PENDING)
		cpu_relax();
	lapic_write(LAPIC_COMMAND_HIGH, apic_id << 24);
	lapic_write(LAPIC_COMMAND_LOW, command);
	irq_restore(flags);
}

void apic_send(unsigned cpu, unsigned vector)
{
	ASSERT(cpu < cpu_count);
	ASSERT(vector >= TRAP_EXCEPTION_COUNT && vector < TRAP_VECTOR_COUNT);
	COUNT(IPI);
	apic_command(cpus[cpu].apic_id, APIC_ASSERTED | vector);
}

/* One by one: the shorthand for "all but me" would wake CPUs that run firmware, not us. */
void apic_send_nmi_to_others(void)
{
	uint32_t self = apic_id();

	for (unsigned id = 0; id < cpu_count; id++) {
		if (cpus[id].online && cpus[id].apic_id != self)
			apic_command(cpus[id].apic_id, APIC_ASSERTED | APIC_DELIVER_NMI);
	}
}

static void ioapic_write(uint32_t index, uint32_t value)
{
	volatile uint32_t *io_apic = direct_map(acpi_info.io_apic);

	io_apic[IOAPIC_SELECT / 4] = index;
	io_apic[IOAPIC_WINDOW / 4] = value;
}

static uint32_t ioapic_read(uint32_t index)
{
	volatile uint32_t *io_apic = direct_map(acpi_info.io_apic);

	io_apic[IOAPIC_SELECT / 4] = index;
	return io_apic[IOAPIC_WINDOW / 4];
}

void apic_route_irq(unsigned isa_irq, unsigned vector)
{
	uint32_t flags, entry, pin, low;

	ASSERT(isa_irq < ARRAY_SIZE(acpi_info.isa_gsi));
	port_write8(PIC1_DATA, PIC_ALL_MASKED);
	port_write8(PIC2_DATA, PIC_ALL_MASKED);

	pin = acpi_info.isa_gsi[isa_irq] - acpi_info.io_apic_gsi_base;
	if (pin > (ioapic_read(IOAPIC_VERSION) >> 16 & 0xff))
		return; /* firmware named a pin that is not there: no such interrupt */

	flags = acpi_info.isa_flags[isa_irq];
	low = vector;
	if ((flags & OVERRIDE_POLARITY_MASK) == OVERRIDE_ACTIVE_LOW)
		low |= REDIRECT_ACTIVE_LOW;
	if ((flags & OVERRIDE_TRIGGER_MASK) == OVERRIDE_LEVEL)
		low |= REDIRECT_LEVEL;
	entry = IOAPIC_REDIRECTION + 2 * pin;
	ioapic_write(entry + 1, cpus[0].apic_id << 24);
	ioapic_write(entry, low);
}
