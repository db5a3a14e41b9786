/*
 * bench.c: see bench.h.
 */
#include "tests/bench/bench.h"

#include "arch/x86_64/cpu.h"
#include "kernel/mm/reclaim.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/test_runner.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/glob.h"

#define PROBE_ROUNDS 50000u
#define PROBE_SLACK 100u /* instructions around the loop, and perhaps a tick's handler */

extern const struct bench *const table_benches_start[];
extern const struct bench *const table_benches_end[];

static const char *unit = "ticks";

/* A round of the loop is two instructions. */
bool bench_counts_instructions(void)
{
	uint64_t rounds = PROBE_ROUNDS;
	uint64_t flags = irq_save();
	uint64_t before = cpu_tsc();
	uint64_t elapsed;

	__asm__ volatile("1: decq %0\n\tjnz 1b" : "+r"(rounds) : : "cc");
	elapsed = cpu_tsc() - before;
	irq_restore(flags);
	return elapsed >= 2 * PROBE_ROUNDS && elapsed < 2 * PROBE_ROUNDS + PROBE_SLACK;
}

static void wait_tick(void)
{
	uint64_t ticks = counter_read(COUNTER_TICK);

	while (counter_read(COUNTER_TICK) == ticks)
		cpu_relax();
}

void bench_start(struct bench_run *run)
{
	static uint64_t number;

	wait_tick();
	run->number = ++number;
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		run->counters[i] = counter_read((enum counter)i);
	run->elapsed = cpu_tsc();
}

void bench_stop(struct bench_run *run, uint64_t operations)
{
	run->elapsed = cpu_tsc() - run->elapsed;
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		run->counters[i] = counter_read((enum counter)i) - run->counters[i];
	run->operations = operations;
}

void bench_print(const struct bench_run *run, const char *name, uint64_t overhead)
{
	uint64_t cost = run->elapsed - MIN(overhead, run->elapsed);
	uint64_t operations = MAX(run->operations, 1ull);

	console_print("bench %s %lu %s\n", name, (cost + operations / 2) / operations, unit);
	console_print("# %s: %lu operations, measurement %lu\n", name, operations, run->number);
}

void bench_print_count(const struct bench_run *run, const char *name, const char *word,
		       uint64_t count)
{
	uint64_t operations = MAX(run->operations, 1ull);
	uint64_t hundredths = (count * 100 + operations / 2) / operations;

	console_print("bench %s.%s %lu.%02lu count\n", name, word, hundredths / 100,
		      hundredths % 100);
}

void bench_print_total(const char *name, const char *word, uint64_t count)
{
	console_print("bench %s.%s %lu count\n", name, word, count);
}

void bench_print_value(const char *name, uint64_t value)
{
	console_print("bench %s %lu %s\n", name, value, unit);
}

void bench_print_ratio(const char *name, const char *suffix, uint64_t thousandths)
{
	console_print("bench %s%s %lu.%03lu ratio\n", name, suffix, thousandths / 1000,
		      thousandths % 1000);
}

void bench_print_contended(const char *name, const char *lock, uint64_t count)
{
	console_print("bench %s.contended-%s %lu count\n", name, lock, count);
}

void bench_say(const char *name, const char *fmt, ...)
{
	char text[160];
	va_list arguments;

	va_start(arguments, fmt);
	(void)format_v(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	console_print("# %s: %s\n", name, text);
}

uint64_t bench_loop_cost(uint64_t rounds)
{
	struct bench_run run;

	bench_start(&run);
	for (uint64_t i = 0; i < rounds; i++)
		BENCH_BARRIER();
	bench_stop(&run, rounds);
	return run.elapsed;
}

bool bench_process(const char *name, int (*main)(int argc, char **argv))
{
	struct process_end end;
	pid_t pid = process_spawn_function(name, main, 0, NULL, PROCESS_BACKGROUND);

	if (pid < 0 || process_wait(pid, &end) != 0) {
		bench_say(name, "its process cannot start: %s", errno_name(pid));
		return false;
	}
	if (end.killed != FAULT_OK || end.exit_status != 0)
		bench_say(name, "its process ended with %s, %d", fault_reason_name(end.killed),
			  end.exit_status);
	return end.killed == FAULT_OK && end.exit_status == 0;
}

bool bench_process_within(const char *name, uint64_t frame_count,
			  int (*main)(int argc, char **argv))
{
	uint64_t limit = reclaim_limit();
	bool ended_well;

	if (reclaim_set_limit(frame_count) != 0) {
		bench_say(name, "%lu frames cannot be the limit now", frame_count);
		return false;
	}
	ended_well = bench_process(name, main);
	if (reclaim_set_limit(limit) != 0)
		bench_say(name, "the limit from before cannot be set back");
	return ended_well;
}

bool bench_pages_alloc(struct bench_pages *pages, uint64_t count)
{
	const uint64_t piece_pages = 1u << BENCH_PIECE_SHIFT;
	unsigned width;

	ASSERT(count <= BENCH_PIECES_MAX * piece_pages);
	*pages = (struct bench_pages){0};
	for (unsigned i = 0; count > 0; i += width) {
		uint64_t now = MIN(count, piece_pages);

		width = 1;
		count -= now;
		if (i >= BENCH_PIECES_WHOLE) {
			width = 2;
			now = 2 * piece_pages;
			count -= MIN(count, piece_pages);
		}
		pages->pieces[i] = vmap_malloc(self_vmap(), (int)(now * PAGE_SIZE));
		if (!pages->pieces[i])
			return false;
		if (width == 2)
			pages->pieces[i + 1] = pages->pieces[i] + piece_pages * PAGE_SIZE;
	}
	return true;
}

void bench_pages_free(struct bench_pages *pages)
{
	for (unsigned i = 0; i < BENCH_PIECES_MAX; i++)
		if (i < BENCH_PIECES_WHOLE || i % 2 == 0)
			vmap_free(self_vmap(), pages->pieces[i]);
}

void bench_print_major_faults(const struct bench_run *run, const char *name, uint64_t overhead)
{
	const uint64_t *counters = run->counters;

	bench_print(run, name, overhead);
	bench_print_count(run, name, "exceptions", counters[COUNTER_PGFAULT]);
	bench_print_count(run, name, "writes", counters[COUNTER_PSWPOUT]);
	bench_print_count(run, name, "flushes",
			  counters[COUNTER_TLB_FLUSH] + counters[COUNTER_TLB_RECEIVED]);
	bench_print_count(run, name, "ipis", counters[COUNTER_IPI]);
}

int bench_run(const char *glob)
{
	int result = -ENOENT;

	unit = bench_counts_instructions() ? "instructions" : "ticks";
	for (const struct bench *const *bench = table_benches_start; bench < table_benches_end;
	     bench++)
		if (glob_match(glob, (*bench)->name)) {
			(*bench)->run();
			result = 0;
		}
	return result;
}
