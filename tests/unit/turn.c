/*
 * turn.c: the turn (mm/turn.h), which a thread gives up as soon as its instruction has retired.
 */
#include "kernel/mm/turn.h"

#include "arch/x86_64/pte.h"
#include "arch/x86_64/trap.h"
#include "kernel/mm/reclaim.h"
#include "kernel/proc/program.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

static vaddr_t flag;

/* The load is the first instruction of the loop, where every tick finds it under TCG. */
static void waits_for_a_store(void *argument)
{
	(void)argument;
	__asm__ volatile("1: movq (%0), %%rax; testq %%rax, %%rax; je 1b"
			 :
			 : "r"(flag)
			 : "rax", "memory", "cc");
}

/* One instruction needs four pages at once, all the frames there are. */
static void moves_across(vaddr_t from, vaddr_t to)
{
	from += PAGE_SIZE - 4;
	to += PAGE_SIZE - 4;
	__asm__ volatile("movsq" : "+S"(from), "+D"(to) : : "memory");
}

static int stores_what_another_waits_for(int argc, char **argv)
{
	vaddr_t from = (vaddr_t)vmap_malloc(self_vmap(), 2 * (int)PAGE_SIZE);
	vaddr_t to = (vaddr_t)vmap_malloc(self_vmap(), 2 * (int)PAGE_SIZE);
	tid_t tid;

	(void)argc, (void)argv;
	flag = (vaddr_t)vmap_malloc(self_vmap(), PAGE_SIZE);
	if (!CHECK_ERROR(0, thread_start(waits_for_a_store, NULL, &tid)))
		return 1;
	/* The same load asks for its page again and again. */
	for (unsigned i = 0; i < 2 * WINDOW_PAGES; i++) {
		while (!pte_is_present(pte_read(test_entry(flag))))
			yield();
		test_evict_all();
	}
	while (!pte_is_present(pte_read(test_entry(flag))))
		yield();
	moves_across(from, to);
	*(volatile uint64_t *)flag = 1;
	CHECK_ERROR(0, thread_join(tid));
	return 0;
}

TEST(turn, a_loop_that_waits_for_others_does_not_keep_it)
{
	NEED_SLOTS(64);
	test_limit_set(RESIDENT_MIN);
	CHECK_EXITS(0, stores_what_another_waits_for);
	test_limit_restore();
}

/* Always by the same instruction, as in a loop. */
static NOINLINE void store(vaddr_t page)
{
	*(volatile uint8_t *)page = 1;
}

static int comes_back_to_pages(int argc, char **argv)
{
	vaddr_t pages = (vaddr_t)vmap_malloc(self_vmap(), (WINDOW_PAGES + 1) * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	thread_current()->turn_faults = UINT32_MAX; /* 0 once the turn is taken */
	for (unsigned i = 0; i <= WINDOW_PAGES; i++)
		for (unsigned again = 0; again < WINDOW_PAGES; again++) {
			store(pages + i * PAGE_SIZE);
			test_evict_all();
		}
	CHECK_EQUAL(UINT32_MAX, thread_current()->turn_faults);
	return 0;
}

TEST(turn, a_loop_that_comes_back_to_a_page_does_not_take_it)
{
	NEED_SLOTS(64);
	CHECK_EXITS(0, comes_back_to_pages);
}

static NOINLINE void store_other(vaddr_t page)
{
	*(volatile uint8_t *)page = 2;
}

static int comes_back_by_turns(int argc, char **argv)
{
	vaddr_t pages = (vaddr_t)vmap_malloc(self_vmap(), 2 * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	thread_current()->turn_faults = UINT32_MAX;
	for (unsigned i = 0; i < 3 * WINDOW_PAGES; i++) {
		store(pages);
		test_evict_all();
		store(pages);
		test_evict_all();
		store_other(pages + PAGE_SIZE); /* all before has retired */
		test_evict_all();
	}
	CHECK_EQUAL(UINT32_MAX, thread_current()->turn_faults);
	return 0;
}

TEST(turn, what_an_instruction_asked_for_is_forgotten_with_it)
{
	NEED_SLOTS(64);
	CHECK_EXITS(0, comes_back_by_turns);
}

/* An instruction that needs four pages faults so many times; does it take the turn? */
static bool takes_it(unsigned faults, bool retires)
{
	struct thread *thread = thread_current();
	struct trap_frame frame = {.rip = retires ? 1 : 2};
	bool taken = false;

	for (unsigned i = 0; i < faults && !taken; i++) {
		turn_fault(thread, &frame, (1 + i % WINDOW_PAGES) * PAGE_SIZE);
		taken = thread->turn;
		frame.rdi += retires;
	}
	turn_release(thread);
	return taken;
}

TEST(turn, an_instruction_that_does_not_retire_takes_it)
{
	CHECK(takes_it(4 * WINDOW_PAGES, false));
	CHECK(!takes_it(16 * WINDOW_PAGES, true));
}
