/*
 * wrong.c: what a process should not do: wrong calls, each with the errno that
 * vmap.h documents and without any effect, and accesses that it is to die of,
 * alone.
 */
#include "arch/x86_64/layout.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "lib/string.h"
#include "tests/stress/stress.h"

/* ---- Wrong calls ------------------------------------------------------------------ */

static void error_must(const struct stress_thread *thread, int expected, int observed,
		       const char *call)
{
	if (observed != expected)
		stress_fail(thread, "%s: expected %s, observed %s", call, errno_name(expected),
			    observed ? errno_name(observed) : "no error");
}

static void malloc_must_fail(const struct stress_thread *thread, struct VMap *vmap, int size,
			     int expected, const char *call)
{
	void *data = vmap_malloc(vmap, size);

	error_must(thread, expected, data ? 0 : *vmap_errno(), call);
}

static void free_must_fail(const struct stress_thread *thread, struct VMap *vmap, vaddr_t address,
			   int expected, const char *call)
{
	vmap_free(vmap, (void *)address);
	error_must(thread, expected, *vmap_errno(), call);
}

/* Visited: a process that cannot end meanwhile. */
static void call_on_other(struct process *process, void *context)
{
	struct stress_thread *thread = context;
	struct VMap *vmap = &process->vmap;

	if (process == process_current())
		return;
	malloc_must_fail(thread, vmap, 64, EPERM, "malloc for another process");
	free_must_fail(thread, vmap, vmap->arenas[0].base, EPERM, "free in another process");
	error_must(thread, EPERM,
		   -vmap_copy_from_memory(vmap, thread->scratch, (void *)vmap->arenas[0].base, 8),
		   "copy from another process");
}

static void wrong_process(struct stress_thread *thread)
{
	unsigned index = (unsigned)random_below(&thread->random, STRESS_ACTORS);
	pid_t pid = __atomic_load_n(&stress.actors[index]->pid, __ATOMIC_RELAXED);

	gate_enter();
	if (process_with(pid, call_on_other, thread) != 0)
		yield(); /* it has just ended */
	gate_leave();
}

/* One byte past the block: nothing may be written, neither there nor here. */
static void wrong_range(struct stress_thread *thread, const struct stress_block *block)
{
	uint32_t size = stress_size(block->place);
	uint32_t count = (uint32_t)MIN(size, PAGE_SIZE - 1);
	vaddr_t mem = stress_address(block->place) + size - count;

	memset(thread->scratch, 0xa5, PAGE_SIZE);
	error_must(thread, EFAULT,
		   -vmap_copy_to_memory(self_vmap(), (void *)mem, thread->scratch, (int)count + 1),
		   "copy to one byte past a block");
	error_must(thread, EFAULT,
		   -vmap_copy_from_memory(self_vmap(), thread->scratch, (void *)mem,
					  (int)count + 1),
		   "copy from one byte past a block");
	for (uint32_t i = 0; i <= count; i++)
		if (thread->scratch[i] != 0xa5)
			stress_fail(thread,
				    "a copy that failed: expected nothing written, "
				    "observed 0x%02x",
				    thread->scratch[i]);
	(void)stress_copy_verify(thread, block, size - count, (const uint8_t *)mem, count,
				 "load after a copy that failed");
}

void stress_wrong_call(struct stress_thread *thread, struct stress_block *block)
{
	struct VMap *vmap = self_vmap();
	vaddr_t address = stress_address(block->place);

	switch (random_below(&thread->random, 12)) {
	case 0:
		malloc_must_fail(thread, vmap, 0, EINVAL, "malloc of 0 bytes");
		break;
	case 1:
		malloc_must_fail(thread, vmap, -1 - (int)random_below(&thread->random, INT32_MAX),
				 EINVAL, "malloc of a negative size");
		break;
	case 2:
		malloc_must_fail(thread, vmap, INT32_MAX, ENOMEM, "malloc of 2 GiB");
		break;
	case 3:
		malloc_must_fail(thread, NULL, 1, EINVAL, "malloc without a VMap");
		break;
	case 4: /* a block is aligned to 16 bytes at least */
		free_must_fail(thread, vmap, address + 8, EINVAL, "free inside a block");
		break;
	case 5:
		free_must_fail(thread, vmap, vmap->arenas[ARENA_COUNT - 1].base, EINVAL,
			       "free of what was never allocated");
		break;
	case 6:
		free_must_fail(thread, vmap, (vaddr_t)thread->scratch, EPERM,
			       "free of a kernel address");
		break;
	case 7:
		error_must(thread, EINVAL,
			   -vmap_copy_to_memory(vmap, (void *)address, thread->scratch, -1),
			   "copy of a negative size");
		break;
	case 8:
		error_must(thread, EFAULT, -vmap_copy_to_memory(vmap, NULL, thread->scratch, 1),
			   "copy to NULL");
		break;
	case 9:
		error_must(thread, EFAULT,
			   -vmap_copy_from_memory(vmap, (void *)PROCESS_END, (void *)address, 1),
			   "copy to an address that is not canonical");
		break;
	case 10:
		wrong_process(thread);
		break;
	default:
		wrong_range(thread, block);
		break;
	}
}

/* ---- Bad accesses ------------------------------------------------------------------- */

/* Functions of their own, so that a report names them; and nothing is known of the address. */
static NOINLINE void stress_load(vaddr_t address)
{
	__asm__("" : "+r"(address));
	(void)*(const volatile uint8_t *)address;
}

static NOINLINE void stress_store(vaddr_t address)
{
	*(volatile uint8_t *)address = 0;
}

static NOINLINE void stress_jump(vaddr_t address)
{
	((void (*)(void))address)();
}

static void load_null(const struct stress_thread *thread)
{
	(void)thread;
	stress_load(0);
}

static void load_of_another(const struct stress_thread *thread)
{
	unsigned slot = self_vmap()->slot;

	(void)thread;
	stress_load((vaddr_t)(slot < PROCESS_MAX ? slot + 1 : slot - 1) << SLICE_SHIFT);
}

static void store_beyond_arena(const struct stress_thread *thread)
{
	(void)thread;
	stress_store(self_vmap()->arenas[ARENA_COUNT - 1].base);
}

static void store_to_text(const struct stress_thread *thread)
{
	(void)thread;
	stress_store((vaddr_t)stress_load);
}

static void jump_to_data(const struct stress_thread *thread)
{
	uint8_t *block = vmap_malloc(self_vmap(), PAGE_SIZE);

	if (!block) /* the kernel's data is as good */
		block = thread->scratch;
	*(volatile uint8_t *)block = 0xc3; /* ret: it would survive */
	stress_jump((vaddr_t)block);
}

static void load_freed(const struct stress_thread *thread)
{
	uint8_t *block = vmap_malloc(self_vmap(), PAGE_SIZE);

	if (!block || thread->actor->thread_count > 1) { /* another thread may get it next */
		stress_load(0);
		return;
	}
	*(volatile uint8_t *)block = 1;
	vmap_free(self_vmap(), block);
	stress_load((vaddr_t)block);
}

static void invalid_instruction(const struct stress_thread *thread)
{
	(void)thread;
	__asm__ volatile("ud2");
}

static void load_not_canonical(const struct stress_thread *thread)
{
	(void)thread;
	stress_load(PROCESS_END);
}

static void overflow_stack(const struct stress_thread *thread)
{
	(void)thread;
	stress_store(thread_current()->stack_base - 1);
}

static const struct {
	void (*access)(const struct stress_thread *thread);
	enum fault_reason reason;
} dooms[] = {
	{load_null, FAULT_BAD_ADDRESS},          {load_of_another, FAULT_BAD_ADDRESS},
	{store_beyond_arena, FAULT_BAD_ADDRESS}, {store_to_text, FAULT_FORBIDDEN},
	{jump_to_data, FAULT_FORBIDDEN},         {load_freed, FAULT_BAD_ADDRESS},
	{invalid_instruction, FAULT_TRAP},       {load_not_canonical, FAULT_TRAP},
	{overflow_stack, FAULT_STACK},
};

unsigned stress_doom_kinds(void)
{
	return ARRAY_SIZE(dooms);
}

enum fault_reason stress_doom_reason(unsigned kind)
{
	return dooms[kind].reason;
}

void stress_doom_access(struct stress_thread *thread)
{
	unsigned kind = thread->actor->doom_kind;

	dooms[kind].access(thread);
	stress_fail(thread, "bad access of kind %u: expected %s, observed that it went on", kind,
		    fault_reason_name(dooms[kind].reason));
}
