/*
 * fault.h: the page fault of a process.
 */
#pragma once

#include "lib/types.h"

struct trap_frame;
struct VMap;

/* Why an access cannot be served. The order is that of fault_reason_text(). */
enum fault_reason {
	FAULT_OK,
	FAULT_BAD_ADDRESS, /* no block there */
	FAULT_FORBIDDEN,   /* a write to read-only, or execution of data */
	FAULT_SWAP_LOST,   /* the page could not be read back intact */
	FAULT_STACK,       /* the thread's stack is full */
	FAULT_KILLED,
	FAULT_TRAP, /* another exception: division by zero, bad instruction, ... */
};

/*
 * The handlers of TRAP_PAGE_FAULT: the first, and what is left to do where it could
 * not serve the access. Interrupts are off at entry and at return.
 */
bool fault_handle(struct trap_frame *frame);
void fault_handle_fatal(struct trap_frame *frame);

/*
 * Pages that a first touch maps at once in processes made from now on, the
 * touched one included: 1 .. NEIGHBOURS_MAX. See fault_ahead.c.
 */
extern unsigned fault_neighbours;

/* Installs the handlers of page fault, double fault and the other exceptions. */
void fault_init(void);

/*
 * Set by proc: reports the access and ends the current thread's process; never
 * returns. detail: an extra sentence, or NULL. The frame is the interrupted
 * program's.
 */
extern void (*fault_fatal_hook)(const struct trap_frame *frame, vaddr_t address,
				enum fault_reason reason, const char *detail);

/*
 * Set by proc: offers the fault to the process's own handler. True: it was
 * handled, the access is to be tried again. False: it is fatal. May not return.
 * Called in the gate of the fault alone, interrupts off.
 */
extern bool (*fault_signal_hook)(struct trap_frame *frame, vaddr_t address,
				 enum fault_reason reason);

/* "bad-address": the word that `wait` prints. */
const char *fault_reason_name(enum fault_reason reason);
