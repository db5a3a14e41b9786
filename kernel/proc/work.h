/*
 * work.h: requests to a worker: what the console's `as PID ...` has a thread of
 * another process do.
 *
 *   asker --- work_submit() ---> QUEUED --- work_take() ---> TAKEN --- work_finish() ---> done
 *                                   \________ work_process_ended() ________/
 *
 * Whoever asks owns the request's memory until it is submitted, and again
 * when work_done_hook has been called for it.
 */
#pragma once

#include <sys/queue.h>

#include "kernel/config.h"
#include "kernel/mm/fault.h"
#include "lib/types.h"

/* A process of this name takes requests. */
#define WORKER_NAME "worker"

enum work_kind {
	WORK_MALLOC,
	WORK_FREE,
	WORK_STORE,
	WORK_LOAD,
	WORK_FILL,
	WORK_VERIFY,
	WORK_COPY_TO,
	WORK_COPY_FROM,
};

enum work_state { WORK_NEW, WORK_QUEUED, WORK_TAKEN, WORK_DONE };

struct work {
	/* Set by whoever asks. */
	pid_t pid;   /* who is to do it */
	pid_t other; /* on whose VMap; 0: its own */
	enum work_kind kind;
	bool apart; /* in a thread of its own, and nobody waits */
	uint64_t address;
	int64_t size;   /* of malloc and the copies: an int as the lab wants it */
	uint64_t value; /* to store; or the seed */

	/* The answer: 0 or a negative errno, and what the call gave. */
	int error;
	uint64_t result; /* address allocated, value loaded, or the address of a mismatch */
	bool mismatch;
	uint8_t read, expected;
	/* To be copied to memory; or what was copied from it, in `bytes` or where `data` points. */
	size_t byte_count;
	char bytes[LINE_MAX_BYTES];
	const char *data;

	/* work.c's own. */
	enum work_state state;    /* guarded by its lock */
	bool cancelled;           /* atomic */
	enum fault_reason killed; /* the process ended before the work: why */
	TAILQ_ENTRY(work) link;
};

/* Hands it over. 0, -ESRCH (no such process), -EINVAL (not a worker). May sleep. */
int work_submit(struct work *work) MUST_CHECK;

/* Asks whoever does it to stop early; it then ends with -EINTR. */
void work_cancel(struct work *work);

/* For the worker: the next request to this process; waits. -EINTR when killed. */
int work_take(struct work **work) MUST_CHECK;
bool work_is_cancelled(const struct work *work);

/* The answer is there: calls work_print_hook, then work_done_hook. In the worker's thread. */
void work_finish(struct work *work);

/* A process has ended for this reason: its requests are done, with -EFAULT or -ESRCH. */
void work_process_ended(pid_t pid, enum fault_reason killed);

/* Does somebody wait for a request that the process is working on? */
bool work_is_awaited(pid_t pid);

/* Set by the monitor. print: while the data is there, in the worker's thread, inside the gate. */
extern void (*work_print_hook)(struct work *work);
/* The request belongs to the asker again. */
extern void (*work_done_hook)(struct work *work);
/* Now and then in long work, inside the gate. NULL: nobody wants to know. */
extern void (*work_progress_hook)(const struct work *work, uint64_t done, uint64_t total);
