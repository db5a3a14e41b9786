/*
 * replay_model.c: exact LRU and OPT in one pass forward, without a list and
 * without a heap.
 *
 * References are counted from 1; last_use[page] is the number of the page's
 * last one, 0 before its first.
 *
 * LRU. The resident pages are those whose last use lies behind a tail:
 *
 *     reference  1 2 3 4 5 6 7 8 9          a b c a d ...
 *                    |tail     |now
 *
 * A reference hits if the page's last use is behind the tail. A miss with all
 * frames taken moves the tail on, over references that were not their page's
 * last, to the first one that was: that page is the victim. Every reference is
 * passed once, so this is O(1) each, reads memory in order, and needs no links.
 *
 * OPT. Keeping a page from reference p to its next one, t, occupies one frame at
 * the references between them; the page referenced at the moment has another.
 * So hits are intervals (p, t) that get one of frame_count - 1 seats, and OPT
 * seats as many as can be. Taking them by their ends, each on the free seat that
 * was left last, is optimal (Faigle and Nawijn 1995; Carlisle and Lloyd, "On the
 * k-coloring of intervals", 1995). A seat is known by the reference it was last
 * left at, 0 if never used. The one to take is the latest not after p + 1, which
 * is a find in a union-find forest over the references (Tarjan; path halving):
 *
 *     seat[t] == t    a seat was left at t and is free
 *     seat[t] <  t    none; the latest before t is to be looked for from there
 *     seat[0] == 0    unused seats, `unused` of them
 *
 * 1. lru.resident = the count of pages whose last use is behind the tail, and is
 *    at most frame_count.
 * 2. seat[t] <= t, and no free seat lies in (seat[t], t].
 */
#include "kernel/programs/replay_model.h"

#include "lib/errno.h"

#define CHUNK (PAGE_SIZE / sizeof(uint32_t)) /* numbers a page of an array holds */
#define PROGRESS_REFERENCES 65536u

struct model {
	const struct replay_sequence *sequence;
	uint64_t frame_count;
	struct page_array last_use; /* uint32_t by page */
	struct page_array seat;	    /* uint32_t by reference, from 0 */
	struct replay_faults faults;
	uint64_t unused;   /* OPT's seats that were never taken */
	uint64_t resident; /* LRU's */
	uint64_t tail;	   /* LRU's: references up to here are behind us */
	const uint32_t *tail_chunk;
};

/* Elements that are known to have been made. */
ALWAYS_INLINE uint32_t *number_at(const struct page_array *array, uint64_t index)
{
	return page_array_get(array, index);
}

/* Reference number t (from 1) stands at index t - 1. */
static void lru_evict(struct model *model)
{
	uint32_t page;

	do {
		if (model->tail % CHUNK == 0)
			model->tail_chunk = number_at(&model->sequence->references, model->tail);
		page = replay_page(model->tail_chunk[model->tail % CHUNK]);
		model->tail++;
	} while (*number_at(&model->last_use, page) != model->tail);
}

static void lru_step(struct model *model, uint32_t last)
{
	if (last > model->tail)
		return;
	model->faults.lru++;
	if (model->resident == model->frame_count)
		lru_evict(model);
	else
		model->resident++;
}

static uint32_t seat_find(struct model *model, uint32_t from)
{
	uint32_t *at = number_at(&model->seat, from);

	while (*at != from) {
		uint32_t *above = number_at(&model->seat, *at);

		if (*above == *at)
			return *at;
		from = *at = *above;
		at = number_at(&model->seat, from);
	}
	return from;
}

/* `here` is seat[now], not yet set; the one before it is set. */
static void opt_step(struct model *model, uint32_t last, uint32_t now, uint32_t *here,
		     uint32_t before)
{
	uint32_t seat;

	*here = before;
	if (last != 0 && last + 1 == now)
		return;
	if (last == 0) {
		model->faults.opt++;
		return;
	}
	seat = seat_find(model, last + 1);
	if (seat != 0) {
		*number_at(&model->seat, seat) = *number_at(&model->seat, seat - 1);
	} else if (model->unused > 0) {
		model->unused--;
	} else {
		model->faults.opt++;
		return;
	}
	*here = now;
}

static int model_steps(struct model *model, const struct replay_progress *progress)
{
	const uint64_t count = model->sequence->reference_count;
	const uint32_t *references = NULL;
	uint32_t *seats = page_array_make(&model->seat, 0);
	uint32_t before = 0; /* seat[now - 1] */

	if (seats == NULL)
		return -ENOMEM;
	for (uint64_t now = 1; now <= count; now++) {
		uint32_t *last;

		if ((now - 1) % CHUNK == 0)
			references = number_at(&model->sequence->references, now - 1);
		if (now % CHUNK == 0)
			seats = page_array_make(&model->seat, now);
		if (seats == NULL)
			return -ENOMEM;
		last = number_at(&model->last_use, replay_page(references[(now - 1) % CHUNK]));
		lru_step(model, *last);
		opt_step(model, *last, (uint32_t)now, &seats[now % CHUNK], before);
		before = seats[now % CHUNK];
		*last = (uint32_t)now;
		if (progress != NULL && now % PROGRESS_REFERENCES == 0 &&
		    !progress->step(progress->context, now, count))
			return -EINTR;
	}
	return 0;
}

int replay_model_run(const struct replay_sequence *sequence, uint64_t frame_count,
		     const struct replay_progress *progress, struct replay_faults *faults)
{
	struct model model = {
		.sequence = sequence,
		.frame_count = frame_count,
		.last_use = PAGE_ARRAY_INIT(sizeof(uint32_t)),
		.seat = PAGE_ARRAY_INIT(sizeof(uint32_t)),
		.unused = frame_count - 1,
	};
	int error = 0;

	if (frame_count == 0)
		return -EINVAL;
	for (uint64_t page = 0; page < sequence->page_count && error == 0; page += CHUNK)
		if (page_array_make(&model.last_use, page) == NULL)
			error = -ENOMEM;
	if (error == 0)
		error = model_steps(&model, progress);
	if (error == 0)
		*faults = model.faults;
	page_array_destroy(&model.last_use);
	page_array_destroy(&model.seat);
	return error;
}
