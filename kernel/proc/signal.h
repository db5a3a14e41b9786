/*
 * signal.h: a process's own handler of its faults, as sigaction() of POSIX has
 * it for SIGSEGV. There is no other signal: nobody sends any.
 *
 *   the program touches what it may not
 *     -> fault_handle_fatal -> signal_fault -> handler, on the same thread and stack
 *          - returns: the access is tried again
 *          - leaves by siglongjmp(): the program goes on there
 *          - faults itself, or SIGSEGV is blocked: the process ends, as without a handler
 *
 * The contract:
 *  - Delivered are bad addresses and forbidden accesses of the program, in its
 *    own text or in a function that it calls. Not delivered: faults inside a
 *    service (it returns EFAULT), a full stack (the handler would have none), a
 *    page lost in swap, other exceptions; a kill ends the process anyway.
 *  - The handler runs outside any gate with interrupts on, so it may call every
 *    service, be preempted, and be killed, even if it never ends.
 *  - While it runs, SIGSEGV is blocked for its thread. Returning unblocks it;
 *    so does siglongjmp() to a sigsetjmp(point, 1); after a sigsetjmp(point, 0) it
 *    stays blocked, and the next fault ends the process.
 *  - If it returns and has mended nothing, so that the same instruction faults
 *    at the same address without having completed, the process ends: it would
 *    go round for ever.
 *  - The handler belongs to the process, the blocking to the thread. A process
 *    that is started has neither.
 */
#pragma once

#include "kernel/mm/fault.h"
#include "lib/types.h"

#define SIGNAL_SEGV 11                            /* Linux's number */
#define SIGNAL_BIT(signal) (1ull << ((signal)-1)) /* in a mask */

/* What a handler may ask about the fault; the end of the handler is its end. */
struct signal_info {
	int number;      /* SIGNAL_SEGV */
	int code;        /* SIGNAL_UNMAPPED or SIGNAL_FORBIDDEN */
	vaddr_t address; /* touched */
	vaddr_t program; /* of the instruction */
};

#define SIGNAL_UNMAPPED 1  /* Linux's SEGV_MAPERR */
#define SIGNAL_FORBIDDEN 2 /* and SEGV_ACCERR */

struct signal_action {
	void (*handler)(const struct signal_info *info); /* NULL: none */
	bool stay_open; /* SIGSEGV is not blocked while it runs: it may fault into itself */
};

struct process;

/*
 * Sets the process's action for a signal; *before, unless NULL, gets the one it
 * had. 0, or -EINVAL for any signal but SIGNAL_SEGV. Services: each passes the gate.
 */
int signal_set_action(int signal, const struct signal_action *action, struct signal_action *before)
	MUST_CHECK;
int signal_get_action(int signal, struct signal_action *action) MUST_CHECK;

/* Signals that are blocked for the current thread, as bits. */
uint64_t signal_blocked(void);
void signal_set_blocked(uint64_t mask);

/* Boot: faults that cannot be served come here. */
void signal_init(void);
