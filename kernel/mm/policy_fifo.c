/*
 * policy_fifo.c: first in, first out: the smallest policy, and the one with
 * Belady's anomaly.
 */
#include "kernel/mm/policy_internal.h"

struct policy policy_fifo = {
	.name = "fifo",
	.summary = "the page that came first leaves first",
	.victim = policy_take_oldest,
};
