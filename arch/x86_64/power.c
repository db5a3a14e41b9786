/*
 * power.c: ACPI soft-off (ACPI 6.4, section 4.8.3.2.1, PM1 control registers)
 * and QEMU's isa-debug-exit device.
 */
#include "arch/x86_64/power.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/cpu.h"

#define DEBUG_EXIT_PORT 0xf4 /* QEMU ends with the value written * 2 + 1 */

#define SLEEP_TYPE_SHIFT 10
#define SLEEP_ENABLE 0x2000

/* Enough for a device to act; power goes at once under QEMU. */
#define OFF_PAUSES 1000000

static void power_off_acpi(void)
{
	uint16_t value = (uint16_t)(acpi_info.sleep_type_off << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);

	if (acpi_info.pm1a_control == 0)
		return;
	port_write16(acpi_info.pm1a_control, value);
	if (acpi_info.pm1b_control)
		port_write16(acpi_info.pm1b_control, value);
	for (unsigned i = 0; i < OFF_PAUSES; i++)
		cpu_relax();
}

void power_off(unsigned status)
{
	irq_disable();
	if (status == 0)
		power_off_acpi();
	port_write32(DEBUG_EXIT_PORT, status);
	power_off_acpi(); /* without the device: the status is lost, but it ends */
	for (;;)
		__asm__ volatile("hlt");
}
