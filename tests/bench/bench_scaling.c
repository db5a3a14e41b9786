/*
 * bench_scaling.c: what two CPUs do in the time of one.
 *
 * scaling-control     the machine's own limit: see below
 * scaling-processes   first touches of two processes on two CPUs
 * scaling-threads     the same of two threads of one process
 *
 * The figure is 2 * (time of one alone) / (time of both at once): 2 where
 * neither hinders the other. QEMU takes a lock of its own for each exception of
 * its guest, so 2 is not to be had, and the control says what is: as many page
 * faults, each of which zeroes a page, served by a handler that shares nothing
 * between CPUs. It takes the next frame of the thread's own chain and writes
 * the entry of the process's own table: no lock, no list, no counter.
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
	bool control;
	uint64_t contended[LOCK_CLASS_COUNT]; /* at the first barrier, then between the two */
} race;

enum variant { CONTROL, PROCESSES, THREADS, VARIANTS };

static const char *const variant_names[VARIANTS] = {"scaling-control", "scaling-processes",
						    "scaling-threads"};

/* What was measured of each variant. */
static struct figures {
	uint64_t ratios[ROUNDS]; /* in thousandths */
	uint64_t contended[LOCK_CLASS_COUNT];
} figures[VARIANTS];

/* ---- The control ----------------------------------------------------------------- */

static void control_fault(struct trap_frame *frame)
{
	vaddr_t page = cpu_fault_address() & PAGE_MASK;
	struct runner *runner = &runners[runners[0].thread != thread_current()];
	void *to = runner->chain;

	if (UNLIKELY(page - runner->begin >= race.pages * PAGE_SIZE)) {
		fault_handle(frame);
		return;
	}
	runner->chain = *(void **)to;
	page_zero(to);
	pte_write(vmap_entry(runner->vmap, page), pte_make_present(direct_to_pfn(to), 0));
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

/* Touches the runner's pages; `ok` false: it only comes to the barriers. */
static void run(struct runner *runner, bool ok)
{
	volatile uint8_t *bytes = (uint8_t *)runner->begin;

	runner->thread = thread_current();
	if (is_last(&race.ready))
		memcpy(race.contended, lock_contended, sizeof(race.contended));
	barrier_wait(&race.go);
	runner->started = cpu_tsc();
	for (uint64_t page = 0; ok && page < race.pages; page++)
		bytes[page * PAGE_SIZE] = 1;
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

	runner->begin = (vaddr_t)block;
	runner->vmap = self_vmap();
	if (ok && race.control)
		ok = chain_make(runner);
	run(runner, ok);
	if (block && race.control)
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
	for (unsigned i = 0; i < RUNNERS; i++)
		runners[i].begin = (vaddr_t)block + i * race.pages * PAGE_SIZE;
	if (thread_start(second_thread, block, &tid) != 0)
		return ENOMEM;
	run(&runners[0], true);
	return thread_join(tid) == 0 ? 0 : EINTR;
}

/* Starts what is to run and waits for it. The time from the first's start to the last's end; 0: it
 * failed. */
static uint64_t race_run(unsigned parties, enum variant variant)
{
	unsigned processes = variant == THREADS && parties > 1 ? 1 : parties;
	int (*main)(int argc, char **argv) = processes < parties ? threads_main : process_main;
	pid_t pids[RUNNERS];
	bool ok = true;

	race.parties = parties;
	race.ready = race.go = race.ended = race.done = 0;
	race.control = variant == CONTROL;
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
	for (enum variant variant = 0; variant < VARIANTS; variant++) {
		struct figures *of = &figures[variant];
		uint64_t alone, both;

		if (variant == CONTROL)
			trap_set_handler(TRAP_PAGE_FAULT, control_fault);
		alone = race_run(1, variant);
		both = race_run(RUNNERS, variant);
		trap_set_handler(TRAP_PAGE_FAULT, fault_handle);
		if (alone == 0 || both == 0)
			return false;
		of->ratios[round] = 1000 * RUNNERS * alone / both; /* both do twice the work */
		for (unsigned i = 0; i < LOCK_CLASS_COUNT; i++)
			of->contended[i] += race.contended[i];
	}
	return true;
}

static uint64_t median(uint64_t *values)
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
static void print_variant(enum variant variant)
{
	const char *name = variant_names[variant];
	struct figures *of = &figures[variant];
	uint64_t middle = median(of->ratios);
	uint64_t all = 0;

	bench_print_ratio(name, "", middle);
	if (variant == CONTROL)
		return;
	bench_print_ratio(name, ".of-control", 1000 * middle / median(figures[CONTROL].ratios));
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
	for (enum variant variant = 0; variant < VARIANTS; variant++)
		print_variant(variant);
}
