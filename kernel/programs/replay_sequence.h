/*
 * replay_sequence.h: a trace as a sequence of dense page numbers: the first page
 * met is 0, the next new one 1, and so on; with the way back to the page.
 *
 * All memory comes from page arrays (lib/page_array.h): four bytes a reference,
 * about twenty a page. The functions may sleep where page_array_page_alloc()
 * does, and take no lock.
 */
#pragma once

#include "kernel/programs/replay_trace.h"
#include "lib/page_array.h"

/* Called every so often; false ends the work with -EINTR. */
struct replay_progress {
	bool (*step)(void *context, uint64_t done, uint64_t total);
	void *context;
};

struct replay_sequence {
	struct page_array references; /* uint32_t: dense page number * 2 + store */
	uint64_t reference_count;
	struct page_array pages; /* uint64_t: the page of each dense number */
	uint32_t page_count;
	struct page_array slots; /* uint32_t: a hash table of dense number + 1, 0 free */
	uint64_t slot_count;	 /* a power of two, more than twice page_count */
	uint32_t newest;	 /* dense number of the last reference: most repeat it */
};

/* One less than 32 bits, because the models count references from 1. */
#define REPLAY_REFERENCES_MAX (UINT32_MAX - 1)
/* One bit of a reference says whether it is a store. */
#define REPLAY_PAGES_MAX (1u << 31)

static inline uint32_t replay_page(uint32_t reference)
{
	return reference >> 1;
}

static inline bool replay_store(uint32_t reference)
{
	return (reference & 1) != 0;
}

void replay_sequence_init(struct replay_sequence *sequence);
void replay_sequence_destroy(struct replay_sequence *sequence);

/* 0; -ENOMEM, or -EFBIG beyond the limits above: then the sequence is as it was. */
MUST_CHECK int replay_sequence_add(struct replay_sequence *sequence,
				   const struct replay_reference *reference);

/*
 * Adds what is left of the trace. 0, -EINVAL (see trace->line and ->problem),
 * -ENOMEM, -EFBIG, -EINTR; progress (or NULL) counts bytes of the trace.
 */
MUST_CHECK int replay_sequence_load(struct replay_sequence *sequence, struct replay_trace *trace,
				    const struct replay_progress *progress);
