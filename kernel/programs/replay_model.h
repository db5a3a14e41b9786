/*
 * replay_model.h: the faults that exact LRU and Belady's OPT would take on a
 * sequence of page references: the two ends of the scale that a real policy is
 * read on. Demand paging: a page comes in when it is referenced, into one of
 * frame_count frames, all empty at first; first touches count.
 */
#pragma once

#include "kernel/programs/replay_sequence.h"

struct replay_faults {
	uint64_t lru;
	uint64_t opt;
};

/*
 * 0 and both counts; -EINVAL for no frames, -ENOMEM, or -EINTR when progress (or
 * NULL; it counts references) said so. Takes four bytes a reference and four a
 * page while it runs, from page arrays; may sleep where they do; takes no lock.
 * Time is linear but for an inverse Ackermann factor.
 */
MUST_CHECK int replay_model_run(const struct replay_sequence *sequence, uint64_t frame_count,
				const struct replay_progress *progress,
				struct replay_faults *faults);
