/*
 * queue.c: the second lab's bounded queue, in memory that processes share, while its
 * pages leave.
 */
#include "kernel/proc/program.h"
#include "kernel/proc/semaphores.h"
#include "kernel/schedule_point.h"
#include "tests/schedule/scenario.h"
#include "tests/unit/map.h"

#define PRODUCERS 2u
#define ITEMS_EACH 6u
#define ITEMS (PRODUCERS * ITEMS_EACH)
#define CAPACITY 2u

/* In the shared page; what the three semaphores guard. */
struct queue {
	uint32_t first, last;
	uint32_t places[CAPACITY];
};

static struct queue *queue;
static int64_t mutex, empty, full;

static int produces(void *argument)
{
	uint32_t item = (uint32_t)(uint64_t)argument * ITEMS_EACH;

	scenario_meet();
	for (unsigned i = 0; i < ITEMS_EACH; i++) {
		CHECK_ERROR(0, semaphore_down(empty));
		CHECK_ERROR(0, semaphore_down(mutex));
		queue->places[queue->last++ % CAPACITY] = item++;
		CHECK_ERROR(0, semaphore_up(mutex));
		CHECK_ERROR(0, semaphore_up(full));
	}
	return 0;
}

/* Each item comes once, those of a producer in its order. */
static int consumes(void *argument)
{
	uint32_t next[PRODUCERS] = {0, ITEMS_EACH};

	(void)argument;
	scenario_meet();
	for (unsigned i = 0; i < ITEMS; i++) {
		uint32_t item;

		CHECK_ERROR(0, semaphore_down(full));
		CHECK_ERROR(0, semaphore_down(mutex));
		item = queue->places[queue->first++ % CAPACITY];
		CHECK_ERROR(0, semaphore_up(mutex));
		CHECK_ERROR(0, semaphore_up(empty));
		if (!CHECK(item < ITEMS))
			return 1;
		CHECK_EQUAL(next[item / ITEMS_EACH], item);
		next[item / ITEMS_EACH] = item + 1;
	}
	CHECK_EQUAL(ITEMS_EACH, next[0]);
	CHECK_EQUAL(ITEMS, next[1]);
	return 0;
}

static int produced_and_consumed(int argc, char **argv)
{
	pid_t pids[PRODUCERS + 1];

	(void)argc, (void)argv;
	queue = (struct queue *)test_anonymous(PAGE_SIZE);
	mutex = semaphore_make(1);
	empty = semaphore_make(CAPACITY);
	full = semaphore_make(0);
	CHECK(mutex >= 0 && empty >= 0 && full >= 0);
	for (uint64_t i = 0; i < PRODUCERS; i++)
		pids[i] = process_start(produces, (void *)i);
	pids[PRODUCERS] = process_start(consumes, NULL);
	scenario_meet();
	scenario_evict(ITEMS);
	for (unsigned i = 0; i < ARRAY_SIZE(pids); i++)
		CHECK_ENDED(FAULT_OK, 0, pids[i]);
	CHECK_EQUAL(queue->first, queue->last);
	return 0;
}

SCENARIO(26, producers_and_consumers)
{
	NEED_SLOTS(40);
	scenario_expect(PRODUCERS + 2);
	CHECK_EXITS(0, produced_and_consumed);
}
