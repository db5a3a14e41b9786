/*
 * policy_lru.c: least recently used, by accessed bits: the default.
 *
 * One list in the order of last known use. At the old end a page whose
 * accessed bit is set was used since it was last looked at: the bit is cleared
 * and the page goes to the young end. The first that was not is the victim.
 *
 *        oldest                                          youngest
 *   victim() <-- [page] [page] [page] ...  [page] [page] <-- insert(), keep()
 *                  |                                    ^
 *                  +------- accessed: once more --------+
 *
 * So far it is clock. But of a small memory nearly all may rest after victim() named
 * it (lru.c), and a page that rests is seen when it is used: what is used again
 * comes back through keep() in the order of use.
 */
#include "kernel/mm/policy_internal.h"

struct policy policy_lru = {
	.name = "lru",
	.summary = "least recently used, by the processor's accessed bits (default)",
	.accessed = true,
	.rest_max = TAIL_PERCENT_LRU,
	.victim = policy_take_unused,
};
