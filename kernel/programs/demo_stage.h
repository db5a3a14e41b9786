/*
 * demo_stage.h: what demo.c and its actors share: the resident limit, which is
 * low while the demonstration runs, and the processes that take part.
 *
 * The stage lies in the kernel's memory, so it outlives all of them. However
 * the demo ends, by itself or by Ctrl-C, a thread of the kernel then ends the
 * actors, sets the limit back and frees the stage.
 */
#pragma once

#include "kernel/sched/semaphore.h"
#include "lib/types.h"

#define DEMO_FILLERS 4u

enum demo_step {
	DEMO_STARTED,  /* it has no memory yet */
	DEMO_FILLED,   /* its block is full of bytes of its own */
	DEMO_COMPARED, /* and was read back twice */
};

/* A process with a block. Written by it, read by the demo once `step` says so. */
struct demo_filler {
	pid_t pid;            /* 0: none; written by the demo */
	struct semaphore go;  /* the demo lets it take the next step */
	enum demo_step step;  /* atomic */
	vaddr_t address;      /* of its block */
	uint64_t bytes_right; /* read back and as written, all rounds together */
	uint64_t bytes_wrong;
	vaddr_t first_wrong;
};

struct demo_stage {
	pid_t demo;
	uint64_t frames;       /* the resident limit while it runs */
	uint64_t limit_before; /* what it is set back to */
	bool limited;
	pid_t intruder; /* 0: none */
	struct demo_filler fillers[DEMO_FILLERS];
};

/*
 * Called by the demo. The stage, with the limit set so that DEMO_FILLERS times
 * as many pages fit frames and swap; NULL and a negative errno: -ENOSPC (too
 * little swap), -EBUSY (another demo runs), -ENOMEM.
 */
struct demo_stage *demo_stage_enter(int *error) MUST_CHECK;

/*
 * Ends the actors that are left and sets the limit back. Called by the demo; if
 * it did not come to that, by the kernel.
 */
void demo_stage_clear(struct demo_stage *stage);

/* Starts an actor, main(stage's address, index), and notes its PID. 0 or a negative errno. */
int demo_stage_start(struct demo_stage *stage, const char *name, int (*main)(int argc, char **argv),
		     unsigned index, pid_t *pid) MUST_CHECK;

/* Waits for an actor's end; *pid becomes 0. Its exit status, or -1 if it was killed. */
int demo_stage_collect(pid_t *pid) MUST_CHECK;

/* For an actor: its arguments back. NULL if they are not those of demo_stage_start(). */
struct demo_stage *demo_stage_from(int argc, char **argv, unsigned *index);

/* The actors: demo_actors.c. */
int demo_filler_main(int argc, char **argv);
int demo_intruder_main(int argc, char **argv);
