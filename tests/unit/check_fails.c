/*
 * check_fails.c: that check can fail: for each invariant one thing is broken
 * by hand while all is quiet, and check must name that invariant; mended, check
 * must be content again (damage.h).
 */
#include "arch/x86_64/layout.h"
#include "kernel/dev/ramdisk.h"
#include "kernel/mm/boot_memory.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/check_all.h"
#include "kernel/proc/program.h"
#include "lib/string.h"
#include "tests/unit/damage.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

#ifdef DEBUG
static const bool poison_is_on = true;
#else
static const bool poison_is_on = false;
#endif

/* ---- What is broken ---------------------------------------------------------------- */

/* A frame that is free, and stays so for now. */
static struct frame *free_frame(void)
{
	for (pfn_t pfn = frame_limit - 1; pfn > 0; pfn--)
		if (frames[pfn].state == FRAME_FREE)
			return &frames[pfn];
	return NULL;
}

static pfn_t frame_in_state(enum frame_state state)
{
	for (pfn_t pfn = 256; pfn < frame_limit; pfn++)
		if (frames[pfn].state == state)
			return pfn;
	return PFN_NONE;
}

static void free_frame_reserved(enum step step)
{
	static struct frame *frame;

	frame = step == BREAK ? free_frame() : frame;
	ASSERT(frame);
	SWAP_VALUE(frame->state, FRAME_RESERVED);
}

static void free_frame_kernel(enum step step)
{
	static struct frame *frame;

	frame = step == BREAK ? free_frame() : frame;
	ASSERT(frame);
	SWAP_VALUE(frame->state, FRAME_KERNEL);
}

static void kernel_frame_private(enum step step)
{
	static pfn_t pfn;

	pfn = step == BREAK ? frame_in_state(FRAME_KERNEL) : pfn;
	SWAP_VALUE(frames[pfn].state, FRAME_PRIVATE);
}

static void kernel_frame_free_too(enum step step)
{
	static pfn_t pfn;

	pfn = step == BREAK ? frame_in_state(FRAME_KERNEL) : pfn;
	SWAP_VALUE(frames[pfn].state, FRAME_FREE);
}

static void free_frame_written(enum step step)
{
	static struct frame *frame;

	frame = step == BREAK ? free_frame() : frame;
	ASSERT(frame);
	SWAP_VALUE(*(uint64_t *)pfn_to_direct(frame_pfn(frame)), 1);
}

static void another_owner(enum step step)
{
	SWAP_VALUE(patient_frame(0)->owner, (uint16_t)(patient.vmap->slot + 1));
}

static void another_address(enum step step)
{
	SWAP_VALUE(patient_frame(0)->page.address, patient.block + PAGE_SIZE);
}

static void entry_to(enum step step, pfn_t pfn)
{
	SWAP_VALUE(patient_entry(0)->bits, pte_make_present(pfn, 0).bits);
}

static void maps_another_pages_frame(enum step step)
{
	entry_to(step, pte_pfn(pte_read(patient_entry(1))));
}

static void maps_a_page_table(enum step step)
{
	entry_to(step, phys_to_pfn(patient.vmap->space.root));
}

static void maps_a_free_frame(enum step step)
{
	entry_to(step, frame_pfn(free_frame()));
}

static void maps_the_ramdisk(enum step step)
{
	entry_to(step, frame_in_state(FRAME_RAMDISK));
}

static void maps_no_ram(enum step step)
{
	entry_to(step, frame_limit + 7);
}

static void table_count(enum step step)
{
	SWAP_VALUE(patient.vmap->table_pages, patient.vmap->table_pages + 1);
}

static void table_owner(enum step step)
{
	SWAP_VALUE(vmap_table_of(patient_entry(0))->owner, (uint16_t)(patient.vmap->slot + 1));
}

static void kernel_half(enum step step)
{
	pte_t *root = direct_map(patient.vmap->space.root);

	SWAP_VALUE(root[300].bits, 0x123456000 | PTE_WRITABLE);
}

static void executable(enum step step)
{
	SWAP_VALUE(patient_entry(0)->bits, pte_read(patient_entry(0)).bits & ~PTE_NO_EXECUTE);
}

static void global(enum step step)
{
	SWAP_VALUE(patient_entry(0)->bits, pte_read(patient_entry(0)).bits | PTE_GLOBAL);
}

static void reserved_bit(enum step step)
{
	SWAP_VALUE(patient_entry(0)->bits, pte_read(patient_entry(0)).bits | 1ull << 52);
}

static void not_listed(enum step step)
{
	SWAP_VALUE(patient_frame(0)->flags, patient_frame(0)->flags & (uint8_t)~PAGE_LISTED);
}

/* The one of two pages, both on the policy's list, that has a neighbour there: */
static struct frame *with_next(void)
{
	return patient_frame(!page_younger(patient_frame(0)));
}

static struct frame *with_prev(void)
{
	return patient_frame(!page_older(patient_frame(0)));
}

static void link_forward(enum step step)
{
	static struct frame *frame;

	frame = step == BREAK ? with_next() : frame;
	ASSERT(frame);
	SWAP_VALUE(frame->page.next, 0);
}

static void link_backward(enum step step)
{
	static struct frame *frame;

	frame = step == BREAK ? with_prev() : frame;
	ASSERT(frame);
	SWAP_VALUE(frame->page.prev, frame_link(frame));
}

static void slot_without_holder(enum step step)
{
	static uint32_t slot;
	uint64_t flags = irq_save();

	if (step == BREAK)
		slot = swap_slot_alloc();
	else
		swap_slot_free(slot);
	irq_restore(flags);
}

static void slot_held_twice(enum step step)
{
	SWAP_VALUE(patient_entry(3)->bits, pte_read(patient_entry(2)).bits);
}

static void slot_out_of_range(enum step step)
{
	SWAP_VALUE(patient_entry(3)->bits, pte_make_swapped(swap_place(0xfffffff0, 1), 0).bits);
}

static void slot_not_in_use(enum step step)
{
	static uint32_t slot;
	uint64_t flags = irq_save();

	if (step == BREAK) {
		slot = swap_slot_alloc();
		swap_slot_free(slot);
	}
	irq_restore(flags);
	SWAP_VALUE(patient_entry(3)->bits,
		   pte_make_swapped(swap_place(slot, swap_slot_generation(slot)), 0).bits);
}

static void past_generation(enum step step)
{
	pte_t entry = pte_read(patient_entry(2));
	swap_place_t past = swap_place(pte_slot(entry), (uint16_t)(pte_generation(entry) - 1));

	SWAP_VALUE(patient_entry(2)->bits, pte_make_swapped(past, 0).bits);
}

static void clean_page_differs(enum step step)
{
	unsigned char *bytes = pfn_to_direct(frame_pfn(patient_frame(1)));

	SWAP_VALUE(bytes[17], (unsigned char)(bytes[17] + 1));
}

static void entry_without_block(enum step step)
{
	SWAP_VALUE(patient_entry(PATIENT_PAGES)->bits, pte_make_untouched(0).bits);
}

static void promised_page_lost(enum step step)
{
	SWAP_VALUE(patient_entry(3)->bits, 0);
}

static void live_block_is_free(enum step step)
{
	struct VMap *vmap = patient.vmap;
	vaddr_t at = patient.block - vmap->arenas[0].base;

	SWAP_VALUE(vmap->arenas[at >> ARENA_SHIFT].first_free, 1);
}

static void promised_to_nobody(enum step step)
{
	if (step == BREAK)
		CHECK_ERROR(0, commit_charge(1));
	else
		commit_uncharge(1);
}

static void kernel_charge(enum step step)
{
	if (step == BREAK)
		CHECK_ERROR(0, commit_kernel_charge(1));
	else
		commit_kernel_uncharge(1);
}

static void dead_slot_has_a_vmap(enum step step)
{
	SWAP_VALUE(vmap_by_slot[PROCESS_MAX], patient.vmap);
}

static void in_transit(enum step step)
{
	SWAP_VALUE(patient_entry(0)->bits, pte_make_transit(frame_pfn(patient_frame(0)), 0).bits);
}

static void table_lock_held(enum step step)
{
	SWAP_VALUE(vmap_table_of(patient_entry(0))->table.lock.owner, 1);
}

static void evictor_holds(enum step step)
{
	SWAP_VALUE(patient.vmap->evictor_refs, 1);
}

static void evicting(enum step step)
{
	SWAP_VALUE(patient_frame(0)->flags, patient_frame(0)->flags | PAGE_EVICTING);
}

static void vmap_mutex_held(enum step step)
{
	SWAP_VALUE(patient.vmap->mutex.owner, (uint64_t)thread_current());
}

static void blocked_on_no_queue(enum step step)
{
	SWAP_VALUE(patient.thread->waiting, NULL);
}

static void blocked_on_another_queue(enum step step)
{
	static struct wait_queue empty = WAIT_QUEUE(empty);

	SWAP_VALUE(patient.thread->waiting, &empty);
}

static void on_a_queue_but_not_blocked(enum step step)
{
	/* Else check would wait until it has left the gate. */
	SWAP_VALUE(patient.thread->gate_depth, 0);
	SWAP_VALUE(patient.thread->state, THREAD_NEW);
}

static void canary(enum step step)
{
	SWAP_VALUE(patient.thread->canary, 0);
}

static void guard_page(enum step step)
{
	vaddr_t guard = patient.thread->stack_base - PAGE_SIZE;
	pte_t *table = direct_map(tlb_kernel_root);

	for (int level = 4; level > 1; level--)
		table = direct_map(table[pte_index(guard, level)].bits & PTE_FRAME_MASK);
	SWAP_VALUE(table[pte_index(guard, 1)].bits, pte_make_present(300, 0).bits);
}

/* ---- check must tell ---------------------------------------------------------------- */

TEST(check, i1_each_frame_is_in_one_state)
{
	TRY(DAMAGE(1, free_frame_reserved), DAMAGE(1, kernel_frame_private));
}

TEST(check, i2_free_frames_agree)
{
	TRY(DAMAGE(2, free_frame_kernel), DAMAGE(2, kernel_frame_free_too));
}

TEST(check, i2_poison)
{
	if (!poison_is_on)
		SKIP("only debug builds poison free frames");
	TRY(DAMAGE(2, free_frame_written));
}

TEST(check, i3_a_frame_has_its_owner_and_address)
{
	TRY(DAMAGE(3, another_owner), DAMAGE(3, another_address),
	    DAMAGE(3, maps_another_pages_frame));
}

TEST(check, i4_only_pages_are_mapped)
{
	TRY(DAMAGE(4, maps_a_page_table), DAMAGE(4, maps_a_free_frame), DAMAGE(4, maps_the_ramdisk),
	    DAMAGE(4, maps_no_ram));
}

TEST(check, i5_page_tables_have_one_owner)
{
	TRY(DAMAGE(5, table_count), DAMAGE(5, table_owner), DAMAGE(5, kernel_half));
}

TEST(check, i6_bits_of_entries)
{
	TRY(DAMAGE(6, executable), DAMAGE(6, global), DAMAGE(6, reserved_bit));
}

TEST(check, i7_pages_are_listed_once)
{
	TRY(DAMAGE(7, not_listed), DAMAGE(7, link_forward), DAMAGE(7, link_backward));
}

TEST(check, i8_slots_are_held_once)
{
	TRY(DAMAGE(8, slot_without_holder), DAMAGE(8, slot_held_twice),
	    DAMAGE(8, slot_out_of_range), DAMAGE(8, slot_not_in_use), DAMAGE(8, past_generation));
}

TEST(check, i9_clean_pages_equal_their_slots)
{
	TRY(DAMAGE(9, clean_page_differs));
}

TEST(check, i10_entries_lie_in_blocks)
{
	TRY(DAMAGE(10, entry_without_block), DAMAGE(10, promised_page_lost),
	    DAMAGE(10, live_block_is_free));
}

TEST(check, i11_promises_add_up)
{
	TRY(DAMAGE(11, promised_to_nobody), DAMAGE(11, kernel_charge),
	    DAMAGE(11, dead_slot_has_a_vmap));
}

TEST(check, i12_nothing_is_half_done)
{
	TRY(DAMAGE(12, in_transit), DAMAGE(12, table_lock_held), DAMAGE(12, evictor_holds),
	    DAMAGE(12, evicting), DAMAGE(12, vmap_mutex_held));
}

TEST(check, i13_blocked_threads_are_on_a_queue)
{
	TRY(DAMAGE(13, blocked_on_no_queue), DAMAGE(13, blocked_on_another_queue),
	    DAMAGE(13, on_a_queue_but_not_blocked));
}

TEST(check, i14_stacks)
{
	TRY(DAMAGE(14, canary), DAMAGE(14, guard_page));
}
