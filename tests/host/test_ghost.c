/*
 * test_ghost.c: kernel/mm/ghost.h: who is remembered, how long, and by what name.
 */
#include "kernel/mm/ghost.h"

#include "lib/string.h"
#include "tests/host/host_test.h"

enum { FRAMES = 1024 };

static uint64_t memory[FRAMES];

static uint32_t clock; /* so many left */

static void start(void)
{
	clock = 0;
	CHECK(ghost_bytes(FRAMES) <= sizeof(memory));
	memset(memory, 0, sizeof(memory));
	ghost_init(memory, FRAMES);
}

static struct frame page(uint16_t owner, uint64_t number)
{
	return (struct frame){.state = FRAME_PRIVATE,
			      .owner = owner,
			      .page = {.address = number * PAGE_SIZE}};
}

static void add(uint16_t owner, uint64_t number)
{
	struct frame frame = page(owner, number);

	ghost_add(&frame, clock++);
}

static bool take(uint16_t owner, uint64_t number, uint64_t within)
{
	struct frame frame = page(owner, number);
	uint32_t time;

	return ghost_take(&frame, &time) && clock - time <= within;
}

TEST(ghost, is_taken_once)
{
	start();
	CHECK(!take(1, 5, FRAMES));
	add(1, 5);
	CHECK(take(1, 5, FRAMES));
	CHECK(!take(1, 5, FRAMES));
}

TEST(ghost, another_process_has_another_name)
{
	start();
	add(1, 5);
	CHECK(!take(2, 5, FRAMES));
	CHECK(!take(1, 6, FRAMES));
	CHECK(take(1, 5, FRAMES));
}

/* A page of an object goes by object and index, whoever has it mapped. */
TEST(ghost, page_of_an_object)
{
	struct frame frame = {.state = FRAME_SHARED,
			      .map_count = 3,
			      .shared = {.object = 77, .index = 4, .record = 9}};
	uint32_t time = 0;

	start();
	ghost_add(&frame, 42);
	frame.map_count = 0;
	frame.shared.record = 10;
	frame.shared.index = 5;
	CHECK(!ghost_take(&frame, &time));
	frame.shared.index = 4;
	CHECK(ghost_take(&frame, &time));
	CHECK(time == 42);
}

TEST(ghost, time_is_what_was_given)
{
	start();
	for (uint64_t i = 1; i <= 10; i++)
		add(1, i);
	CHECK(!take(1, 7, 3)); /* it left before three others */
	CHECK(take(1, 8, 3));
	CHECK(take(1, 10, 1));
}

/* The set's sizes are chance: with half as many ghosts as places few are lost. */
TEST(ghost, half_of_the_places_are_enough)
{
	unsigned kept = 0;

	start();
	for (uint64_t i = 0; i < 20 * FRAMES; i++)
		add((uint16_t)(i % 7), i);
	for (uint64_t i = 20 * FRAMES - FRAMES / 2; i < 20 * FRAMES; i++)
		kept += take((uint16_t)(i % 7), i, FRAMES / 2);
	CHECK(kept > FRAMES / 2 * 95 / 100);
	CHECK(kept <= FRAMES / 2);
	for (uint64_t i = 0; i < 19 * FRAMES; i++)
		CHECK(!take((uint16_t)(i % 7), i, FRAMES / 2));
}
