/*
 * mem-prod-cons.c: producers and consumers at a bounded queue in an array, which
 * processes share by way of memory: a copy of sem-prod-cons.c in which mmap()
 * has replaced the files.
 *
 *        first          last
 *          |              |
 *   [ ][ ][7][8][9][10][ ][ ]      size = 4: items that wait
 *          ^              ^
 *     queue_get()    queue_put()
 *
 * Three semaphores: `empty` counts free places, `full` counts items, and
 * `mutex` lets one process at a time at the shared variables.
 *
 * The items are the numbers 0 .. items - 1. Producer p of P makes p, p + P, ...
 * in this order; so whoever looks at what comes out can tell if one was lost,
 * came twice, or overtook another of the same producer. That, too, is noted in
 * shared variables, under the mutex.
 *
 *   producers=P consumers=C items=N capacity=K
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "process.h"

#define PROCESSES_MAX 16
#define ITEMS_MAX 1000000
#define CAPACITY_MAX 100000

static int producers = 2, consumers = 2, items = 100, capacity = 8;

static sem_t *mutex, *empty, *full;

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- The shared variables ------------------------------------------------------------ */

/* Each is an array of ints in the memory that all processes map. */
enum variable { FIRST, LAST, SIZE, ARRAY, PRODUCED, CONSUMED, TIMES, NEWEST, DISORDER, VARIABLES };

static int *places[VARIABLES];

static int shared_get(enum variable variable, int index)
{
	return places[variable][index];
}

static void shared_set(enum variable variable, int index, int value)
{
	places[variable][index] = value;
}

static void shared_init(void)
{
	const int counts[VARIABLES] = {
		[FIRST] = 1,        [LAST] = 1,           [SIZE] = 1,
		[ARRAY] = capacity, [PRODUCED] = 1,       [CONSUMED] = 1,
		[TIMES] = items,    [NEWEST] = producers, [DISORDER] = 1,
	};
	size_t count = 0;
	int *memory;

	for (int i = 0; i < VARIABLES; i++)
		count += (size_t)counts[i];
	memory = mmap(NULL, count * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	for (int i = 0; i < VARIABLES; i++) {
		places[i] = memory;
		memory += counts[i];
	}
}

static void shared_add(enum variable variable, int index, int value)
{
	shared_set(variable, index, shared_get(variable, index) + value);
}

/* ---- The queue ------------------------------------------------------------------------- */

static void down(sem_t *semaphore)
{
	if (sem_wait(semaphore))
		fail("sem_wait");
}

static void up(sem_t *semaphore)
{
	if (sem_post(semaphore))
		fail("sem_post");
}

static void queue_put(int item)
{
	int last;

	down(empty);
	down(mutex);
	last = shared_get(LAST, 0);
	shared_set(ARRAY, last, item);
	shared_set(LAST, 0, (last + 1) % capacity);
	shared_add(SIZE, 0, 1);
	shared_add(PRODUCED, 0, 1);
	up(mutex);
	up(full);
}

/* Notes what has come out. The mutex is held. */
static void item_note(int item)
{
	int newest;

	shared_add(CONSUMED, 0, 1);
	if (item < 0 || item >= items) {
		shared_add(DISORDER, 0, 1);
		return;
	}
	shared_add(TIMES, item, 1);
	newest = shared_get(NEWEST, item % producers); /* 0: none yet */
	if (item + 1 < newest)
		shared_add(DISORDER, 0, 1);
	else
		shared_set(NEWEST, item % producers, item + 1);
}

static void queue_get(void)
{
	int first;

	down(full);
	down(mutex);
	first = shared_get(FIRST, 0);
	item_note(shared_get(ARRAY, first));
	shared_set(FIRST, 0, (first + 1) % capacity);
	shared_add(SIZE, 0, -1);
	up(mutex);
	up(empty);
}

/* ---- Producers and consumers ------------------------------------------------------------- */

static int produce(void *argument)
{
	for (int item = (int)(long)argument; item < items; item += producers)
		queue_put(item);
	return 0;
}

/* Its share of the items: all together get all. */
static int consume(void *argument)
{
	int consumer = (int)(long)argument;
	int count = items / consumers + (consumer < items % consumers);

	while (count-- > 0)
		queue_get();
	return 0;
}

static void start_all(int (*function)(void *argument), int count, pid_t *pids)
{
	for (long i = 0; i < count; i++) {
		pids[i] = process_start(function, (void *)i);
		if (pids[i] < 0) {
			fprintf(stderr, "a process cannot be started\n");
			exit(1);
		}
	}
}

/* How many of them did not end well. */
static int wait_for_all(const pid_t *pids, int count)
{
	int bad = 0;

	for (int i = 0; i < count; i++)
		bad += wait_for(pids[i]) != 0;
	return bad;
}

/* ---- The rest ------------------------------------------------------------------------------ */

/* A semaphore that this process and those that it starts have, and no other finds. */
static sem_t *semaphore_make(const char *what, int count)
{
	char name[64];
	sem_t *semaphore;

	snprintf(name, sizeof(name), "/prod-cons.%d.%s", (int)getpid(), what);
	semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, (unsigned)count);
	if (semaphore == SEM_FAILED)
		fail(name);
	sem_unlink(name);
	return semaphore;
}

/* The last line; false if anything went wrong. */
static bool report(void)
{
	int produced = shared_get(PRODUCED, 0), consumed = shared_get(CONSUMED, 0);
	int disorder = shared_get(DISORDER, 0), left = shared_get(SIZE, 0);
	int lost = 0, duplicated = 0;

	for (int item = 0; item < items; item++) {
		int times = shared_get(TIMES, item);

		lost += times == 0;
		duplicated += times > 1;
	}
	printf("produced %d consumed %d lost %d duplicated %d out-of-order %d\n", produced,
	       consumed, lost, duplicated, disorder);
	return produced == items && consumed == items && lost + duplicated + disorder + left == 0;
}

/* NAME=N with 1 <= N <= max; false if the word is something else. */
static bool read_argument(const char *word, const char *name, int max, int *value)
{
	size_t length = strlen(name);
	char *end;
	long number;

	if (strncmp(word, name, length) != 0 || word[length] != '=')
		return false;
	number = strtol(word + length + 1, &end, 10);
	if (end == word + length + 1 || *end != '\0' || number < 1 || number > max)
		return false;
	*value = (int)number;
	return true;
}

int main(int argc, char **argv)
{
	pid_t producing[PROCESSES_MAX] = {0}, consuming[PROCESSES_MAX] = {0};
	int bad;

	for (int i = 1; i < argc; i++) {
		if (!read_argument(argv[i], "producers", PROCESSES_MAX, &producers) &&
		    !read_argument(argv[i], "consumers", PROCESSES_MAX, &consumers) &&
		    !read_argument(argv[i], "items", ITEMS_MAX, &items) &&
		    !read_argument(argv[i], "capacity", CAPACITY_MAX, &capacity)) {
			printf("usage: %s producers=1..%d consumers=1..%d items=1..%d "
			       "capacity=1..%d\n",
			       argv[0], PROCESSES_MAX, PROCESSES_MAX, ITEMS_MAX, CAPACITY_MAX);
			return 2;
		}
	}
	mutex = semaphore_make("mutex", 1);
	empty = semaphore_make("empty", capacity);
	full = semaphore_make("full", 0);
	shared_init();
	start_all(consume, consumers, consuming);
	start_all(produce, producers, producing);
	bad = wait_for_all(producing, producers);
	bad += wait_for_all(consuming, consumers);
	return report() && bad == 0 ? 0 : 1;
}
