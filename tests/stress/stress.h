/*
 * stress.h: random work of many processes against a shadow copy.
 *
 *   console's thread (world.c, population.c)     ACTORS processes (actor.c)
 *   starts, kills, collects actors,              1 to THREADS threads each: malloc, free,
 *   changes limit and policy, stops              stores, loads, copies, wrong calls, ...
 *   everybody for check                          (operations.c, wrong.c)
 *
 * The content of a block is a function of the block's secret, the offset and a
 * version (content.c), so its shadow is two versions a page. A thread takes a
 * block before it works on it, and its shadow with it; what other threads do
 * meanwhile is malloc and free of other blocks, eviction, and ending.
 *
 * All of this lies in the kernel's memory: it outlives the processes.
 */
#pragma once

#include "kernel/mm/fault.h"
#include "kernel/sched/semaphore.h"
#include "lib/random.h"
#include "lib/types.h"

/* More threads than CPUs, and together more pages than 64 frames and a swap of 4 MiB can hold. */
#define STRESS_ACTORS 10u
#define STRESS_THREADS 4u
#define STRESS_BLOCKS 28u
/* The largest block, 1 MiB: four times what 64 frames hold. */
#define STRESS_BLOCK_PAGES 256u

/* The console's thread looks up every so many operations. */
#define STRESS_WAKE_OPERATIONS 64u

/* X(identifier, name printed): what is counted. Those before KILL are drawn by threads. */
#define STRESS_COUNTS(X)                                                 \
	X(MALLOC, "malloc")                                              \
	X(NO_MEMORY, "malloc-no-memory") /* refused: as promised */      \
	X(FREE, "free")                                                  \
	X(STORE, "store")                                                \
	X(LOAD, "load")                                                  \
	X(FILL, "fill")     /* every byte of some pages */               \
	X(VERIFY, "verify") /* every byte of a block */                  \
	X(COPY_TO, "copy-to")                                            \
	X(COPY_FROM, "copy-from")                                        \
	X(COPY_ACROSS, "copy-across") /* from one block to another */    \
	X(WRONG, "wrong-call")        /* and the right errno */          \
	X(SEMAPHORE, "semaphore")                                        \
	X(YIELD, "yield")                                                \
	X(CHURN, "empty-processes") /* that end at once */               \
	X(PROCESS, "processes")                                          \
	X(THREAD, "threads")                                             \
	X(REFUSED, "not-started") /* processes and threads: no memory */ \
	X(KILL, "kills")                                                 \
	X(BAD_ACCESS, "bad-accesses")                                    \
	X(LIMIT, "limit-changes")                                        \
	X(POLICY, "policy-changes")                                      \
	X(CHECK, "checks")

enum stress_count {
#define STRESS_ENUM(identifier, name) STRESS_##identifier,
	STRESS_COUNTS(STRESS_ENUM)
#undef STRESS_ENUM
		STRESS_COUNT_COUNT
};

/* The versions of a page: of all its bytes, and of the words that stores have changed since. */
struct stress_page {
	uint8_t fill;  /* 0: as new, all zero */
	uint8_t store; /* 0: none since */
};

struct stress_block {
	uint32_t taken; /* atomic: a thread works on it; guards the rest but place */
	uint8_t version;
	uint64_t place; /* atomic: stress_place(); 0: no block */
	uint64_t secret;
	struct stress_page pages[STRESS_BLOCK_PAGES];
};

#define STRESS_BLOCKS_A_PAGE (PAGE_SIZE / sizeof(struct stress_block))
#define STRESS_BLOCK_FRAMES ((STRESS_BLOCKS + STRESS_BLOCKS_A_PAGE - 1) / STRESS_BLOCKS_A_PAGE)

struct stress_actor;

/* A thread of an actor. Its own, but for `scratch`, constant. */
struct stress_thread {
	struct stress_actor *actor;
	unsigned index;
	struct random random;
	uint8_t *scratch;   /* a page of the kernel's: the other side of copies */
	uint64_t operation; /* the number of the current one */
};

struct stress_actor {
	/* Written by the console's thread while no process runs. */
	unsigned index;
	uint64_t generation;
	unsigned thread_count;
	unsigned budget; /* operations of each thread */
	int baton_count;
	unsigned doom_kind;                               /* the access it is to die of ... */
	enum fault_reason doom;                           /* ... and the reason; FAULT_OK: none */
	unsigned doom_thread;                             /* who does it ... */
	unsigned doom_at;                                 /* ... after so many operations */
	struct stress_block *blocks[STRESS_BLOCK_FRAMES]; /* constant; see stress_block() */

	pid_t pid;               /* atomic; 0: none */
	bool killed;             /* the console's thread has killed it */
	uint64_t last_operation; /* atomic: when it last went on */
	struct semaphore baton;
	int baton_holders; /* atomic */
	struct stress_thread threads[STRESS_THREADS];
};

struct stress {
	uint64_t seed;
	uint64_t target;                     /* operations in all; UINT64_MAX: by time */
	uint64_t operations;                 /* atomic: those begun */
	bool stop;                           /* atomic */
	bool failed;                         /* atomic: a mismatch was told */
	uint64_t progress;                   /* atomic: changes as long as anybody goes on */
	uint64_t digest;                     /* atomic: of what was done, by whom, when */
	uint64_t counts[STRESS_COUNT_COUNT]; /* atomic */
	struct stress_actor *actors[STRESS_ACTORS];
};

extern struct stress stress;

/* Where a block lies, in one word: its address is a multiple of 16, its size has 21 bits. */
#define STRESS_SIZE_BITS 21

ALWAYS_INLINE uint64_t stress_place(vaddr_t address, uint32_t size_bytes)
{
	return address >> 4 << STRESS_SIZE_BITS | size_bytes;
}

ALWAYS_INLINE vaddr_t stress_address(uint64_t place)
{
	return place >> STRESS_SIZE_BITS << 4;
}

ALWAYS_INLINE uint32_t stress_size(uint64_t place)
{
	return (uint32_t)place & ((1u << STRESS_SIZE_BITS) - 1);
}

ALWAYS_INLINE struct stress_block *stress_block(const struct stress_actor *actor, unsigned index)
{
	return &actor->blocks[index / STRESS_BLOCKS_A_PAGE][index % STRESS_BLOCKS_A_PAGE];
}

ALWAYS_INLINE void stress_counted(enum stress_count what)
{
	__atomic_fetch_add(&stress.counts[what], 1, __ATOMIC_RELAXED);
}

/* The thread's actor goes on. */
ALWAYS_INLINE void stress_goes_on(const struct stress_thread *thread)
{
	__atomic_store_n(&thread->actor->last_operation,
			 __atomic_load_n(&stress.operations, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
	__atomic_fetch_add(&stress.progress, 1, __ATOMIC_RELAXED);
}

/* ---- world.c --------------------------------------------------------------------- */

struct stress_options {
	uint64_t seed;
	uint64_t operations; /* 0: by time */
	uint64_t minutes;    /* of the guest's clock */
	uint64_t frames;     /* the highest resident limit */
};

/* Runs it all in the console's thread. 0; -EIO (a mismatch was told), -EINTR, -ENOMEM, -EBUSY. */
int stress_run(const struct stress_options *options) MUST_CHECK;

/*
 * Tells a mismatch, the first one only, and has everybody stop. thread: the one that saw it;
 * NULL: the console's.
 */
void stress_fail(const struct stress_thread *thread, const char *format, ...) PRINTF_LIKE(2, 3);

/* Operations begun so far; and the guest's clock, since the beginning. */
uint64_t stress_operations(void);
uint64_t stress_seconds(void);

/* ---- population.c: for the console's thread ----------------------------------------- */

/* The actors' pages. 0, or -ENOMEM, and some are there to be freed. */
int stress_actors_make(void) MUST_CHECK;
void stress_actors_free(void);

/* Collects those that ended and starts others. False if none runs and none can be started. */
bool stress_actors_renew(struct random *random);

/* Tells a mismatch if one sleeps who should not, while others go on. */
void stress_actors_must_go_on(void);

/* Waits until all have ended. False if a process did not: its pages are in use. */
bool stress_actors_end(void);

/* For process_report_hook: the report is told only of an end that was not to be. */
struct process;
void stress_keep_report(struct process *process, const char *text);

/* ---- actor.c --------------------------------------------------------------------- */

/* The main function of an actor's process; argv[0] is its index. */
int stress_actor_main(int argc, char **argv);

/* ---- operations.c ---------------------------------------------------------------- */

/* One operation, drawn from the thread's generator. */
void stress_operation(struct stress_thread *thread);

/* Every byte of every block; called by the last thread of an actor. */
void stress_verify_all(struct stress_thread *thread);

/* ---- wrong.c --------------------------------------------------------------------- */

/* A wrong call, and whether it is answered as documented. The caller has taken the block. */
void stress_wrong_call(struct stress_thread *thread, struct stress_block *block);

/* Kinds of bad accesses, and the reason that each is to die of. */
unsigned stress_doom_kinds(void);
enum fault_reason stress_doom_reason(unsigned kind);
void stress_doom_access(struct stress_thread *thread);

/* ---- content.c: of a block that the caller has taken ------------------------------- */

/* A block just allocated: as new. */
void stress_content_begin(struct stress_block *block, uint64_t secret);

uint32_t stress_page_count(const struct stress_block *block);

/* Stores every byte of a page; some words of it. */
void stress_page_fill(struct stress_block *block, uint32_t page);
void stress_page_store(struct stress_block *block, uint32_t page);

enum stress_depth { STRESS_SAMPLES, STRESS_ALL };

/* Loads and compares; false, and told, if a byte is another. */
bool stress_page_verify(const struct stress_thread *thread, const struct stress_block *block,
			uint32_t page, enum stress_depth depth);

/* Compares a copy of the block's bytes from `offset` on; `seen` is said of it. */
bool stress_copy_verify(const struct stress_thread *thread, const struct stress_block *block,
			uint32_t offset, const volatile uint8_t *copy, uint32_t size_bytes,
			const char *seen);

/* Stores every byte of the pages that the range touches. */
void stress_range_fill(struct stress_block *block, uint32_t offset, uint32_t size_bytes);
