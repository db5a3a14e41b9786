/*
 * input.c: see input.h.
 *
 *   UART FIFO --- drain(), by the interrupt and by readers ---> ring --- input_byte()
 *
 * Invariants:
 * 1. Bytes leave the FIFO only while the ring has room; then QEMU (and a real
 *    line's RTS/CTS) holds the sender back. A reader drains again after it has
 *    made room, because a FIFO that is not empty raises no new interrupt.
 *
 * Locks: `lock` guards everything here. It is of the semaphores' class: like
 * theirs it is held where threads are put to sleep and woken.
 */
#include "kernel/monitor/input.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/serial.h"
#include "arch/x86_64/trap.h"
#include "lib/errno.h"

#define RING_BYTES 65536u /* a burst of a paste; the rest of it waits in the sender */
#define SERIAL_IRQ 4      /* the ISA interrupt of the first serial line */
#define CTRL_C 3

static struct {
	struct spinlock lock;
	struct wait_queue waiters; /* for bytes and for changes */
	bool job;
	bool interrupted;
	uint64_t changes;
	uint32_t head, tail; /* bytes ever taken and ever put; they wrap */
	char ring[RING_BYTES];
} input = {
	.lock = SPINLOCK(WAIT),
	.waiters = WAIT_QUEUE(input.waiters),
};
STATIC_ASSERT((RING_BYTES & (RING_BYTES - 1)) == 0);

/* Moves what has arrived into the ring. The lock is held. */
static void drain(void)
{
	bool news = false;
	int byte;

	while (input.tail - input.head < RING_BYTES && (byte = serial_read()) >= 0) {
		news = true;
		if (byte == CTRL_C && input.job) {
			input.interrupted = true;
			input.changes++;
			input.head = input.tail;
		} else {
			input.ring[input.tail++ % RING_BYTES] = (char)byte;
		}
	}
	if (news)
		wait_queue_wake_all(&input.waiters);
}

static void handle_serial(struct trap_frame *frame)
{
	(void)frame;
	apic_end_of_interrupt();
	spin_lock(&input.lock);
	drain();
	spin_unlock(&input.lock);
}

void input_init(void)
{
	uint64_t flags;

	trap_set_handler(TRAP_SERIAL, handle_serial);
	apic_route_irq(SERIAL_IRQ, TRAP_SERIAL);
	serial_enable_input();
	/* What came before raises no interrupt any more. */
	flags = spin_lock_irq(&input.lock);
	drain();
	spin_unlock_irq(&input.lock, flags);
}

int input_byte(void)
{
	uint64_t flags = spin_lock_irq(&input.lock);
	int result;

	for (;;) {
		drain();
		if (input.head != input.tail) {
			result = (uint8_t)input.ring[input.head++ % RING_BYTES];
			break;
		}
		result = wait_queue_sleep(&input.waiters, &input.lock, WAIT_INTERRUPTIBLE);
		if (result != 0)
			break;
	}
	spin_unlock_irq(&input.lock, flags);
	return result;
}

void input_job_begin(void)
{
	uint64_t flags = spin_lock_irq(&input.lock);

	input.job = true;
	input.interrupted = false;
	spin_unlock_irq(&input.lock, flags);
}

void input_job_end(void)
{
	uint64_t flags = spin_lock_irq(&input.lock);

	input.job = false;
	spin_unlock_irq(&input.lock, flags);
}

bool input_interrupted(void)
{
	return READ_ONCE(input.interrupted);
}

void input_interrupt_clear(void)
{
	WRITE_ONCE(input.interrupted, false);
}

uint64_t input_changes(void)
{
	return __atomic_load_n(&input.changes, __ATOMIC_ACQUIRE);
}

void input_change(void)
{
	uint64_t flags = spin_lock_irq(&input.lock);

	__atomic_store_n(&input.changes, input.changes + 1, __ATOMIC_RELEASE);
	wait_queue_wake_all(&input.waiters);
	spin_unlock_irq(&input.lock, flags);
}

int input_wait_change(uint64_t seen)
{
	uint64_t flags = spin_lock_irq(&input.lock);
	int result = 0;

	while (input.changes == seen && result == 0)
		result = wait_queue_sleep(&input.waiters, &input.lock, WAIT_INTERRUPTIBLE);
	spin_unlock_irq(&input.lock, flags);
	return result;
}
