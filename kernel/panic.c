/*
 * panic.c: stops all CPUs, tells what is known, and ends the machine.
 *
 *   panic(), panic_trap(), assert_fail() -> report() -> others_stop()
 *                                      -> power_off()
 *
 * Invariants:
 * 1. The first CPU to take panic_owner reports; every other one halts, in its
 *    NMI or at the attempt. A panic within a panic says so and ends.
 * 2. Nothing here allocates, takes a lock, or waits without a bound; it works
 *    before cpu_init(), then without the parts that need THIS_CPU.
 */
#include "kernel/panic.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/power.h"
#include "arch/x86_64/serial.h"
#include "arch/x86_64/trap.h"
#include "kernel/backtrace.h"
#include "lib/assert.h"
#include "lib/format.h"

#define MSR_GS_BASE 0xc0000101

#define PANIC_STATUS 3
#define PANIC_LINE_BYTES 256

/* For the others to take the NMI: far more than it needs, and then we go on without them. */
#define STOP_PAUSES 1000000

#define NOBODY 0 /* panic_owner: else the CPU's id + 1 */

static unsigned panic_owner; /* atomic */

__attribute__((weak)) void console_panic_write(const char *bytes, size_t count)
{
	serial_write(bytes, count);
}

__attribute__((weak)) void panic_describe_thread(void)
{
}

__attribute__((weak)) void panic_describe_test(void)
{
}

static PRINTF_LIKE(1, 0) void print_v(const char *fmt, va_list arguments)
{
	/* Off the stack: a double fault reports from a small one. Only the owner comes here. */
	static char line[PANIC_LINE_BYTES];
	int length = format_v(line, sizeof(line), fmt, arguments);

	console_panic_write(line, MIN((size_t)length, sizeof(line) - 1));
}

void panic_print(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	print_v(fmt, arguments);
	va_end(arguments);
}

static void print_line(const char *text)
{
	panic_print("%s\n", text);
}

/* This CPU, or NULL before its cpu_init(). */
static struct cpu *cpu_known(void)
{
	return msr_read(MSR_GS_BASE) ? cpu_current() : NULL;
}

static NORETURN void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* The NMI of a CPU that another one's panic stops. */
static void stop(struct trap_frame *frame)
{
	struct cpu *cpu = cpu_current();

	cpu->panic_frame = frame;
	__atomic_store_n(&cpu->halted_for_panic, true, __ATOMIC_RELEASE);
	halt();
}

static bool is_other(const struct cpu *cpu, const struct cpu *self)
{
	return cpu != self && READ_ONCE(cpu->online);
}

static void others_stop(const struct cpu *self)
{
	if (!self || cpu_count == 1)
		return;
	trap_set_handler(TRAP_NMI, stop);
	apic_send_nmi_to_others();
	for (unsigned id = 0, pauses = 0; id < cpu_count; id++) {
		while (is_other(&cpus[id], self) && pauses++ < STOP_PAUSES &&
		       !__atomic_load_n(&cpus[id].halted_for_panic, __ATOMIC_ACQUIRE))
			cpu_relax();
	}
}

static void print_others(const struct cpu *self)
{
	char name[PANIC_LINE_BYTES / 2];

	for (unsigned id = 0; id < cpu_count; id++) {
		const struct trap_frame *frame = cpus[id].panic_frame;

		if (!is_other(&cpus[id], self))
			continue;
		if (cpus[id].halted_for_panic) {
			backtrace_name(frame->rip, name, sizeof(name));
			panic_print("CPU %u was at %s\n", id, name);
		} else {
			panic_print("CPU %u does not answer\n", id);
		}
	}
}

static void print_registers(const struct trap_frame *frame)
{
	panic_print("rip %016lx  rsp %016lx  rflags %08lx  cr2 %016lx\n", frame->rip, frame->rsp,
		    frame->rflags, cpu_fault_address());
	panic_print("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", frame->rax, frame->rbx,
		    frame->rcx, frame->rdx);
	panic_print("rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", frame->rsi, frame->rdi,
		    frame->rbp, frame->r8);
	panic_print("r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", frame->r9, frame->r10,
		    frame->r11, frame->r12);
	panic_print("r13 %016lx  r14 %016lx  r15 %016lx\n", frame->r13, frame->r14, frame->r15);
}

/*
 * Returns when all is said, to the first CPU only.
 * The backtrace starts at the trap, or if that is NULL at the caller of the
 * function whose frame is `frame`.
 */
static PRINTF_LIKE(3, 0) void report(const struct trap_frame *trap, vaddr_t frame, const char *fmt,
				     va_list arguments)
{
	struct cpu *self;
	unsigned expected = NOBODY, mine;

	irq_disable();
	self = cpu_known();
	mine = self ? self->id + 1 : 1;
	if (!__atomic_compare_exchange_n(&panic_owner, &expected, mine, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		if (expected != mine)
			halt();
		panic_print("\npanic within the panic: ");
		print_v(fmt, arguments);
		panic_print("\n");
		power_off(PANIC_STATUS);
	}

	others_stop(self);
	panic_print("\npanic: ");
	print_v(fmt, arguments);
	panic_print("\non CPU %u\n", mine - 1);
	if (self)
		panic_describe_thread();
	panic_describe_test();
	if (trap) {
		print_registers(trap);
		backtrace_trap(trap, print_line);
	} else {
		backtrace(frame, print_line);
	}
	print_others(self);
}

void panic(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	report(NULL, (vaddr_t)__builtin_frame_address(0), fmt, arguments);
	va_end(arguments);
	power_off(PANIC_STATUS);
}

void panic_trap(const struct trap_frame *frame, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	report(frame, 0, fmt, arguments);
	va_end(arguments);
	power_off(PANIC_STATUS);
}

static NORETURN PRINTF_LIKE(2, 3) void panic_from(vaddr_t frame, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	report(NULL, frame, fmt, arguments);
	va_end(arguments);
	power_off(PANIC_STATUS);
}

void assert_fail(const char *condition, const char *file, int line, const char *function)
{
	panic_from((vaddr_t)__builtin_frame_address(0), "assertion failed: %s, in %s, %s:%d",
		   condition, function, file, line);
}
