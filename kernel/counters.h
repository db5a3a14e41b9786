/*
 * counters.h: one counter for each cause, counted on each CPU apart and added
 * up when read. Names follow Linux's vmstat where it has one.
 */
#pragma once

#include "lib/types.h"

/* X(identifier, name printed) */
#define COUNTERS(X)                                                                            \
	X(PGFAULT, "pgfault")               /* every page fault of a process */                \
	X(PGMAJFAULT, "pgmajfault")         /* of these: the page came from swap */            \
	X(PGMINFAULT, "pgminfault")         /* of these: a first touch */                      \
	X(PGAHEAD, "pgahead")               /* pages mapped ahead of any touch */              \
	X(PGSOFTFAULT, "pgsoftfault")       /* of these: resident, only not mapped */          \
	X(PGSPURIOUS, "pgspurious")         /* of these: another thread had mapped it */       \
	X(PGCOPY, "pgcopy")                 /* of these: a private copy of a file's page */     \
	X(PGTRANSITWAIT, "pgtransitwait")   /* waits for a page being read by another */       \
	X(PSWPIN, "pswpin")                 /* pages read from swap */                         \
	X(PSWPOUT, "pswpout")               /* pages written to swap */                        \
	X(PGSCAN, "pgscan")                 /* pages the policy looked at for a victim */      \
	X(PGSTEAL, "pgsteal")               /* pages evicted */                                \
	X(PGSTEAL_CLEAN, "pgsteal_clean")   /* of these: left by their old slot, unwritten */  \
	X(PGSTEAL_ZERO, "pgsteal_zero")     /* of these: all zero, no slot at all */           \
	X(PGACTIVATE, "pgactivate")         /* touched while being evicted, so they stay */    \
	X(PGROTATED, "pgrotated")           /* accessed since last looked at */                \
	X(PGALLOC, "pgalloc")               /* frames allocated */                             \
	X(PGFREE, "pgfree")                 /* frames freed */                                 \
	X(SLOT_STOLEN, "slot_stolen")       /* slots taken from clean resident pages */        \
	X(FILE_CALL, "file_call")           /* calls that named a file or an open one */       \
	X(SWAP_READ_ERROR, "swap_read_error")                                                  \
	X(SWAP_WRITE_ERROR, "swap_write_error")                                                \
	X(TLB_FLUSH, "tlb_flush")           /* addresses flushed on their own CPU */           \
	X(TLB_SHOOTDOWN, "tlb_shootdown")   /* shootdowns sent, each to one or more CPUs */    \
	X(TLB_RECEIVED, "tlb_received")     /* addresses flushed for another CPU */            \
	X(IPI, "ipi")                       /* interrupts sent to other CPUs */                \
	X(TICK, "tick")                     /* timer interrupts */                             \
	X(CONTEXT_SWITCH, "context_switch")                                                    \
	X(IDLE, "idle")                     /* times the CPU went to sleep */                  \
	X(MALLOC, "malloc")                                                                    \
	X(FREE, "free")                                                                        \
	X(MALLOC_ERROR, "malloc_error")     /* vmap_malloc refused */                          \
	X(FREE_ERROR, "free_error")         /* vmap_free of what was not a live block */

enum counter {
#define COUNTER_ENUM(identifier, name) COUNTER_##identifier,
	COUNTERS(COUNTER_ENUM)
#undef COUNTER_ENUM
	COUNTER_COUNT
};

/* "pgfault" for COUNTER_PGFAULT. */
const char *counter_name(enum counter counter);

/* The sum over all CPUs; exact when they are quiet. */
uint64_t counter_read(enum counter counter);
