/*
 * provoke.c: `provoke NAME`, a command of debug builds only: does one thing
 * that the kernel must answer with a panic. tests/boot/panic.t expects them.
 */
#ifdef DEBUG
#include "arch/x86_64/direct.h"
#include "arch/x86_64/trap.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/panic.h"
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "kernel/sched/semaphore.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

/* ---- Frames and slots ---------------------------------------------------------------- */

static void frame_twice(void)
{
	pfn_t pfn;

	irq_disable();
	pfn = frame_alloc(FRAME_KERNEL);
	frame_free(pfn);
	frame_free(pfn);
}

static void frame_in_state(enum frame_state state)
{
	pfn_t pfn = 0;

	while (frames[pfn].state != state)
		pfn++;
	irq_disable();
	frame_free(pfn);
}

static void frame_of_ramdisk(void)
{
	frame_in_state(FRAME_RAMDISK);
}

static void frame_reserved(void)
{
	frame_in_state(FRAME_RESERVED);
}

static void frame_beyond_ram(void)
{
	irq_disable();
	frame_free(frame_limit);
}

static void slot_twice(void)
{
	uint32_t slot;

	irq_disable();
	slot = swap_slot_alloc();
	swap_slot_free(slot);
	swap_slot_free(slot);
}

static void slot_beyond_swap(void)
{
	irq_disable();
	swap_slot_free(0x7fffffff);
}

/* ---- Page faults that are ours -------------------------------------------------------- */

static void null_in_the_kernel(void)
{
	test_store(8, 1);
}

static struct spinlock lock = SPINLOCK(TEST), inner = SPINLOCK(SWAP);

static void fault_with_a_lock(void)
{
	irq_disable();
	spin_lock(&lock);
	test_store(8, 1);
}

static void fault_with_interrupts_off(void)
{
	irq_disable();
	test_store(8, 1);
}

static void write_to_text(void)
{
	test_store((vaddr_t)test_store, 1);
}

static int reserved_bit_main(int argc, char **argv)
{
	vaddr_t page = (vaddr_t)vmap_malloc(self_vmap(), PAGE_SIZE);

	(void)argc, (void)argv;
	test_store(page, 1);
	test_entry(page)->bits |= 1ull << 51; /* an address beyond what any of QEMU's CPUs has */
	tlb_flush_local(page);
	return (int)test_load(page);
}

static int fault_inside_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	gate_enter();
	test_store(8, 1);
	gate_leave();
	return 0;
}

static void run_and_wait(test_main *main)
{
	struct process_end end;
	pid_t pid = process_spawn_function("provoke", main, 0, NULL, PROCESS_BACKGROUND);

	if (pid > 0 && process_wait(pid, &end) == 0)
		console_print("it ended: %s\n", fault_reason_name(end.killed));
}

static void reserved_bit(void)
{
	run_and_wait(reserved_bit_main);
}

static void fault_inside_a_service(void)
{
	run_and_wait(fault_inside_main);
}

/* ---- Locks, stacks, the rest ------------------------------------------------------------ */

static void lock_order(void)
{
	irq_disable();
	spin_lock(&inner);
	spin_lock(&lock);
}

static void lock_twice(void)
{
	irq_disable();
	spin_lock(&lock);
	spin_lock(&lock);
}

static void lock_not_held(void)
{
	irq_disable();
	inner.owner = THIS_CPU->id + 1;
	spin_unlock(&inner);
}

static __attribute__((noinline)) uint64_t recurse(uint64_t depth)
{
	volatile uint64_t space[32];

	space[depth % 32] = depth;
	return depth == UINT64_MAX ? 0 : recurse(depth + 1) + space[depth % 32];
}

static void stack_overflow(void)
{
	(void)recurse(0);
}

static void canary(void)
{
	struct semaphore never;

	thread_current()->canary = 0;
	if (semaphore_init(&never, 0) == 0 && semaphore_wait(&never) == 0)
		console_print("it went on\n");
}

static void bad_instruction(void)
{
	__asm__ volatile("ud2");
}

static void failed_assertion(void)
{
	ASSERT(frame_limit == 0);
}

#define PROVOCATION(function)       \
	{                           \
#function, function \
	}

static const struct {
	const char *name;
	void (*function)(void);
} provocations[] = {
	PROVOCATION(frame_twice),
	PROVOCATION(frame_of_ramdisk),
	PROVOCATION(frame_reserved),
	PROVOCATION(frame_beyond_ram),
	PROVOCATION(slot_twice),
	PROVOCATION(slot_beyond_swap),
	PROVOCATION(null_in_the_kernel),
	PROVOCATION(fault_with_a_lock),
	PROVOCATION(fault_with_interrupts_off),
	PROVOCATION(write_to_text),
	PROVOCATION(reserved_bit),
	PROVOCATION(fault_inside_a_service),
	PROVOCATION(lock_order),
	PROVOCATION(lock_twice),
	PROVOCATION(lock_not_held),
	PROVOCATION(stack_overflow),
	PROVOCATION(canary),
	PROVOCATION(bad_instruction),
	PROVOCATION(failed_assertion),
};

static int provoke_run(int argc, char **argv)
{
	for (unsigned i = 0; argc == 2 && i < ARRAY_SIZE(provocations); i++) {
		if (strcmp(provocations[i].name, argv[1]) != 0)
			continue;
		provocations[i].function();
		return command_fail(EINVAL, "%s was no panic", argv[1]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(provocations); i++)
		console_print("%s\n", provocations[i].name);
	return argc == 1 ? 0 : command_fail(ENOENT, "there is no '%s'", argv[1]);
}

COMMAND(82, provoke, .name = "provoke", .arguments = "[NAME]",
	.summary = "does what the kernel must answer with a panic (debug builds only)", .max = 1,
	.run = provoke_run);
#endif
