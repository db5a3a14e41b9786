/*
 * damage.h: breaking one thing by hand while all is quiet, and what check says of it.
 *
 * The process that is broken has pages of every kind and waits meanwhile:
 * page 0 resident and dirty, 1 clean with a slot, 2 swapped, 3 untouched.
 */
#pragma once

#include "kernel/mm/frame.h"
#include "kernel/mm/vmap.h"
#include "kernel/sched/semaphore.h"

#define PATIENT_PAGES 4

struct patient {
	struct VMap *vmap;
	struct thread *thread;
	vaddr_t block;
	struct semaphore ready, may_end;
	pid_t pid;
};

extern struct patient patient;

/* The entry of one of its pages, and the frame of one that is resident. */
pte_t *patient_entry(unsigned page);
struct frame *patient_frame(unsigned page);

enum step { BREAK, MEND };

struct damage {
	unsigned invariant;
	const char *what;
	void (*apply)(enum step step);
};

/* Sets *place to another value, or back. */
#define SWAP_VALUE(place, value)               \
	do {                                   \
		static __typeof__(place) kept; \
		if (step == BREAK) {           \
			kept = (place);        \
			(place) = (value);     \
		} else {                       \
			(place) = kept;        \
		}                              \
	} while (0)

/* Applies one to whatever waits to be broken: as try_damages(). */
void try_damage(const struct damage *damage);

/* Applies each to a process of its own: check must name the invariant, and be content once mended.
 */
void try_damages(const struct damage *damages, unsigned count);

#define DAMAGE(invariant, function)            \
	{                                      \
		invariant, #function, function \
	}
#define TRY(...)                                                      \
	do {                                                          \
		static const struct damage damages[] = {__VA_ARGS__}; \
		try_damages(damages, ARRAY_SIZE(damages));            \
	} while (0)
