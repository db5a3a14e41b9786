/*
 * demo_actors.c: the processes that the demo sets to work.
 *
 * Filler: takes as many pages as there are frames for everybody, writes bytes
 * of its own, and reads them back, compared word by word: once upward, where it
 * writes others in their place, and once downward. Intruder: reads where
 * a filler's block lies.
 *
 *   STARTED ----> FILLED --go--> COMPARED --go--> ends
 *
 * No globals, so that a process's pages are those of its block alone.
 */
#include "kernel/proc/program.h"
#include "kernel/programs/demo_stage.h"
#include "kernel/sched/gate.h"
#include "lib/random.h"

/* What a word of the block holds in a round: no other address, process or round has the same. */
static uint64_t word_at(pid_t pid, unsigned round, uint64_t address)
{
	return splitmix64_mix(address ^ (uint64_t)pid << 48 ^ (uint64_t)round << 63);
}

/* Says that a step is done and waits for the next. -EINTR: killed, and it ends at the gate. */
static int step_done(struct demo_filler *filler, enum demo_step step)
{
	int error;

	__atomic_store_n(&filler->step, step, __ATOMIC_RELEASE);
	gate_enter();
	error = semaphore_wait(&filler->go);
	gate_leave();
	return error;
}

static void compare(struct demo_filler *filler, volatile uint64_t *word, uint64_t expected)
{
	if (LIKELY(*word == expected)) {
		filler->bytes_right += sizeof(*word);
		return;
	}
	if (filler->bytes_wrong == 0)
		filler->first_wrong = (vaddr_t)word;
	filler->bytes_wrong += sizeof(*word);
}

static void fill(volatile uint64_t *words, uint64_t count, pid_t pid)
{
	for (uint64_t i = 0; i < count; i++)
		words[i] = word_at(pid, 0, (vaddr_t)&words[i]);
}

static void compare_upward(struct demo_filler *filler, volatile uint64_t *words, uint64_t count,
			   pid_t pid)
{
	for (uint64_t i = 0; i < count; i++) {
		compare(filler, &words[i], word_at(pid, 0, (vaddr_t)&words[i]));
		words[i] = word_at(pid, 1, (vaddr_t)&words[i]);
	}
}

static void compare_downward(struct demo_filler *filler, volatile uint64_t *words, uint64_t count,
			     pid_t pid)
{
	for (uint64_t i = count; i-- > 0;)
		compare(filler, &words[i], word_at(pid, 1, (vaddr_t)&words[i]));
}

int demo_filler_main(int argc, char **argv)
{
	unsigned index;
	struct demo_stage *stage = demo_stage_from(argc, argv, &index);
	struct demo_filler *filler;
	uint64_t bytes, words;
	pid_t pid = self_pid();
	void *block;

	if (!stage)
		return EINVAL;
	filler = &stage->fillers[index];
	bytes = stage->frames * PAGE_SIZE;
	words = bytes / sizeof(uint64_t);
	block = vmap_malloc(self_vmap(), (int)bytes);
	if (!block)
		return *vmap_errno();
	filler->address = (vaddr_t)block;
	fill(block, words, pid);
	if (step_done(filler, DEMO_FILLED))
		return EINTR;
	compare_upward(filler, block, words, pid);
	compare_downward(filler, block, words, pid);
	if (step_done(filler, DEMO_COMPARED))
		return EINTR;
	vmap_free(self_vmap(), block);
	return *vmap_errno();
}

int demo_intruder_main(int argc, char **argv)
{
	unsigned index;
	struct demo_stage *stage = demo_stage_from(argc, argv, &index);
	volatile uint64_t *word;

	if (!stage)
		return EINVAL;
	word = (uint64_t *)stage->fillers[index].address;
	return *word == 0; /* never comes to the comparison */
}
