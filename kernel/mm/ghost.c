/*
 * ghost.c: see ghost.h.
 *
 * A table of sets, a cache line each, as a processor's cache is one:
 *
 *   hash(owner, address; or object, index) -> set: [tag, time] [tag, time] ... 8 places
 *
 * `time` tells the policy how old a ghost is, so nothing needs a list. A new one
 * takes the oldest place of its set. There are as many places as frames: with half
 * as many ghosts, sets are half full, and few are lost early.
 */
#include "kernel/mm/ghost.h"

#include "lib/random.h"

#define SET_GHOSTS 8

struct ghost {
	uint32_t tag; /* odd; 0: none */
	uint32_t time;
};

static struct {
	struct ghost (*sets)[SET_GHOSTS];
	uint64_t set_count;
} ghosts;

size_t ghost_bytes(uint64_t frame_count)
{
	return DIV_ROUND_UP(frame_count, SET_GHOSTS) * sizeof(ghosts.sets[0]);
}

void ghost_init(void *memory, uint64_t frame_count)
{
	ghosts.sets = memory;
	ghosts.set_count = DIV_ROUND_UP(frame_count, SET_GHOSTS);
}

static struct ghost *set_of(const struct frame *frame, uint32_t *tag)
{
	uint64_t name = frame->page.address;
	uint64_t hash;

	if (frame->state == FRAME_PRIVATE)
		name ^= (uint64_t)frame->owner << 48;
	else
		name = ~((uint64_t)frame->shared.object << 32 | frame->shared.index);
	hash = splitmix64_mix(name);

	*tag = (uint32_t)hash | 1;
	return ghosts.sets[(hash >> 32) * ghosts.set_count >> 32];
}

void ghost_add(const struct frame *frame, uint32_t time)
{
	uint32_t tag;
	struct ghost *set = set_of(frame, &tag);
	struct ghost *place = set;

	for (unsigned i = 0; i < SET_GHOSTS; i++) {
		if (set[i].tag == tag || set[i].tag == 0) {
			place = &set[i];
			break;
		}
		if (time - set[i].time > time - place->time)
			place = &set[i];
	}
	*place = (struct ghost){.tag = tag, .time = time};
}

bool ghost_take(const struct frame *frame, uint32_t *time)
{
	uint32_t tag;
	struct ghost *set = set_of(frame, &tag);

	for (unsigned i = 0; i < SET_GHOSTS; i++)
		if (set[i].tag == tag) {
			set[i].tag = 0;
			*time = set[i].time;
			return true;
		}
	return false;
}
