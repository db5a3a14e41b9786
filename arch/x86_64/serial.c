/*
 * serial.c: the first serial line, polled for output, with an interrupt for
 * input. Registers: National Semiconductor PC16550D data sheet, section 8.
 *
 * Invariants:
 * 1. After one look at the line status that finds the transmitter's FIFO
 *    empty, at most FIFO_BYTES bytes are written: it cannot overflow.
 *
 * No locks: whoever prints (the console, or a panic with all others stopped)
 * serialises.
 */
#include "arch/x86_64/serial.h"

#include "arch/x86_64/cpu.h"

#define COM1 0x3f8
#define FIFO_BYTES 16

/* Registers, as offsets; the first two are the divisor while LINE_DIVISOR is set. */
#define REG_DATA 0
#define REG_INTERRUPT_ENABLE 1
#define REG_FIFO_CONTROL 2
#define REG_LINE_CONTROL 3
#define REG_MODEM_CONTROL 4
#define REG_LINE_STATUS 5

#define INTERRUPT_RECEIVED 0x01
/* Both FIFOs emptied; an interrupt at 14 bytes, or when fewer have waited for four characters. */
#define FIFO_ENABLE_CLEAR 0xc7
#define LINE_8N1 0x03
#define LINE_DIVISOR 0x80
#define MODEM_READY 0x0b /* DTR, RTS, and OUT2, which lets the interrupt out */
#define STATUS_RECEIVED 0x01
#define STATUS_TRANSMIT_EMPTY 0x20

void serial_init(void)
{
	port_write8(COM1 + REG_INTERRUPT_ENABLE, 0);
	port_write8(COM1 + REG_LINE_CONTROL, LINE_DIVISOR);
	port_write8(COM1 + REG_DATA, 1); /* 115200 / 1 */
	port_write8(COM1 + REG_INTERRUPT_ENABLE, 0);
	port_write8(COM1 + REG_LINE_CONTROL, LINE_8N1);
	port_write8(COM1 + REG_FIFO_CONTROL, FIFO_ENABLE_CLEAR);
	port_write8(COM1 + REG_MODEM_CONTROL, MODEM_READY);
}

void serial_write(const char *bytes, size_t count)
{
	while (count > 0) {
		size_t burst = MIN(count, (size_t)FIFO_BYTES);

		while (!(port_read8(COM1 + REG_LINE_STATUS) & STATUS_TRANSMIT_EMPTY))
			cpu_relax();
		count -= burst;
		while (burst-- > 0)
			port_write8(COM1 + REG_DATA, (uint8_t)*bytes++);
	}
}

void serial_enable_input(void)
{
	port_write8(COM1 + REG_INTERRUPT_ENABLE, INTERRUPT_RECEIVED);
}

int serial_read(void)
{
	if (!(port_read8(COM1 + REG_LINE_STATUS) & STATUS_RECEIVED))
		return -1;
	return port_read8(COM1 + REG_DATA);
}
