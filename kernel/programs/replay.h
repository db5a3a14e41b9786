/*
 * replay.h: runs a page-reference trace through real page faults.
 *
 *   replay_open()   reads the trace into kernel memory; or replay_generate()
 *   replay_begin()  sets policy and limit, starts a process that makes the references
 *   ...             the caller waits for that process
 *   replay_end()    sets policy and limit back, asks the models
 *   replay_close()  frees the memory; after any of the above
 *
 * The process has a page for each page of the trace, by vmap_malloc, and
 * touches nothing else of its own: everything besides is kernel memory, so N
 * frames are N frames for the trace. struct replay must lie in kernel memory.
 */
#pragma once

#include "kernel/mm/policy.h"
#include "kernel/programs/replay_generate.h"
#include "kernel/programs/replay_model.h"
#include "kernel/programs/replay_sequence.h"
#include "lib/types.h"

struct replay_counts {
	uint64_t faults;      /* page not resident, first touches included */
	uint64_t soft_faults;
	uint64_t evictions;
	uint64_t swap_out, swap_in;
};

struct replay {
	/* Set by replay_open(). */
	struct replay_trace trace;       /* after -EINVAL: line and problem */
	struct replay_sequence sequence;
	const struct replay_progress *progress; /* or NULL; the process's thread calls it too */

	/* Set by replay_begin(). */
	uint64_t frames;                 /* resident limit */
	struct policy *policy;
	uint64_t saved_limit;
	struct policy *saved_policy;
	bool changed;                    /* limit and policy are the replay's */
	struct page_array units;         /* uint64_t: address of each unit of pages */
	struct page_array versions;      /* uint32_t: stores made to each page */

	/* Set by the process. */
	int error;                       /* -ENOMEM: its pages were not promised */
	bool finished;
	struct replay_counts counts;
	uint64_t mismatches;
	struct {
		uint64_t reference;      /* number, from 1 */
		uint64_t page;           /* of the trace */
		uint64_t read, expected;
	} first_mismatch;

	/* Set by replay_end(). */
	struct replay_faults model;
};

/* 0, -EINVAL (see trace.line and trace.problem), -ENOMEM, -EFBIG, -EINTR. */
int replay_open(struct replay *replay, const char *data, size_t size_bytes,
		const struct replay_progress *progress) MUST_CHECK;

/* The same for references that are made, not read. 0, -ENOMEM. */
int replay_generate(struct replay *replay, const struct replay_generator *generator,
		    const struct replay_progress *progress) MUST_CHECK;

/*
 * frames: 0 for half the trace's pages. policy: NULL for the present one. The
 * PID of the process; -EBUSY while another process has pages; -EINVAL,
 * -ENOMEM for a limit that cannot be.
 */
pid_t replay_begin(struct replay *replay, uint64_t frames, struct policy *policy) MUST_CHECK;

/* The process was collected. 0; its own error; -EINTR (it did not finish), -ENOMEM. */
int replay_end(struct replay *replay) MUST_CHECK;

void replay_close(struct replay *replay);
