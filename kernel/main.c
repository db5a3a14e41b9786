/*
 * main.c: from the loader's jump to the prompt.
 *
 * Order matters: the serial line and this CPU first, so that anything may be
 * reported; then memory; then what needs memory: ACPI, APIC, traps, threads;
 * then the other CPUs; last the console, as a thread of the kernel.
 */
#include "arch/x86_64/acpi.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/boot_info.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/page_bytes.h"
#include "arch/x86_64/power.h"
#include "arch/x86_64/serial.h"
#include "arch/x86_64/smp.h"
#include "arch/x86_64/tlb.h"
#include "arch/x86_64/trap.h"
#include "kernel/mm/boot_memory.h"
#include "kernel/mm/event.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/stack.h"
#include "kernel/mm/turn.h"
#include "kernel/monitor/monitor.h"
#include "kernel/options.h"
#include "kernel/proc/process.h"
#include "kernel/proc/signal.h"
#include "lib/format.h"

void kernel_main(uint32_t magic, uint32_t info_address);

static struct boot_info boot_info;
static struct options options;
static struct thread *idle_threads[CPU_MAX];

/* The machine cannot be used: says why, and ends. */
static NORETURN void give_up(const char *why)
{
	char text[256];
	int length = format(text, sizeof(text), "quire: %s\n", why);

	serial_write(text, MIN((size_t)length, sizeof(text) - 1));
	power_off(1);
}

static void idle_entry(void *argument)
{
	(void)argument;
	irq_disable();
	sched_idle_loop(thread_current());
}

/* Where another CPU arrives, on its idle thread's stack. */
static void other_cpu_entry(unsigned id)
{
	apic_timer_start();
	sched_idle_loop(idle_threads[id]);
}

static void monitor_entry(void *argument)
{
	(void)argument;
	monitor_run(&boot_info, &options);
}

/* An idle thread for each CPU there may be; the tops of their stacks. */
static void make_idle_threads(unsigned count, vaddr_t *stack_tops)
{
	for (unsigned id = 0; id < count; id++) {
		vaddr_t stack = stack_alloc();

		if (!stack)
			give_up("no memory for the CPUs' own threads");
		idle_threads[id] = thread_init(stack, "idle", NULL, NULL, idle_entry, NULL);
		stack_tops[id] = idle_threads[id]->stack_top & ~15ull;
	}
}

void kernel_main(uint32_t magic, uint32_t info_address)
{
	vaddr_t stack_tops[CPU_MAX];
	const char *error;
	unsigned wanted;

	serial_init();
	cpu_init(0, 0);
	event_init();
	lru_init();
	page_bytes_init();
	boot_info_read(&boot_info, magic, info_address);
	options_parse(&options, boot_info.command_line, boot_info.command_line_bytes);
	acpi_init(boot_info.rsdp); /* on the boot tables, which map all firmware below 4 GiB */
	error = boot_memory_init(&boot_info, options.swap_bytes);
	if (error)
		give_up(error);
	wanted = MIN(options.cpus, acpi_info.cpu_count);
	boot_memory_commit(wanted);
	apic_init_cpu();
	cpus[0].apic_id = apic_id();
	tlb_init();
	sched_init();
	fault_init();
	turn_init();
	make_idle_threads(wanted, stack_tops);
	process_init();
	signal_init();
	if (wanted > 1)
		(void)smp_start(wanted, tlb_kernel_root, stack_tops, other_cpu_entry);
	if (kernel_thread_start("console", monitor_entry, NULL))
		give_up("no memory for the console");
	apic_timer_start();
	sched_start(idle_threads[0]);
}
