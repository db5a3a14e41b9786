/*
 * switches.c: from one thread to another and into the kernel: what
 * tests/bench/bench_pair.c and bench_system.c measure of quire, with POSIX
 * semaphores.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/churn.h"
#include "tests/peer/peer.h"

#define YIELDS 5000u
#define CALLS 10000u

static uint64_t loop_cost(unsigned rounds)
{
	uint64_t before = peer_tsc();

	for (unsigned i = 0; i < rounds; i++)
		PEER_BARRIER();
	return peer_tsc() - before;
}

/* ---- Queues -------------------------------------------------------------------------- */

static struct queue {
	sem_t mutex, empty, full, start;
	unsigned capacity;
	unsigned first, last;
	uint32_t items[QUEUE_CAPACITY_MAX];
} * queue; /* in memory that processes share */

static void down(sem_t *semaphore)
{
	while (sem_wait(semaphore))
		if (errno != EINTR)
			peer_fail("sem_wait");
}

static void up(sem_t *semaphore)
{
	if (sem_post(semaphore))
		peer_fail("sem_post");
}

static void *produce(void *argument)
{
	down(&queue->start);
	for (uint32_t item = 0; item < QUEUE_ITEMS; item++) {
		down(&queue->empty);
		down(&queue->mutex);
		queue->items[queue->last] = item;
		queue->last = (queue->last + 1) % queue->capacity;
		up(&queue->mutex);
		up(&queue->full);
	}
	return argument;
}

static void consume(const char *name)
{
	uint64_t before = peer_tsc();

	up(&queue->start);
	for (uint32_t expected = 0; expected < QUEUE_ITEMS; expected++) {
		uint32_t item;

		down(&queue->full);
		down(&queue->mutex);
		item = queue->items[queue->first];
		queue->first = (queue->first + 1) % queue->capacity;
		up(&queue->mutex);
		up(&queue->empty);
		if (item != expected)
			peer_fail("an item was lost");
	}
	peer_print(name, peer_tsc() - before - loop_cost(QUEUE_ITEMS), QUEUE_ITEMS);
}

/* The kinds of futex differ: those between processes are found by their page. */
static void queue_init(unsigned capacity, int between_processes)
{
	if (sem_init(&queue->mutex, between_processes, 1) ||
	    sem_init(&queue->empty, between_processes, capacity) ||
	    sem_init(&queue->full, between_processes, 0) ||
	    sem_init(&queue->start, between_processes, 0))
		peer_fail("sem_init");
	queue->capacity = capacity;
	queue->first = queue->last = 0;
}

static void queue_between_threads(const char *name, unsigned capacity)
{
	pthread_t producer;

	queue_init(capacity, 0);
	errno = pthread_create(&producer, NULL, produce, NULL);
	if (errno)
		peer_fail("pthread_create");
	consume(name);
	pthread_join(producer, NULL);
}

static void queue_between_processes(const char *name, unsigned capacity)
{
	pid_t producer;

	queue_init(capacity, 1);
	fflush(stdout);
	producer = fork();
	if (producer < 0)
		peer_fail("fork");
	if (producer == 0) {
		produce(NULL);
		_exit(0);
	}
	consume(name);
	waitpid(producer, NULL, 0);
}

/* ---- Switches and calls ---------------------------------------------------------------- */

static unsigned other_leaves; /* atomic */

static void *other_thread(void *argument)
{
	while (!__atomic_load_n(&other_leaves, __ATOMIC_ACQUIRE))
		sched_yield();
	return argument;
}

static uint64_t switch_count(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw;
}

static void context_switch(void)
{
	uint64_t before, cost, switches;
	pthread_t other;

	errno = pthread_create(&other, NULL, other_thread, NULL);
	if (errno)
		peer_fail("pthread_create");
	sched_yield();
	switches = switch_count();
	before = peer_tsc();
	for (unsigned i = 0; i < YIELDS; i++)
		sched_yield();
	cost = peer_tsc() - before - 2 * loop_cost(YIELDS);
	switches = switch_count() - switches;
	__atomic_store_n(&other_leaves, 1, __ATOMIC_RELEASE);
	pthread_join(other, NULL);
	peer_print("context-switch", cost, switches);
}

static void null_call(void)
{
	uint64_t before = peer_tsc();

	for (unsigned i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	peer_print("null-system-call", peer_tsc() - before - loop_cost(CALLS), CALLS);
}

void peer_switches(void)
{
	queue = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (queue == MAP_FAILED)
		peer_fail("mmap");
	queue_between_threads("queue-16-threads", 16);
	queue_between_processes("queue-16-processes", 16);
	queue_between_threads("queue-1-threads", 1);
	queue_between_processes("queue-1-processes", 1);
	context_switch();
	null_call();
}
