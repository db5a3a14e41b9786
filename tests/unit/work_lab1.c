/*
 * work_lab1.c: the thread lab ("Making memory management thread safe"), rule
 * by rule and tip by tip. Each test is named after the one it shows to hold.
 */
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "lib/format.h"
#include "lib/string.h"
#include "tests/unit/work.h"

#define ACTORS 3u
#define ACTOR_PAGES 40u

/* A process that holds a block until it is told to end; the kernel's memory. */
struct actor {
	pid_t pid;
	uint8_t *block;
	uint32_t ready; /* atomic */
	uint32_t leave; /* atomic */
};

static struct actor actors[ACTORS];

static void yield_until(const uint32_t *flag)
{
	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
		yield();
}

static int actor_main(int argc, char **argv)
{
	struct actor *actor = &actors[work_number(argc, argv)];

	actor->block = work_malloc(ACTOR_PAGES * PAGE_SIZE);
	if (actor->block)
		for (unsigned i = 0; i < ACTOR_PAGES; i++)
			memset(actor->block + i * PAGE_SIZE, 'a' + self_pid() % 26, PAGE_SIZE);
	__atomic_store_n(&actor->ready, 1, __ATOMIC_RELEASE);
	yield_until(&actor->leave);
	if (!actor->block)
		return 1;
	/* Whatever others tried meanwhile, the bytes are its own. */
	CHECK_EQUAL(0, work_bytes_other_than((uint8_t)('a' + self_pid() % 26), actor->block,
					     ACTOR_PAGES * PAGE_SIZE));
	work_free(actor->block);
	return 0;
}

static void actors_start(void)
{
	for (unsigned i = 0; i < ACTORS; i++) {
		char number[] = {(char)('0' + i), '\0'};
		char *argv[] = {number};

		memset(&actors[i], 0, sizeof(actors[i]));
		actors[i].pid = SPAWN(actor_main, 1, argv);
	}
	for (unsigned i = 0; i < ACTORS; i++)
		while (!__atomic_load_n(&actors[i].ready, __ATOMIC_ACQUIRE))
			thread_yield();
}

static void actors_end(void)
{
	for (unsigned i = 0; i < ACTORS; i++)
		__atomic_store_n(&actors[i].leave, 1, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < ACTORS; i++)
		CHECK_ENDED(FAULT_OK, 0, actors[i].pid);
}

/* ---- Rule 1: each page has one owner ------------------------------------------------ */

/* What the entry and the descriptor say of a page, at one moment. */
struct page_view {
	bool resident;
	pfn_t pfn;
	uint8_t state;
	uint16_t owner;
	vaddr_t address;
};

static struct page_view page_view(const struct VMap *vmap, vaddr_t page)
{
	const pte_t *entry = vmap_entry(vmap, page);
	struct frame *table = vmap_table_of(entry);
	struct page_view view = {.resident = false};
	uint64_t flags = spin_lock_irq(&table->table.lock);
	pte_t seen = pte_read(entry);

	if (pte_has_frame(seen)) {
		const struct frame *frame = &frames[pte_pfn(seen)];

		view = (struct page_view){true, pte_pfn(seen), frame->state, frame->owner,
					  frame->page.address};
	}
	spin_unlock_irq(&table->table.lock, flags);
	return view;
}

static struct {
	unsigned count;
	pfn_t pfns[ACTORS * ACTOR_PAGES];
} resident;

static void look_at_owner(struct process *process, void *context)
{
	const struct actor *actor = context;

	for (unsigned i = 0; i < ACTOR_PAGES; i++) {
		vaddr_t page = (vaddr_t)actor->block + i * PAGE_SIZE;
		struct page_view view = page_view(&process->vmap, page);

		if (!view.resident)
			continue;
		CHECK_EQUAL(FRAME_PRIVATE, view.state);
		CHECK_EQUAL(process->vmap.slot, view.owner);
		CHECK_EQUAL(page, view.address);
		resident.pfns[resident.count++] = view.pfn;
	}
}

TEST(lab1, rule1_each_page_has_one_owner)
{
	uint64_t doubles = 0;

	resident.count = 0;
	actors_start();
	for (unsigned i = 0; i < ACTORS; i++)
		CHECK_ERROR(0, process_with(actors[i].pid, look_at_owner, &actors[i]));
	for (unsigned i = 0; i < resident.count; i++)
		for (unsigned j = 0; j < i; j++)
			doubles += resident.pfns[i] == resident.pfns[j];
	CHECK(resident.count > 0);
	CHECK_EQUAL(0, doubles);
	actors_end();
}

/* ---- Rule 2: an address is valid in one process only ------------------------------- */

static int reads_stranger(int argc, char **argv)
{
	(void)argc, (void)argv;
	(void)test_load((vaddr_t)actors[0].block);
	return 0;
}

static int writes_stranger(int argc, char **argv)
{
	(void)argc, (void)argv;
	test_store((vaddr_t)actors[0].block, 1);
	return 0;
}

static int copies_stranger(int argc, char **argv)
{
	uint64_t word = 0;

	(void)argc, (void)argv;
	CHECK_ERROR(EFAULT, vmap_copy_from_memory(self_vmap(), &word, actors[0].block, 8));
	CHECK_ERROR(EFAULT, vmap_copy_to_memory(self_vmap(), actors[0].block, &word, 8));
	vmap_free(self_vmap(), actors[0].block);
	CHECK_ERRNO(EPERM);
	return 0;
}

TEST(lab1, rule2_addresses_are_valid_in_one_process)
{
	char sentence[64];

	actors_start();
	(void)format(sentence, sizeof(sentence), "in the slice of pid %d", actors[0].pid);
	CHECK_DIES(FAULT_BAD_ADDRESS, reads_stranger);
	CHECK(strstr(test_report(), sentence));
	CHECK_DIES(FAULT_BAD_ADDRESS, writes_stranger);
	CHECK(strstr(test_report(), sentence));
	CHECK_EXITS(0, copies_stranger);
	actors_end();
}

/* ---- Rule 3: threads are never handed the same memory ------------------------------- */

#define RULE3_THREADS 4u
#define RULE3_BLOCKS 24u
#define RULE3_ROUNDS 300u

struct span {
	uint64_t *words;
	uint64_t count;
	uint64_t stamp;
};

static void span_fill(struct span *span, struct random *random)
{
	/* From a word to three pages: several threads' blocks share pages. */
	span->count = 1 + random_below(random, random_below(random, 8) ? 40 : 3 * PAGE_SIZE / 8);
	span->stamp = random_next(random);
	span->words = work_malloc(span->count * 8);
	for (uint64_t i = 0; span->words && i < span->count; i++)
		span->words[i] = span->stamp + i;
}

static void span_verify(struct span *span)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < span->count; i++)
		wrong += span->words[i] != span->stamp + i;
	CHECK_EQUAL(0, wrong);
	work_free(span->words);
	span->words = NULL;
}

static void rule3_thread(void *number)
{
	struct span spans[RULE3_BLOCKS] = {{NULL, 0, 0}};
	struct random random;

	random_seed_mixed(&random, 1000 + (uint64_t)number);
	for (unsigned i = 0; i < RULE3_ROUNDS; i++) {
		struct span *span = &spans[random_below(&random, RULE3_BLOCKS)];

		if (span->words)
			span_verify(span);
		else
			span_fill(span, &random);
	}
	for (unsigned i = 0; i < RULE3_BLOCKS; i++)
		if (spans[i].words)
			span_verify(&spans[i]);
}

PROCESS_TEST(lab1, rule3_threads_never_get_the_same_memory)
{
	work_threads(RULE3_THREADS, rule3_thread);
}

/* ---- Tip 1: physical memory knows frames only --------------------------------------- */

#define TIP1_FRAMES 200u

TEST(lab1, tip1_physical_memory_knows_no_process)
{
	static pfn_t pfns[TIP1_FRAMES];
	uint64_t before = frame_free_count();
	uint64_t doubles = 0;

	for (unsigned i = 0; i < TIP1_FRAMES; i++) {
		uint64_t flags = irq_save();

		pfns[i] = frame_alloc(FRAME_KERNEL);
		irq_restore(flags);
		if (!CHECK(pfns[i] != PFN_NONE))
			return;
		for (unsigned j = 0; j < i; j++)
			doubles += pfns[j] == pfns[i];
	}
	CHECK_EQUAL(0, doubles);
	CHECK_EQUAL(before - TIP1_FRAMES, frame_free_count());
	for (unsigned i = 0; i < TIP1_FRAMES; i++) {
		uint64_t flags = irq_save();

		frame_free(pfns[i]);
		irq_restore(flags);
	}
	CHECK_EQUAL(before, frame_free_count());
}

/* ---- Tip 2: a thread is known by its PID; a wrong VMap is an error ------------------- */

static void call_on_stranger(struct process *process, void *context)
{
	struct VMap *vmap = &process->vmap;
	uint64_t word = 0;

	(void)context;
	CHECK(!vmap_malloc(vmap, 100));
	CHECK_ERRNO(EPERM);
	vmap_free(vmap, actors[0].block);
	CHECK_ERRNO(EPERM);
	CHECK_ERROR(EPERM, vmap_copy_to_memory(vmap, actors[0].block, &word, 8));
	CHECK_ERROR(EPERM, vmap_copy_from_memory(vmap, &word, actors[0].block, 8));
	CHECK_EQUAL(0, word);
}

static int calls_on_stranger(int argc, char **argv)
{
	(void)argc, (void)argv;
	gate_enter();
	CHECK_ERROR(0, process_with(actors[0].pid, call_on_stranger, NULL));
	gate_leave();
	return 0;
}

TEST(lab1, tip2_another_process_s_map_is_an_error)
{
	actors_start();
	CHECK_EXITS(0, calls_on_stranger);
	actors_end();
}

/* ---- Tip 3: a mutex guards each map -------------------------------------------------- */

#define TIP3_YIELDS 200u

static uint32_t tip3_ready, tip3_go, tip3_done; /* atomic */

static int tip3_main(int argc, char **argv)
{
	void *block;

	(void)argc, (void)argv;
	__atomic_store_n(&tip3_ready, 1, __ATOMIC_RELEASE);
	yield_until(&tip3_go);
	block = work_malloc(100);
	__atomic_store_n(&tip3_done, 1, __ATOMIC_RELEASE);
	work_free(block);
	return 0;
}

/* While another thread holds the mutex, vmap_malloc waits; it goes on when it is free. */
static void hold_mutex(struct process *process, void *context)
{
	(void)context;
	mutex_lock(&process->vmap.mutex);
	__atomic_store_n(&tip3_go, 1, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < TIP3_YIELDS; i++)
		thread_yield();
	CHECK_EQUAL(0, __atomic_load_n(&tip3_done, __ATOMIC_ACQUIRE));
	mutex_unlock(&process->vmap.mutex);
}

TEST(lab1, tip3_a_mutex_guards_each_map)
{
	pid_t pid;

	tip3_ready = 0;
	tip3_go = 0;
	tip3_done = 0;
	pid = SPAWN(tip3_main, 0, NULL);
	while (pid && !__atomic_load_n(&tip3_ready, __ATOMIC_ACQUIRE))
		thread_yield();
	CHECK_ERROR(0, process_with(pid, hold_mutex, NULL));
	CHECK_ENDED(FAULT_OK, 0, pid);
	CHECK_EQUAL(1, tip3_done);
}

/* ---- Tip 4: swap is shared, and protected ---------------------------------------------- */

#define TIP4_THREADS 4u
#define TIP4_SLOTS 48u
#define TIP4_ROUNDS 30u

static uint32_t tip4_slots[TIP4_THREADS][TIP4_SLOTS];
static uint32_t tip4_arrived; /* atomic: threads that came to a barrier, all rounds together */

static void tip4_barrier(unsigned number_of_barrier)
{
	__atomic_add_fetch(&tip4_arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&tip4_arrived, __ATOMIC_ACQUIRE) < number_of_barrier * TIP4_THREADS)
		yield();
}

static uint64_t tip4_doubles(void)
{
	const uint32_t *slots = tip4_slots[0];
	uint64_t doubles = 0;

	for (unsigned i = 0; i < TIP4_THREADS * TIP4_SLOTS; i++)
		for (unsigned j = 0; j < i; j++)
			doubles += slots[i] == slots[j];
	return doubles;
}

static void tip4_thread(void *argument)
{
	uint64_t number = (uint64_t)argument;

	for (unsigned round = 0; round < TIP4_ROUNDS; round++) {
		uint64_t flags = 0;

		for (unsigned i = 0; i < TIP4_SLOTS; i++) {
			flags = irq_save();
			tip4_slots[number][i] = swap_slot_alloc();
			irq_restore(flags);
			CHECK(tip4_slots[number][i] != SLOT_NONE);
		}
		tip4_barrier(2 * round + 1);
		if (number == 0)
			CHECK_EQUAL(0, tip4_doubles());
		tip4_barrier(2 * round + 2);
		for (unsigned i = 0; i < TIP4_SLOTS; i++) {
			flags = irq_save();
			swap_slot_free(tip4_slots[number][i]);
			irq_restore(flags);
		}
	}
}

PROCESS_TEST(lab1, tip4_no_slot_is_given_twice)
{
	struct swap_counts counts = swap_read_counts();

	if (counts.slots - counts.used < 2 * TIP4_THREADS * TIP4_SLOTS)
		SKIP("there are too few slots");
	tip4_arrived = 0;
	work_threads(TIP4_THREADS, tip4_thread);
}

#define TIP4_PROCESSES 4u
#define TIP4_PAGES 64u

static uint64_t tip4_word(uint64_t seed, unsigned round, unsigned page)
{
	return splitmix64_mix(seed << 32 | round << 8 | page);
}

static int tip4_swaps(int argc, char **argv)
{
	uint64_t seed = work_number(argc, argv) + 1;
	uint64_t *words = work_malloc((uint64_t)TIP4_PAGES * PAGE_SIZE);
	uint64_t wrong = 0;

	if (!words)
		return 1;
	for (unsigned round = 0; round < 8; round++)
		for (unsigned page = 0; page < TIP4_PAGES; page++) {
			uint64_t *word = &words[page * (PAGE_SIZE / 8) + page];

			wrong += *word != (round ? tip4_word(seed, round - 1, page) : 0);
			*word = tip4_word(seed, round, page);
		}
	CHECK_EQUAL(0, wrong);
	work_free(words);
	return 0;
}

static void tip4(void)
{
	WORK_PROCESSES(TIP4_PROCESSES, tip4_swaps);
}

TEST(lab1, tip4_processes_share_swap)
{
	work_at_limits(TIP4_PROCESSES * TIP4_PAGES, tip4);
}
