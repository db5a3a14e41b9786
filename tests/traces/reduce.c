/*
 * reduce.c: makes a trace of lackey's small, by pages, without changing what it
 * says: reads the trace on its input, writes the references that are left.
 *
 *     reduce FRAMES [LINES]
 *
 * The middle one of three references to a page is dropped when fewer than FRAMES
 * other pages are referenced between the first and the last: with FRAMES frames
 * or more, the page stays throughout, under LRU and under OPT, and both take
 * exactly the faults they took before. (S. Kaplan, Y. Smaragdakis, P. Wilson,
 * "Flexible reference trace reduction for VM simulations", ACM TOMACS 13 (2003):
 * safely allowed drop.) A store that is dropped makes the first of the three a
 * store. What is left has page addresses and size 1. With LINES, only the
 * first so many references are written; what was cut off is said at the end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/page_array.h"

/* A reference that may still be dropped or become a store. */
struct kept {
	uint64_t page;
	uint64_t position; /* among all references, from 1 */
	bool store;
	bool dropped;
};

_Static_assert(sizeof(struct kept) <= 32, "an element of the array below");

/* By page number: its last two kept references, as index + 1. */
struct page_state {
	uint64_t last;
	uint64_t before;
};

struct recent {
	uint64_t page;
	uint64_t position;
};

/* Elements of a power of two: room for a struct kept. */
static struct page_array kept = PAGE_ARRAY_INIT(32);
static struct page_array states = PAGE_ARRAY_INIT(sizeof(struct page_state));
static struct recent *recents; /* the pages referenced last, youngest first */
static unsigned recent_count, recent_limit;
static uint64_t kept_count, position;

static void *must(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "reduce: not enough memory\n");
		exit(1);
	}
	return memory;
}

static struct kept *kept_at(uint64_t number)
{
	return must(page_array_make(&kept, number - 1));
}

/* Moves the page to the front. */
static void recent_touch(uint64_t page)
{
	unsigned at = 0;

	while (at < recent_count && recents[at].page != page)
		at++;
	if (at == recent_count) {
		if (recent_count < recent_limit)
			recent_count++;
		else
			at--;
	}
	memmove(&recents[1], &recents[0], at * sizeof(recents[0]));
	recents[0] = (struct recent){page, position};
}

/* Whether fewer than recent_limit - 1 other pages were referenced since then. */
static bool few_since(uint64_t page, uint64_t since)
{
	unsigned others = 0;

	for (unsigned i = 0; i < recent_count && recents[i].position > since; i++)
		others += recents[i].page != page;
	return others < recent_limit - 1;
}

static void reference_add(uint64_t page, bool store)
{
	struct page_state *state = must(page_array_make(&states, page));
	struct kept *entry;

	position++;
	if (recent_count > 0 && recents[0].page == page) {
		kept_at(state->last)->store |= store;
		recents[0].position = position;
		return;
	}
	if (state->before != 0 && few_since(page, kept_at(state->before)->position)) {
		kept_at(state->last)->dropped = true;
		kept_at(state->before)->store |= kept_at(state->last)->store;
	} else {
		state->before = state->last;
	}
	state->last = ++kept_count;
	entry = kept_at(kept_count);
	*entry = (struct kept){.page = page, .position = position, .store = store};
	recent_touch(page);
}

static void line_add(const char *line)
{
	bool store = line[1] == 'S' || line[1] == 'M';
	uint64_t address, size_bytes;

	if (strncmp(line, "I  ", 3) != 0 && strncmp(line, " L ", 3) != 0 &&
	    strncmp(line, " S ", 3) != 0 && strncmp(line, " M ", 3) != 0)
		return;
	if (sscanf(line + 3, "%" SCNx64 ",%" SCNu64, &address, &size_bytes) != 2 || size_bytes == 0)
		return;
	for (uint64_t page = address / PAGE_SIZE; page <= (address + size_bytes - 1) / PAGE_SIZE;
	     page++)
		reference_add(page, store);
}

int main(int argc, char **argv)
{
	uint64_t limit = argc > 2 ? strtoull(argv[2], NULL, 10) : UINT64_MAX;
	uint64_t written = 0, left = 0;
	char line[256];

	recent_limit = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) + 1 : 0;
	if (recent_limit < 2) {
		fprintf(stderr, "usage: reduce FRAMES [LINES]\n");
		return 1;
	}
	recents = must(calloc(recent_limit, sizeof(recents[0])));
	while (fgets(line, sizeof(line), stdin) != NULL)
		line_add(line);
	for (uint64_t i = 1; i <= kept_count; i++)
		left += !kept_at(i)->dropped;
	printf("# %" PRIu64 " of %" PRIu64 " page references", MIN(left, limit), position);
	if (left > limit)
		printf(" (a window: the first of %" PRIu64 " that were left)", left);
	printf("; LRU and OPT as\n# with all of them, on %u frames or more\n", recent_limit - 1);
	for (uint64_t i = 1; i <= kept_count && written < limit; i++) {
		if (kept_at(i)->dropped)
			continue;
		printf(" %c %" PRIx64 ",1\n", kept_at(i)->store ? 'S' : 'L',
		       kept_at(i)->page * PAGE_SIZE);
		written++;
	}
	return fflush(stdout) != 0;
}
