/*
 * replay.c: see replay.h.
 *
 * Every page has a stamp, one word of it, that says which page it is and how
 * many stores were made to it; the expected value is known in kernel memory.
 *
 *   first reference   exchange: 0 was there, stamp(page, 0) is now
 *   load              load: stamp(page, version)
 *   store             exchange: stamp(page, version), then stamp(page, version + 1)
 *
 * So each reference is one instruction on its page, and a page that is lost,
 * swapped for another, or older than its last store is noticed.
 *
 * Invariants:
 * 1. No variable of this file is in .data or .bss: those would be pages of the
 *    process. Its thread gets struct replay as an argument, in hexadecimal.
 * 2. The loop runs outside any gate: a kill ends it anywhere, and all it leaves
 *    behind belongs to struct replay or to the process.
 */
#include "kernel/programs/replay.h"

#include "arch/x86_64/layout.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/vmap.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "lib/format.h"
#include "lib/number.h"
#include "lib/random.h"
#include "lib/string.h"

/* Pages whose addresses follow from one another: few enough, so that the table is small. */
#define UNIT_SHIFT 14
#define UNIT_PAGES (1u << UNIT_SHIFT)

/* The largest block asked for: an arena holds four of them. */
#define BLOCK_UNITS_MAX 16u

#define CHUNK_REFERENCES (PAGE_SIZE / sizeof(uint32_t)) /* in a page of the sequence */
#define PROGRESS_REFERENCES (64 * CHUNK_REFERENCES)

extern char program_bss_end[]; /* linker.ld: where every process's copy of programs' data ends */

/* ---- Before: the trace --------------------------------------------------------- */

static void replay_init(struct replay *replay, const struct replay_progress *progress)
{
	memset(replay, 0, sizeof(*replay));
	replay_sequence_init(&replay->sequence);
	page_array_init(&replay->units, sizeof(uint64_t));
	page_array_init(&replay->versions, sizeof(uint32_t));
	replay->progress = progress;
}

int replay_generate(struct replay *replay, const struct replay_generator *generator,
		    const struct replay_progress *progress)
{
	replay_init(replay, progress);
	return generator->generate(&replay->sequence);
}

int replay_open(struct replay *replay, const char *data, size_t size_bytes,
		const struct replay_progress *progress)
{
	int error;

	replay_init(replay, progress);
	error = replay_trace_open(&replay->trace, data, size_bytes);
	if (error == 0)
		error = replay_sequence_load(&replay->sequence, &replay->trace, progress);
	return error;
}

void replay_close(struct replay *replay)
{
	replay_sequence_destroy(&replay->sequence);
	page_array_destroy(&replay->units);
	page_array_destroy(&replay->versions);
}

static int array_make_all(struct page_array *array, uint64_t count, uint64_t step)
{
	for (uint64_t i = 0; i < count; i += step)
		if (!page_array_make(array, i))
			return -ENOMEM;
	return 0;
}

/* Does a process have pages of its own, or some in memory or in swap? */
static bool is_busy(void)
{
	uint64_t data_pages = DIV_ROUND_UP((vaddr_t)program_bss_end - PROGRAM_BASE, PAGE_SIZE);
	struct process_info info;

	for (pid_t pid = 1; process_next(pid, &info); pid = info.pid + 1) {
		const struct vmap_usage *usage = &info.usage;

		if (usage->resident + usage->swapped > 0 || usage->committed > data_pages)
			return true;
	}
	return false;
}

/* ---- The process ----------------------------------------------------------------- */

/*
 * Gives every unit its address. Blocks are as large as an arena likes them,
 * then smaller, so that several arenas are used up if need be.
 */
static int units_alloc(struct replay *replay)
{
	uint64_t pages = replay->sequence.page_count;
	uint64_t units = DIV_ROUND_UP(pages, UNIT_PAGES);
	uint64_t block_units = BLOCK_UNITS_MAX;

	self_vmap()->neighbours = 1; /* each reference is to find its page as a trace has it */
	for (uint64_t unit = 0; unit < units;) {
		uint64_t wanted = MIN(block_units * UNIT_PAGES, pages - unit * UNIT_PAGES);
		char *block = vmap_malloc(self_vmap(), (int)(wanted * PAGE_SIZE));

		if (!block && (block_units == 1 || wanted < block_units * UNIT_PAGES / 2))
			return -ENOMEM;
		if (!block) {
			block_units /= 2;
			continue;
		}
		for (uint64_t done = 0; done < wanted; done += UNIT_PAGES)
			*(uint64_t *)page_array_get(&replay->units, unit++) =
				(uint64_t)block + done * PAGE_SIZE;
	}
	return 0;
}

ALWAYS_INLINE uint64_t stamp(uint32_t page, uint32_t version)
{
	return splitmix64_mix(page + 1ull) + version;
}

static void mismatch_note(struct replay *replay, uint64_t index, uint32_t page, uint64_t read,
			  uint64_t expected)
{
	if (replay->mismatches++ > 0)
		return;
	replay->first_mismatch.reference = index + 1;
	replay->first_mismatch.page = *(uint64_t *)page_array_get(&replay->sequence.pages, page);
	replay->first_mismatch.read = read;
	replay->first_mismatch.expected = expected;
}

/* One reference: one load or one exchange. known: pages referenced so far. */
ALWAYS_INLINE void refer(struct replay *replay, uint64_t index, uint32_t reference, uint32_t *known)
{
	uint32_t page = replay_page(reference);
	uint64_t base = *(uint64_t *)page_array_get(&replay->units, page >> UNIT_SHIFT);
	uint64_t address = base + (uint64_t)(page % UNIT_PAGES) * PAGE_SIZE;
	volatile uint64_t *word = (uint64_t *)(address + page % (PAGE_SIZE / 8) * 8);
	uint64_t read, expected;

	if (page == *known) {
		expected = 0;
		read = __atomic_exchange_n(word, stamp(page, 0), __ATOMIC_RELAXED);
		(*known)++;
	} else {
		uint32_t *version = page_array_get(&replay->versions, page);

		expected = stamp(page, *version);
		if (replay_store(reference))
			read = __atomic_exchange_n(word, stamp(page, ++*version), __ATOMIC_RELAXED);
		else
			read = *word;
	}
	if (UNLIKELY(read != expected))
		mismatch_note(replay, index, page, read, expected);
}

static void references_run(struct replay *replay)
{
	const struct replay_sequence *sequence = &replay->sequence;
	const struct replay_progress *progress = replay->progress;
	uint32_t known = 0;

	for (uint64_t start = 0; start < sequence->reference_count; start += CHUNK_REFERENCES) {
		const uint32_t *chunk = page_array_get(&sequence->references, start);
		uint64_t count = MIN(CHUNK_REFERENCES, sequence->reference_count - start);

		for (uint64_t i = 0; i < count; i++)
			refer(replay, start + i, chunk[i], &known);
		if (progress && start % PROGRESS_REFERENCES == 0) {
			gate_enter();
			(void)progress->step(progress->context, start, sequence->reference_count);
			gate_leave();
		}
	}
}

static struct replay_counts counts_read(void)
{
	return (struct replay_counts){
		.faults = counter_read(COUNTER_PGMAJFAULT) + counter_read(COUNTER_PGMINFAULT),
		.soft_faults = counter_read(COUNTER_PGSOFTFAULT),
		.evictions = counter_read(COUNTER_PGSTEAL),
		.swap_out = counter_read(COUNTER_PSWPOUT),
		.swap_in = counter_read(COUNTER_PSWPIN),
	};
}

static int replay_main(int argc, char **argv)
{
	struct replay_counts before, after;
	struct replay *replay;
	uint64_t address;

	if (argc != 1 || number_parse_u64(argv[0], &address) != 0)
		return -EINVAL;
	replay = (struct replay *)address;
	replay->error = units_alloc(replay);
	if (replay->error != 0)
		return 1;
	before = counts_read();
	references_run(replay);
	after = counts_read();
	replay->counts = (struct replay_counts){
		.faults = after.faults - before.faults,
		.soft_faults = after.soft_faults - before.soft_faults,
		.evictions = after.evictions - before.evictions,
		.swap_out = after.swap_out - before.swap_out,
		.swap_in = after.swap_in - before.swap_in,
	};
	replay->finished = true;
	return 0;
}

/* ---- Around it -------------------------------------------------------------------- */

static void restore(struct replay *replay)
{
	if (!replay->changed)
		return;
	lru_set_policy(replay->saved_policy);
	/* It held before, and what was promised since is given back. */
	if (reclaim_set_limit(replay->saved_limit) != 0)
		ASSERT(!"the limit from before holds again");
	replay->changed = false;
}

/* Sets limit and policy. 0 or a negative errno, and then nothing has changed. */
static int prepare(struct replay *replay, uint64_t frame_count, struct policy *policy)
{
	uint64_t there_are = frame_memory.ram_pages - commit_read().kernel_pages;
	uint64_t pages = replay->sequence.page_count;
	int error;

	replay->frames = frame_count;
	if (frame_count == 0)
		replay->frames = MIN(MAX(pages / 2, 1ul), there_are);
	else if (frame_count > there_are && pages > there_are)
		return -ENOMEM;
	replay->saved_limit = reclaim_limit();
	replay->saved_policy = lru_policy();
	replay->policy = policy ? policy : replay->saved_policy;
	error = reclaim_set_limit(replay->frames);
	if (error != 0)
		return error;
	lru_set_policy(replay->policy);
	replay->changed = true;
	return 0;
}

pid_t replay_begin(struct replay *replay, uint64_t frame_count, struct policy *policy)
{
	uint64_t pages = replay->sequence.page_count;
	char text[24];
	char *argv[] = {text};
	int error;
	pid_t pid;

	if (is_busy())
		return -EBUSY;
	error = array_make_all(&replay->units, DIV_ROUND_UP(pages, UNIT_PAGES), 1);
	if (error == 0)
		error = array_make_all(&replay->versions, pages, PAGE_SIZE / sizeof(uint32_t));
	if (error == 0)
		error = prepare(replay, frame_count, policy);
	if (error != 0)
		return error;
	(void)format(text, sizeof(text), "0x%lx", (uint64_t)replay);
	pid = process_spawn_function("replay", replay_main, 1, argv, PROCESS_FOREGROUND);
	if (pid < 0)
		restore(replay);
	return pid;
}

int replay_end(struct replay *replay)
{
	restore(replay);
	if (replay->error != 0)
		return replay->error;
	if (!replay->finished)
		return -EINTR;
	return replay_model_run(&replay->sequence, replay->frames, replay->progress,
				&replay->model);
}
