/*
 * bench_pair.c: queue-N-threads, queue-N-processes: what an item costs
 * that passes a bounded queue of N places from a producer to a consumer, two
 * threads of a process or two processes, with three semaphores: `empty` counts
 * the free places, `full` the items, `mutex` guards the array.
 *
 * The array lies in the kernel's memory, which two processes share without
 * further ado; the semaphores are the kernel's in any case.
 */
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "kernel/sched/semaphore.h"
#include "tests/bench/bench.h"
#include "tests/bench/churn.h"

static struct semaphore mutex, empty, full, start;

static struct {
	const char *name;
	unsigned capacity;
	unsigned first, last;
	uint32_t items[QUEUE_CAPACITY_MAX];
	struct bench_run run;
	int errors;
} queue;

static void produce(void *argument)
{
	int errors = semaphore_wait(&start);

	(void)argument;
	for (uint32_t item = 0; item < QUEUE_ITEMS; item++) {
		errors |= semaphore_wait(&empty);
		errors |= semaphore_wait(&mutex);
		queue.items[queue.last] = item;
		queue.last = (queue.last + 1) % queue.capacity;
		errors |= semaphore_post(&mutex);
		errors |= semaphore_post(&full);
	}
	queue.errors |= errors;
}

static void consume(void)
{
	int errors;

	bench_start(&queue.run);
	errors = semaphore_post(&start);
	for (uint32_t expected = 0; expected < QUEUE_ITEMS; expected++) {
		uint32_t item;

		errors |= semaphore_wait(&full);
		errors |= semaphore_wait(&mutex);
		item = queue.items[queue.first];
		queue.first = (queue.first + 1) % queue.capacity;
		errors |= semaphore_post(&mutex);
		errors |= semaphore_post(&empty);
		errors |= item == expected ? 0 : -EIO;
	}
	bench_stop(&queue.run, QUEUE_ITEMS);
	queue.errors |= errors;
}

static int producer_main(int argc, char **argv)
{
	(void)argc, (void)argv;
	produce(NULL);
	return 0;
}

static int processes_main(int argc, char **argv)
{
	pid_t pid = process_spawn_function("producer", producer_main, 0, NULL, PROCESS_BACKGROUND);
	struct process_end end;

	(void)argc, (void)argv;
	if (pid < 0)
		return -pid;
	consume();
	return process_wait(pid, &end) == 0 ? end.exit_status : EINTR;
}

static int threads_main(int argc, char **argv)
{
	tid_t tid;

	(void)argc, (void)argv;
	if (thread_start(produce, NULL, &tid) != 0)
		return ENOMEM;
	consume();
	return thread_join(tid) == 0 ? 0 : EINTR;
}

static void queue_bench(const char *name, unsigned capacity, int (*main)(int argc, char **argv))
{
	queue.capacity = capacity;
	queue.first = queue.last = 0;
	queue.errors = semaphore_init(&mutex, 1) | semaphore_init(&empty, capacity) |
		       semaphore_init(&full, 0) | semaphore_init(&start, 0);
	if (!bench_process(name, main))
		return;
	if (queue.errors) {
		bench_say(name, "an item was lost, or a semaphore refused");
		return;
	}
	bench_print(&queue.run, name, bench_loop_cost(QUEUE_ITEMS));
	bench_print_count(&queue.run, name, "switches", queue.run.counters[COUNTER_CONTEXT_SWITCH]);
	bench_print_count(&queue.run, name, "ipis", queue.run.counters[COUNTER_IPI]);
}

BENCH(queue_16_threads, "queue-16-threads")
{
	queue_bench("queue-16-threads", 16, threads_main);
}

BENCH(queue_16_processes, "queue-16-processes")
{
	queue_bench("queue-16-processes", 16, processes_main);
}

BENCH(queue_1_threads, "queue-1-threads")
{
	queue_bench("queue-1-threads", 1, threads_main);
}

BENCH(queue_1_processes, "queue-1-processes")
{
	queue_bench("queue-1-processes", 1, processes_main);
}
