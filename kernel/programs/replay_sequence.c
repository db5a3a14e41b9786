/*
 * replay_sequence.c: see replay_sequence.h.
 *
 * The hash table is open addressing with linear probing (Knuth 6.4, algorithm
 * L), at most half full; a slot holds a dense number, the page itself is looked
 * up in `pages`. It doubles by being built anew beside the old one, so that
 * without memory the old one is still whole.
 *
 * 1. Each page of pages[0 ... page_count - 1] is in exactly one slot, reachable
 *    from its hash without a free slot between.
 * 2. Every slot below slot_count has its page made, once slot_count is not 0.
 * 3. references[i] is made for i < reference_count.
 */
#include "kernel/programs/replay_sequence.h"

#include "lib/errno.h"
#include "lib/random.h"

#define SLOTS_FIRST 1024u /* one page of them */
#define PROGRESS_REFERENCES 65536u

void replay_sequence_init(struct replay_sequence *sequence)
{
	*sequence = (struct replay_sequence){0};
	page_array_init(&sequence->references, sizeof(uint32_t));
	page_array_init(&sequence->pages, sizeof(uint64_t));
	page_array_init(&sequence->slots, sizeof(uint32_t));
}

void replay_sequence_destroy(struct replay_sequence *sequence)
{
	page_array_destroy(&sequence->references);
	page_array_destroy(&sequence->pages);
	page_array_destroy(&sequence->slots);
	replay_sequence_init(sequence);
}

ALWAYS_INLINE uint64_t page_of(const struct replay_sequence *sequence, uint32_t number)
{
	return *(const uint64_t *)page_array_get(&sequence->pages, number);
}

/* The slot that holds the page, or the free one where it belongs. */
static uint32_t *slot_find(const struct replay_sequence *sequence, const struct page_array *slots,
			   uint64_t slot_count, uint64_t page)
{
	uint64_t at = splitmix64_mix(page);

	for (;; at++) {
		uint32_t *slot = page_array_get(slots, at & (slot_count - 1));

		if (*slot == 0 || page_of(sequence, *slot - 1) == page)
			return slot;
	}
}

static int slots_grow(struct replay_sequence *sequence)
{
	uint64_t count = MAX(sequence->slot_count * 2, SLOTS_FIRST);
	struct page_array slots;

	page_array_init(&slots, sizeof(uint32_t));
	for (uint64_t i = 0; i < count; i += PAGE_SIZE / sizeof(uint32_t)) {
		if (page_array_make(&slots, i) == NULL) {
			page_array_destroy(&slots);
			return -ENOMEM;
		}
	}
	for (uint32_t number = 0; number < sequence->page_count; number++)
		*slot_find(sequence, &slots, count, page_of(sequence, number)) = number + 1;
	page_array_destroy(&sequence->slots);
	sequence->slots = slots;
	sequence->slot_count = count;
	return 0;
}

/* The page's dense number, a new one if it was never met; or a negative errno. */
static int64_t page_number(struct replay_sequence *sequence, uint64_t page)
{
	uint64_t *entry;
	uint32_t *slot;

	if (sequence->page_count > 0 && page_of(sequence, sequence->newest) == page)
		return sequence->newest;
	if ((uint64_t)sequence->page_count * 2 >= sequence->slot_count) {
		int error = slots_grow(sequence);

		if (error != 0)
			return error;
	}
	slot = slot_find(sequence, &sequence->slots, sequence->slot_count, page);
	if (*slot != 0)
		return *slot - 1;
	if (sequence->page_count == REPLAY_PAGES_MAX)
		return -EFBIG;
	entry = page_array_make(&sequence->pages, sequence->page_count);
	if (entry == NULL)
		return -ENOMEM;
	*entry = page;
	*slot = ++sequence->page_count;
	return sequence->page_count - 1;
}

int replay_sequence_add(struct replay_sequence *sequence, const struct replay_reference *reference)
{
	uint64_t index = sequence->reference_count;
	uint32_t *entry;
	int64_t number;

	if (index == REPLAY_REFERENCES_MAX)
		return -EFBIG;
	entry = page_array_get(&sequence->references, index);
	if (entry == NULL)
		entry = page_array_make(&sequence->references, index);
	if (entry == NULL)
		return -ENOMEM;
	number = page_number(sequence, reference->page);
	if (number < 0)
		return (int)number;
	*entry = (uint32_t)number << 1 | reference->store;
	sequence->newest = (uint32_t)number;
	sequence->reference_count++;
	return 0;
}

int replay_sequence_load(struct replay_sequence *sequence, struct replay_trace *trace,
			 const struct replay_progress *progress)
{
	struct replay_reference reference;
	uint64_t count = 0;
	int result;

	while ((result = replay_trace_next(trace, &reference)) > 0) {
		result = replay_sequence_add(sequence, &reference);
		if (result != 0)
			return result;
		if (progress != NULL && ++count % PROGRESS_REFERENCES == 0 &&
		    !progress->step(progress->context, trace->offset, trace->size_bytes))
			return -EINTR;
	}
	return result;
}
