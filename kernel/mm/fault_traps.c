/*
 * fault_traps.c: the exceptions that are not page faults, and the names of
 * what can go wrong.
 *
 * A double fault arrives on a stack of its own. If the thread had run into the
 * guard page below its stack, its process ends: the handler arranges for the
 * thread to go on, on its stack made empty, in a function that ends it.
 */
#include "arch/x86_64/trap.h"
#include "kernel/mm/exact.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/fault_internal.h"
#include "kernel/mm/stack.h"
#include "kernel/mm/vmap.h"
#include "kernel/panic.h"

const char *fault_reason_name(enum fault_reason reason)
{
	static const char *const names[] = {
		[FAULT_OK] = "ok",
		[FAULT_BAD_ADDRESS] = "bad-address",
		[FAULT_FORBIDDEN] = "protection",
		[FAULT_SWAP_LOST] = "swap-lost",
		[FAULT_STACK] = "stack",
		[FAULT_KILLED] = "killed",
		[FAULT_TRAP] = "protection",
	};

	return reason < ARRAY_SIZE(names) ? names[reason] : "?";
}

void fault_reserved_bit(const struct trap_frame *frame, vaddr_t address)
{
	const struct VMap *vmap = vmap_current();
	const pte_t *entry = vmap ? vmap_entry(vmap, address) : NULL;

	panic_trap(frame, "a reserved bit is set in the page-table entry %016lx of %p",
		   entry ? entry->bits : 0, (void *)address);
}

/* Where the interrupted registers are kept while the thread goes on in die_of_stack(). */
static struct trap_frame overflow_frames[CPU_MAX];

/* Runs on the thread's own stack, made empty. */
static void die_of_stack(const struct trap_frame *frame, vaddr_t address)
{
	fault_fatal_hook(frame, address, FAULT_STACK, "the guard page below its stack was reached");
	panic("a thread survived its stack overflow");
}

static void handle_double_fault(struct trap_frame *frame)
{
	struct thread *thread = thread_current();
	vaddr_t address = cpu_fault_address();
	struct trap_frame *copy = &overflow_frames[THIS_CPU->id];

	if (!thread->process || thread->gate_depth || lock_debug_count() ||
	    !stack_is_guard(thread->stack_base, address))
		panic_trap(frame, "double fault, last page fault at %p", (void *)address);
	*copy = *frame;
	frame->rip = (uint64_t)die_of_stack;
	frame->rsp = (thread->stack_top & ~15ull) - 8;
	frame->rdi = (uint64_t)copy;
	frame->rsi = address;
	frame->rbp = 0;
	frame->rflags &= ~(RFLAGS_IF | RFLAGS_TF);
}

/* Division by zero, invalid instruction, general protection, ...: the process ends. */
static void handle_exception(struct trap_frame *frame)
{
	struct thread *thread = thread_current();

	if (!thread->process || thread->gate_depth || !(frame->rflags & RFLAGS_IF))
		panic_trap(frame, "%s in the kernel", trap_name((unsigned)frame->vector));
	fault_fatal_hook(frame, 0, FAULT_TRAP, trap_name((unsigned)frame->vector));
}

void fault_init(void)
{
	static const unsigned char program_traps[] = {
		TRAP_DIVIDE, 4,  5,  TRAP_INVALID_OPCODE, 7,
		9,           10, 11, TRAP_STACK_SEGMENT,  TRAP_GENERAL_PROTECTION,
		16,          17, 19};

	for (unsigned i = 0; i < ARRAY_SIZE(program_traps); i++)
		trap_set_handler(program_traps[i], handle_exception);
	trap_set_first(fault_handle);
	trap_set_handler(TRAP_PAGE_FAULT, fault_handle_fatal);
	trap_set_handler(TRAP_DOUBLE_FAULT, handle_double_fault);
	exact_init();
}
