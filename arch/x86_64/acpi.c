/*
 * acpi.c: finds the MADT and the FADT and copies what quire needs from them.
 * ACPI 6.4: 5.2.5 (RSDP), 5.2.7 (RSDT), 5.2.8 (XSDT), 5.2.9 (FADT), 5.2.12
 * (MADT), 7.4.2 and 20.2 (\_S5 and its encoding).
 *
 * Invariants:
 * 1. A table is read only if it is mapped to its whole length and its bytes
 *    add up to zero; an entry only if it lies inside its table.
 * 2. acpi_info is complete without any table: one CPU, the usual addresses.
 *
 * AML is not interpreted: \_S5 is a package of constants that is found by its
 * name's bytes.
 */
#include "arch/x86_64/acpi.h"

#include "arch/x86_64/direct.h"
#include "arch/x86_64/probe.h"
#include "lib/assert.h"
#include "lib/string.h"

#define LOCAL_APIC_DEFAULT 0xfee00000
#define IO_APIC_DEFAULT 0xfec00000

#define BIOS_EBDA_POINTER 0x40e /* segment of the extended BIOS data area */
#define BIOS_EBDA_BYTES 1024	/* of it are searched */
#define BIOS_ROM_BASE 0xe0000
#define BIOS_ROM_BYTES 0x20000
#define RSDP_ALIGN 16

struct rsdp {
	uint64_t signature;
	uint8_t checksum;
	char oem[6];
	uint8_t revision; /* 0 for ACPI 1: the structure ends after rsdt then */
	uint32_t rsdt;
	uint32_t size_bytes;
	uint64_t xsdt;
	uint8_t checksum_all;
	uint8_t reserved[3];
} __attribute__((packed));
#define RSDP_SIGNATURE 0x2052545020445352ull /* "RSD PTR " */
#define RSDP_BYTES_ACPI1 20
STATIC_ASSERT(sizeof(struct rsdp) == 36);

struct table {
	char signature[4];
	uint32_t size_bytes; /* with this header */
	uint8_t revision;
	uint8_t checksum;
	char oem[22];
	uint32_t creator_revision;
} __attribute__((packed));
STATIC_ASSERT(sizeof(struct table) == 36);

struct madt {
	struct table table;
	uint32_t local_apic;
	uint32_t flags;
} __attribute__((packed));

struct madt_entry {
	uint8_t kind;
	uint8_t size_bytes;
	union {
		struct {
			uint8_t processor;
			uint8_t apic_id;
			uint32_t flags;
		} __attribute__((packed)) local_apic;
		struct {
			uint8_t id;
			uint8_t reserved;
			uint32_t address;
			uint32_t gsi_base;
		} __attribute__((packed)) io_apic;
		struct {
			uint8_t bus;
			uint8_t source;
			uint32_t gsi;
			uint16_t flags;
		} __attribute__((packed)) source_override;
		struct {
			uint16_t reserved;
			uint64_t address;
		} __attribute__((packed)) address_override;
	};
} __attribute__((packed));

#define MADT_LOCAL_APIC 0
#define MADT_IO_APIC 1
#define MADT_SOURCE_OVERRIDE 2
#define MADT_ADDRESS_OVERRIDE 5
#define MADT_ENABLED 1u

/* Offsets in the FADT; older ones end before the X_ fields. */
#define FADT_DSDT 40
#define FADT_PM1A_CONTROL 64
#define FADT_PM1B_CONTROL 68
#define FADT_BYTES_ACPI1 116

#define AML_ZERO 0x00
#define AML_ONE 0x01
#define AML_NAME 0x08
#define AML_BYTE 0x0a
#define AML_PACKAGE 0x12

struct acpi_info acpi_info;

static bool sum_is_zero(const void *bytes, uint64_t size_bytes)
{
	uint8_t sum = 0;

	for (uint64_t i = 0; i < size_bytes; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
	return sum == 0;
}

/* The table at `address` if it is a sound one of that signature, else NULL. */
static const struct table *table_open(paddr_t address, const char *signature)
{
	const struct table *table = direct_map(address);

	if (address == 0 || address >= DIRECT_END - DIRECT_BASE ||
	    !probe_mapped((vaddr_t)table, sizeof(*table)) ||
	    memcmp(table->signature, signature, sizeof(table->signature)) != 0 ||
	    table->size_bytes < sizeof(*table) ||
	    !probe_mapped((vaddr_t)table, table->size_bytes) ||
	    !sum_is_zero(table, table->size_bytes))
		return NULL;
	return table;
}

static uint32_t table_read32(const struct table *table, uint32_t offset)
{
	uint32_t value;

	ASSERT(offset + sizeof(value) <= table->size_bytes);
	memcpy(&value, (const char *)table + offset, sizeof(value));
	return value;
}

static const struct rsdp *rsdp_open(paddr_t address)
{
	const struct rsdp *rsdp = direct_map(address);

	if (address >= DIRECT_END - DIRECT_BASE || !probe_mapped((vaddr_t)rsdp, sizeof(*rsdp)) ||
	    rsdp->signature != RSDP_SIGNATURE || !sum_is_zero(rsdp, RSDP_BYTES_ACPI1))
		return NULL;
	return rsdp;
}

static const struct rsdp *rsdp_search(paddr_t base, uint64_t size_bytes)
{
	if (!probe_mapped((vaddr_t)direct_map(base), size_bytes))
		return NULL;
	for (uint64_t offset = 0; offset < size_bytes; offset += RSDP_ALIGN) {
		const struct rsdp *rsdp = direct_map(base + offset);

		if (rsdp->signature == RSDP_SIGNATURE && rsdp_open(base + offset))
			return rsdp;
	}
	return NULL;
}

static const struct rsdp *rsdp_search_bios(void)
{
	const struct rsdp *rsdp = NULL;
	const uint16_t *segment = direct_map(BIOS_EBDA_POINTER);

	if (probe_mapped((vaddr_t)segment, sizeof(*segment)) && *segment)
		rsdp = rsdp_search((paddr_t)*segment << 4, BIOS_EBDA_BYTES);
	return rsdp ? rsdp : rsdp_search(BIOS_ROM_BASE, BIOS_ROM_BYTES);
}

/* The table of that signature which the RSDT or, if there is one, the XSDT lists. */
static const struct table *table_find(const struct rsdp *rsdp, const char *signature)
{
	const struct table *root = NULL;
	uint32_t pointer_bytes = 8;

	if (rsdp->revision >= 2)
		root = table_open(rsdp->xsdt, "XSDT");
	if (!root) {
		root = table_open(rsdp->rsdt, "RSDT");
		pointer_bytes = 4;
	}
	if (!root)
		return NULL;
	for (uint32_t offset = sizeof(*root); offset + pointer_bytes <= root->size_bytes;
	     offset += pointer_bytes) {
		paddr_t address = 0;
		const struct table *table;

		memcpy(&address, (const char *)root + offset, pointer_bytes);
		table = table_open(address, signature);
		if (table)
			return table;
	}
	return NULL;
}

static void cpu_add(uint32_t apic_id)
{
	if (acpi_info.cpu_count == CPU_MAX)
		acpi_info.cpus_dropped++;
	else
		acpi_info.apic_ids[acpi_info.cpu_count++] = apic_id;
}

static void madt_read_entry(const struct madt_entry *entry)
{
	/* The length says which fields are there; a kind that is longer today grew at its end. */
#define HAS(field) (entry->size_bytes >= 2 + sizeof(entry->field))
	switch (entry->kind) {
	case MADT_LOCAL_APIC:
		if (HAS(local_apic) && (entry->local_apic.flags & MADT_ENABLED))
			cpu_add(entry->local_apic.apic_id);
		break;
	case MADT_IO_APIC:
		if (HAS(io_apic) && entry->io_apic.gsi_base == 0) /* the ISA's interrupts */
			acpi_info.io_apic = entry->io_apic.address;
		break;
	case MADT_SOURCE_OVERRIDE:
		if (HAS(source_override) &&
		    entry->source_override.source < ARRAY_SIZE(acpi_info.isa_gsi)) {
			acpi_info.isa_gsi[entry->source_override.source] =
				entry->source_override.gsi;
			acpi_info.isa_flags[entry->source_override.source] =
				entry->source_override.flags;
		}
		break;
	case MADT_ADDRESS_OVERRIDE:
		if (HAS(address_override))
			acpi_info.local_apic = entry->address_override.address;
		break;
	default:
		break;
	}
#undef HAS
}

static void madt_read(const struct madt *madt)
{
	uint32_t offset = sizeof(*madt);

	if (madt->table.size_bytes < sizeof(*madt))
		return;
	acpi_info.local_apic = madt->local_apic;
	acpi_info.cpu_count = 0;
	while (offset + 2 <= madt->table.size_bytes) {
		const struct madt_entry *entry =
			(const void *)((const char *)madt + offset);

		if (entry->size_bytes < 2 || entry->size_bytes > madt->table.size_bytes - offset)
			break;
		madt_read_entry(entry);
		offset += entry->size_bytes;
	}
	if (acpi_info.cpu_count == 0) /* we do run on one */
		acpi_info.cpu_count = 1;
}

/*
 * Name (_S5_, Package (n) { SLP_TYPa, ... }): name operator, perhaps a
 * backslash, the name, package operator, its length in 1 to 4 bytes (the top
 * two bits of the first say how many follow), the count, the first element.
 */
static void dsdt_read(const struct table *dsdt)
{
	const uint8_t *aml = (const uint8_t *)dsdt;

	for (uint32_t at = sizeof(*dsdt) + 2; at + 12 <= dsdt->size_bytes; at++) {
		uint32_t element;

		if (memcmp(aml + at, "_S5_", 4) != 0 || aml[at + 4] != AML_PACKAGE ||
		    (aml[at - 1] != AML_NAME && (aml[at - 1] != '\\' || aml[at - 2] != AML_NAME)))
			continue;
		element = at + 5 + 1 + (aml[at + 5] >> 6) + 1;
		if (element + 2 > dsdt->size_bytes)
			return;
		if (aml[element] == AML_BYTE)
			acpi_info.sleep_type_off = aml[element + 1] & 7;
		else if (aml[element] == AML_ZERO || aml[element] == AML_ONE)
			acpi_info.sleep_type_off = aml[element];
		return;
	}
}

static void fadt_read(const struct table *fadt)
{
	const struct table *dsdt;

	if (fadt->size_bytes < FADT_BYTES_ACPI1)
		return;
	acpi_info.pm1a_control = (uint16_t)table_read32(fadt, FADT_PM1A_CONTROL);
	acpi_info.pm1b_control = (uint16_t)table_read32(fadt, FADT_PM1B_CONTROL);
	dsdt = table_open(table_read32(fadt, FADT_DSDT), "DSDT");
	if (dsdt)
		dsdt_read(dsdt);
}

void acpi_init(paddr_t rsdp_address)
{
	const struct rsdp *rsdp;
	const struct table *table;

	acpi_info.cpu_count = 1;
	acpi_info.local_apic = LOCAL_APIC_DEFAULT;
	acpi_info.io_apic = IO_APIC_DEFAULT;
	for (unsigned irq = 0; irq < ARRAY_SIZE(acpi_info.isa_gsi); irq++)
		acpi_info.isa_gsi[irq] = irq;

	rsdp = rsdp_address ? rsdp_open(rsdp_address) : rsdp_search_bios();
	if (!rsdp)
		return;
	table = table_find(rsdp, "APIC");
	if (table)
		madt_read((const struct madt *)table);
	table = table_find(rsdp, "FACP");
	if (table)
		fadt_read(table);
}
