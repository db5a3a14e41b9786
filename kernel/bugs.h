/*
 * bugs.h: the planted bugs, for `help bugs`. Each is built in by `make BUG=name`,
 * which defines BUG_NAME (upper case, _ for -), and breaks one thing on purpose
 * that check must notice.
 */
#pragma once

struct bug {
	const char *name;
	const char *summary;
};

static const struct bug bugs[] = {
	{ "skip-shootdown", "other CPUs keep their old translations of an evicted page" },
	{ "lose-dirty", "a page that was written leaves memory as if it were clean" },
	{ "free-slot-early", "a slot is given out again while its page is still in it" },
	{ "drop-lock", "the slots are taken without their lock" },
};
