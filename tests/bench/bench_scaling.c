/*
 * bench_scaling.c: what two CPUs do in the time of one.
 *
 * scaling-control                the machine's own limit: see below
 * scaling-processes              first touches of two processes on two CPUs
 * scaling-threads                the same of two threads of one process
 * scaling-neighbours-...         these three where an exception maps 16 pages
 * scaling-blocks-processes, -threads
 *                                a vmap_malloc() of 16 pages, a store to each, a
 *                                vmap_free(), again and again
 *
 * The figure is 2 * (time of one alone) / (time of both at once): 2 where
 * neither hinders the other. QEMU takes a lock of its own for each exception of
 * its guest, so 2 is not to be had, and the control says what is: as many page
 * faults, each of which zeroes a page, served by a handler that shares nothing
 * between CPUs. It takes the next frame of the thread's own chain and writes
 * the entry of the process's own table (or does so for 16): no lock, no list, no
 * counter.
 * Each ratio is the median of the rounds; .of-control is its part of the
 * control's. Beside them stands how many acquisitions of a lock had to wait
 * while both ran, all rounds together.
 *
 * Both begin together and end together: a barrier before, so that each has a
 * CPU, and one behind, so that nobody frees while the other is timed.
 */
#include "arch/x86_64/page_bytes.h"
#include "arch/x86_64/trap.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/reclaim.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "lib/string.h"
#include "tests/bench/bench.h"

#define RUNNERS 2u
#define ROUNDS 31u
/* Long enough that the moment at which one of both runs already does not count; few enough that
 * both and the control's frames fit 128 MiB. */
#define PAGES_MAX 4096u
#define BLOCK_PAGES 16u
#define BLOCK_ROUNDS 1024u

/* One that touches pages. On a cache line of its own. */
struct runner {
	const struct thread *thread; /* whose faults the control serves */
	struct VMap *vmap;
	vaddr_t begin;
	void *chain; /* frames of the control, each with the address of the next in it */
	uint64_t started, ended;
} __attribute__((aligned(64)));

static struct runner runners[RUNNERS];

/* One measurement. */
static struct {
	unsigned parties;                /* how many run at once */
	unsigned ready, go, ended, done; /* atomic: who has come so far */
	uint64_t pages;                  /* of each */
	const struct variant *variant;
	uint64_t contended[LOCK_CLASS_COUNT]; /* at the first barrier, then between the two */
} race;

/* What runs on the CPUs. */
static const struct variant {
	const char *name;
	unsigned neighbours; /* pages that an exception maps */
	unsigned control;    /* the variant that this one is judged by; itself: it is one */
	bool threads, blocks;
} variants[] = {
	{.name = "scaling-control", .neighbours = 1, .control = 0},
	{.name = "scaling-processes", .neighbours = 1, .control = 0},
	{.name = "scaling-threads", .neighbours = 1, .control = 0, .threads = true},
	{.name = "scaling-neighbours-control", .neighbours = NEIGHBOURS_MAX, .control = 3},
	{.name = "scaling-neighbours-processes", .neighbours = NEIGHBOURS_MAX, .control = 3},
	{.name = "scaling-neighbours-threads",
	 .neighbours = NEIGHBOURS_MAX,
	 .control = 3,
	 .threads = true},
	{.name = "scaling-blocks-processes",
	 .neighbours = NEIGHBOURS_MAX,
	 .control = 3,
	 .blocks = true},
	{.name = "scaling-blocks-threads",
	 .neighbours = NEIGHBOURS_MAX,
	 .control = 3,
	 .threads = true,
	 .blocks = true},
};

#define VARIANTS ARRAY_SIZE(variants)

/* What was measured of each variant. */
static struct figures {
	uint64_t ratios[ROUNDS]; /* in thousandths */
	uint64_t contended[LOCK_CLASS_COUNT];
} figures[VARIANTS];

static bool is_control(const struct variant *variant)
{
	return variant == &variants[variant->control];
}

/* ---- The control ----------------------------------------------------------------- */

static bool control_fault(struct trap_frame *frame)
{
	vaddr_t page = cpu_fault_address() & PAGE_MASK;
	struct runner *runner = &runners[runners[0].thread != thread_current()];
	uint64_t index = (page - runner->begin) / PAGE_SIZE;
	pte_t *entry;

	if (UNLIKELY(page - runner->begin >= race.pages * PAGE_SIZE))
		return fault_handle(frame);
	/* The block is aligned to more than so many pages, so they are in one table. */
	entry = vmap_entry(runner->vmap, page);
	for (unsigned i = 0; i < race.variant->neighbours && index + i < race.pages; i++) {
		void *to = runner->chain;

		runner->chain = *(void **)to;
		page_zero(to);
		pte_write(&entry[i], pte_make_present(direct_to_pfn(to), 0));
	}
	return true;
}

/* Frames for all pages of the runner; false if there are too few. */
static bool chain_make(struct runner *runner)
{
	runner->chain = NULL;
	for (uint64_t i = 0; i < race.pages; i++) {
		void **page = kernel_page_alloc();

		if (!page)
			return false;
		*page = runner->chain;
		runner->chain = page;
	}
	return true;
}

/* The entries are as before the faults; the frames, and those that were not used, are freed. */
static void chain_free(struct runner *runner)
{
	for (uint64_t i = 0; i < race.pages; i++) {
		pte_t *entry = vmap_entry(runner->vmap, runner->begin + i * PAGE_SIZE);
		pte_t old = pte_read(entry);

		if (pte_is_present(old)) {
			void **page = pfn_to_direct(pte_pfn(old));

			(void)pte_exchange(entry, pte_make_untouched(0));
			*page = runner->chain;
			runner->chain = page;
		}
	}
	tlb_shootdown(tlb_all_cpus(), NULL, TLB_FLUSH_ALL + 1);
	while (runner->chain) {
		void *page = runner->chain;

		runner->chain = *(void **)page;
		kernel_page_free(page);
	}
}

/* ---- The race --------------------------------------------------------------------- */

/* True for the last one to come. */
static bool is_last(unsigned *arrived)
{
	return __atomic_add_fetch(arrived, 1, __ATOMIC_SEQ_CST) == race.parties;
}

static void barrier_wait(unsigned *arrived)
{
	(void)is_last(arrived);
	while (__atomic_load_n(arrived, __ATOMIC_SEQ_CST) < race.parties)
		cpu_relax();
}

static void touch(vaddr_t begin, uint64_t pages)
{
	for (uint64_t page = 0; page < pages; page++)
		((volatile uint8_t *)begin)[page * PAGE_SIZE] = 1;
}

static void blocks_come_and_go(void)
{
	for (unsigned i = 0; i < BLOCK_ROUNDS; i++) {
		void *block = vmap_malloc(self_vmap(), (int)(BLOCK_PAGES * PAGE_SIZE));

		if (block)
			touch((vaddr_t)block, BLOCK_PAGES);
		vmap_free(self_vmap(), block);
	}
}

/* Does the runner's part; `ok` false: it only comes to the barriers. */
static void run(struct runner *runner, bool ok)
{
	runner->thread = thread_current();
	if (is_last(&race.ready))
		memcpy(race.contended, lock_contended, sizeof(race.contended));
	barrier_wait(&race.go);
	runner->started = cpu_tsc();
	if (race.variant->blocks)
		blocks_come_and_go();
	else
		touch(runner->begin, ok ? race.pages : 0);
	runner->ended = cpu_tsc();
	if (is_last(&race.ended))
		for (unsigned i = 0; i < LOCK_CLASS_COUNT; i++)
			race.contended[i] = READ_ONCE(lock_contended[i]) - race.contended[i];
	barrier_wait(&race.done);
}

static int process_main(int argc, char **argv)
{
	struct runner *runner = &runners[argc > 0 && argv[0][0] == '1'];
	void *block = vmap_malloc(self_vmap(), (int)(race.pages * PAGE_SIZE));
	bool ok = block;

	self_vmap()->neighbours = race.variant->neighbours;
	runner->begin = (vaddr_t)block;
	runner->vmap = self_vmap();
	if (ok && is_control(race.variant))
		ok = chain_make(runner);
	run(runner, ok);
	if (block && is_control(race.variant))
		chain_free(runner);
	return ok ? 0 : ENOMEM;
}

static void second_thread(void *ok)
{
	run(&runners[1], ok);
}

static int threads_main(int argc, char **argv)
{
	uint8_t *block = vmap_malloc(self_vmap(), (int)(RUNNERS * race.pages * PAGE_SIZE));
	tid_t tid;

	(void)argc, (void)argv;
	if (!block)
		return ENOMEM;
	self_vmap()->neighbours = race.variant->neighbours;
	for (unsigned i = 0; i < RUNNERS; i++)
		runners[i].begin = (vaddr_t)block + i * race.pages * PAGE_SIZE;
	if (thread_start(second_thread, block, &tid) != 0)
		return ENOMEM;
	run(&runners[0], true);
	return thread_join(tid) == 0 ? 0 : EINTR;
}

/* Starts what is to run and waits for it. The time from the first's start to the last's end; 0: it
 * failed. */
static uint64_t race_run(unsigned parties, const struct variant *variant)
{
	unsigned processes = variant->threads && parties > 1 ? 1 : parties;
	int (*main)(int argc, char **argv) = processes < parties ? threads_main : process_main;
	pid_t pids[RUNNERS];
	bool ok = true;

	race.parties = parties;
	race.ready = race.go = race.ended = race.done = 0;
	race.variant = variant;
	for (unsigned i = 0; i < processes; i++) {
		char *argv[] = {i == 0 ? "0" : "1"};

		pids[i] = process_spawn_function("scaling", main, 1, argv, PROCESS_BACKGROUND);
		if (pids[i] < 0) { /* the first would wait for it */
			ok = false;
			__atomic_fetch_add(&race.go, 1, __ATOMIC_SEQ_CST);
			__atomic_fetch_add(&race.done, 1, __ATOMIC_SEQ_CST);
		}
	}
	for (unsigned i = 0; i < processes; i++) {
		struct process_end end;

		if (pids[i] < 0 || process_wait(pids[i], &end) != 0 || end.killed != FAULT_OK ||
		    end.exit_status != 0)
			ok = false;
	}
	if (!ok)
		return 0;
	if (parties == 1)
		return runners[0].ended - runners[0].started;
	return MAX(runners[0].ended, runners[1].ended) -
	       MIN(runners[0].started, runners[1].started);
}

/* ---- The figures --------------------------------------------------------------------- */

/* False if there is not enough memory. */
static bool round_run(unsigned round)
{
	for (unsigned i = 0; i < VARIANTS; i++) {
		const struct variant *variant = &variants[i];
		struct figures *of = &figures[i];
		uint64_t alone, both;

		if (is_control(variant))
			trap_set_first(control_fault);
		alone = race_run(1, variant);
		both = race_run(RUNNERS, variant);
		trap_set_first(fault_handle);
		if (alone == 0 || both == 0)
			return false;
		of->ratios[round] = 1000 * RUNNERS * alone / both; /* both do twice the work */
		for (unsigned lock = 0; lock < LOCK_CLASS_COUNT; lock++)
			of->contended[lock] += race.contended[lock];
	}
	return true;
}

static uint64_t median(uint64_t values[ROUNDS])
{
	for (unsigned i = 1; i < ROUNDS; i++)
		for (unsigned j = i; j > 0 && values[j - 1] > values[j]; j--) {
			uint64_t value = values[j];

			values[j] = values[j - 1];
			values[j - 1] = value;
		}
	return values[ROUNDS / 2];
}

/* The ratio of a variant, as a part of the control's, and the waits. */
static void print_variant(unsigned index)
{
	const struct variant *variant = &variants[index];
	const char *name = variant->name;
	struct figures *of = &figures[index];
	uint64_t middle = median(of->ratios);
	uint64_t all = 0;

	bench_print_ratio(name, "", middle);
	if (is_control(variant))
		return;
	bench_print_ratio(name, ".of-control",
			  1000 * middle / median(figures[variant->control].ratios));
	for (unsigned i = 0; i < LOCK_CLASS_COUNT; i++) {
		all += of->contended[i];
		if (of->contended[i])
			bench_print_contended(name, lock_class_name(i), of->contended[i]);
	}
	bench_print_contended(name, "all", all);
}

BENCH(scaling, "scaling")
{
	/* The control needs a frame a page beside the pages promised. */
	uint64_t room = MIN(frame_free_count(), reclaim_limit()) / (2 * RUNNERS + 1);

	if (cpu_count < RUNNERS || bench_counts_instructions()) {
		bench_say("scaling", "wants two CPUs, and time instead of instructions");
		return;
	}
	race.pages = MIN(room, (uint64_t)PAGES_MAX);
	memset(figures, 0, sizeof(figures));
	for (unsigned round = 0; round < ROUNDS; round++)
		if (!round_run(round)) {
			bench_say("scaling", "there is not enough memory");
			return;
		}
	for (unsigned i = 0; i < VARIANTS; i++)
		print_variant(i);
}
