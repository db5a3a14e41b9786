/*
 * bench_system.c: context-switch, between two threads of the kernel that yield
 * to each other; boot, from the kernel's first instruction to the first prompt
 * (firmware and loader before it are not quire's); two-locked, two locked
 * instructions, by which one sees that they are counted.
 */
#include "arch/x86_64/cpu.h"
#include "kernel/monitor/console.h"
#include "kernel/proc/process.h"
#include "tests/bench/bench.h"

#define YIELDS 5000u

extern uint64_t boot_tsc; /* boot.S: the counter at the first instruction */

static uint32_t other_leaves, other_left; /* atomic */

static void other_thread(void *argument)
{
	(void)argument;
	while (!__atomic_load_n(&other_leaves, __ATOMIC_ACQUIRE))
		thread_yield();
	__atomic_store_n(&other_left, 1, __ATOMIC_RELEASE);
}

BENCH(context_switch, "context-switch")
{
	struct bench_run run;

	if (cpu_count > 1) {
		bench_say("context-switch", "on more than one CPU the two run side by side");
		return;
	}
	other_leaves = 0;
	other_left = 0;
	if (kernel_thread_start("bench", other_thread, NULL)) {
		bench_say("context-switch", "no memory for a thread");
		return;
	}
	thread_yield();
	bench_start(&run);
	for (unsigned i = 0; i < YIELDS; i++)
		thread_yield();
	bench_stop(&run, 0);
	run.operations = run.counters[COUNTER_CONTEXT_SWITCH];
	__atomic_store_n(&other_leaves, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&other_left, __ATOMIC_ACQUIRE))
		thread_yield();
	bench_print(&run, "context-switch", 2 * bench_loop_cost(YIELDS));
}

BENCH(boot, "boot")
{
	bench_print_value("boot", console_first_prompt_tsc - boot_tsc);
}

BENCH(two_locked, "two-locked")
{
	uint64_t word = 0, other = 0;
	struct bench_run run;

	bench_start(&run);
	for (unsigned i = 0; i < YIELDS; i++)
		__asm__ volatile("lock incq %0\n\txchgq %1, %0"
				 : "+m"(word), "+r"(other)
				 :
				 : "memory");
	bench_stop(&run, YIELDS);
	bench_print(&run, "two-locked", bench_loop_cost(YIELDS));
}
