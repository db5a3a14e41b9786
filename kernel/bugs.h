/*
 * bugs.h: the planted bugs. `make BUG=name` breaks one thing on purpose, and
 * what must notice that is known to be able to fail: tests/boot/bugs.t builds
 * each and sees it caught.
 *
 * make BUG=lose-dirty defines BUG_LOSE_DIRTY while it compiles the .c files
 * that mention it; all others are those of the build without a bug. A bug that
 * only opens a window for others is found by seeded schedules: make schedule
 * BUG=drop-lock.
 */
#pragma once

/* X(name as typed, identifier, what is broken) */
#define BUGS(X)                                                                                  \
	X("no-shootdown", BUG_NO_SHOOTDOWN, "CPUs keep old translations of an evicted page")     \
	X("no-free-shootdown", BUG_NO_FREE_SHOOTDOWN, "the same of a page that was freed")       \
	X("early-reuse", BUG_EARLY_REUSE,                                                        \
	  "frames are free before all CPUs have acknowledged the shootdown")                     \
	X("early-block", BUG_EARLY_BLOCK,                                                        \
	  "a freed block is given out before all CPUs have flushed its pages")                   \
	X("lose-dirty", BUG_LOSE_DIRTY, "a written page leaves memory as if it were clean")      \
	X("free-slot-early", BUG_FREE_SLOT_EARLY,                                                \
	  "a slot is free while a page read from it keeps it")                                   \
	X("lose-slot", BUG_LOSE_SLOT, "vmap_free forgets the slot of a swapped page")            \
	X("stale-pte", BUG_STALE_PTE,                                                            \
	  "a fault trusts its first look at an entry, without the lock")                         \
	X("wrong-owner", BUG_WRONG_OWNER, "a frame's descriptor names another address")          \
	X("unlisted", BUG_UNLISTED, "a new page is not put on the policy's list")                \
	X("keep-promise", BUG_KEEP_PROMISE, "vmap_free does not give promised pages back")       \
	X("drop-lock", BUG_DROP_LOCK,                                                            \
	  "vmap_free drops the mutex before the block's pages are gone")                         \
	X("drop-swap-lock", BUG_DROP_SWAP_LOCK,                                                  \
	  "swap's lock is dropped between choosing a slot and taking it")                        \
	X("lose-wakeup", BUG_LOSE_WAKEUP,                                                        \
	  "a semaphore is unlocked between its count and the wait")                              \
	X("keep-tail", BUG_KEEP_TAIL, "a file made shorter keeps bytes behind its end")          \
	X("keep-files", BUG_KEEP_FILES, "the end of a process leaves its files open")            \
	X("one-mapping", BUG_ONE_MAPPING, "a shared page leaves one mapping and not the others") \
	X("share-copy", BUG_SHARE_COPY, "a private mapping of a file writes to the file")        \
	X("unblocked-fault", BUG_UNBLOCKED_FAULT,                                                \
	  "a fault in a program's fault handler goes to that handler again")

/*
 * BUG_PLANTED(BUG_LOSE_DIRTY): is that bug in this build? A constant, so that
 * what hangs on it is compiled always, and gone where it is not. A name that is
 * not in the list does not compile.
 *
 * A macro defined as 1 makes BUG_COMMA_##value a comma, which moves the 1 into
 * second place; this is how Linux's IS_ENABLED() works (include/linux/kconfig.h).
 */
#define BUG_PLANTED(identifier) (identifier##_is_listed && BUG_DEFINED(identifier))
#define BUG_DEFINED(value) BUG_DEFINED_AS(value)
#define BUG_DEFINED_AS(value) BUG_CHOOSE(BUG_COMMA_##value)
#define BUG_CHOOSE(comma_or_not) BUG_SECOND(comma_or_not 1, 0, 0)
#define BUG_SECOND(first, second, ...) second
#define BUG_COMMA_1 0,

#define BUG_LISTED(name, identifier, summary) identifier##_is_listed = 1,
enum { BUGS(BUG_LISTED) };
#undef BUG_LISTED
