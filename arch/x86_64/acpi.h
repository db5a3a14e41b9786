/*
 * acpi.h: the two ACPI tables quire needs: MADT (which CPUs there are, where
 * the I/O APIC is) and FADT (how to power off). ACPI 6.4, sections 5.2.5 to
 * 5.2.12. Bad signatures, lengths and checksums are treated as absence.
 */
#pragma once

#include "kernel/config.h"
#include "lib/types.h"

struct acpi_info {
	unsigned cpu_count;           /* enabled local APICs, at most CPU_MAX; 1 without a MADT */
	unsigned cpus_dropped;        /* more than CPU_MAX */
	uint32_t apic_ids[CPU_MAX];
	paddr_t local_apic;
	paddr_t io_apic;
	uint32_t io_apic_gsi_base;
	uint32_t isa_gsi[16];         /* interrupt source overrides, else the identity */
	uint16_t isa_flags[16];       /* polarity and trigger, MPS INTI flags */
	uint16_t pm1a_control;        /* port, 0 if unknown */
	uint16_t pm1b_control;
	uint16_t sleep_type_off;      /* SLP_TYPa of \_S5 from the DSDT; 0 on QEMU */
};

extern struct acpi_info acpi_info;

/*
 * rsdp: from the loader, or 0: then the BIOS areas are searched (5.2.5.1).
 * Called once, on the boot page tables, which map all below 4 GiB: firmware
 * puts its tables into ranges of any kind.
 */
void acpi_init(paddr_t rsdp);
