/*
 * policy_probation.c: newcomers are on probation, for as long as it pays: the
 * fewest faults that accessed bits and ghosts were found to give (README has the
 * figures).
 *
 *         memory grows, or the share went down: the oldest
 *                 +-----------------------------+
 *                 |     used since it came      v
 *   insert() --> [newcomers] -------------> [main: leaves after as many looks unused] <-+
 *      |               |                        |           as it was found used |       |
 *      |               v unused                 v unused                         +-------+
 *      |            victim, and a ghost      victim, and a ghost
 *      +--- a ghost that comes back soon; or late, and main's oldest is idler: main
 *
 * How many pages are on probation (`share`) is what matters. A loop larger than
 * memory wants hardly any: what came first stays on main and is hit each round,
 * which is nearly all that OPT can do. A working set that moves on wants nearly all
 * of memory: main is full of what was. Each soft fault and each ghost is a vote:
 *
 *   longer                                     shorter
 *   a newcomer is used while it rests          a page of main is
 *   a ghost comes back soon                    a newcomer's comes back late, or
 *   a newcomer's comes back late, and          later, down to half of memory
 *   main's oldest is idle for longer
 *
 * "Soon" is an age of one memory, by policy_age()'s clock: exact LRU would have the
 * page still, whichever list it left. Small steps, as any single vote says little.
 *
 * From S3-FIFO (Yang and others, SOSP 2023): the two lists and the ghosts. From
 * ARC (Megiddo and Modha, FAST 2003): ghosts vote on the share. From LIRS (Jiang
 * and Zhang, SIGMETRICS 2002): a page that comes late is measured by the idlest of
 * main, so that a loop does not vote for itself. Its own: soft faults vote too;
 * and while memory grows, which is when pages come for which none left, main
 * takes the newcomers over, so it fills with what came first. In a small memory it
 * takes over as well what is on probation beyond a share that went down.
 *
 * In a small memory the newcomers' place is the tail (lru_tail.c), which is then as
 * long as the share: each use of a page on probation is seen.
 */
#include "kernel/mm/commit.h"
#include "kernel/mm/ghost.h"
#include "kernel/mm/policy_internal.h"

enum { NEW, MAIN };

#define USES_MAX 3u    /* a page of main is remembered for having been used so often */
#define GHOST_REACH 4u /* a ghost is "late" up to so many memories */

/* Of memory: the share at least (some percent, or none would rest in a large one) and at most. */
#define SHARE_MIN(memory) ((memory) / 40)
#define SHARE_MAX(memory) (9 * (memory) / 10)

STATIC_ASSERT(USES_MAX < POLICY_TICK);

/* A vote is a part of a page. A soft fault tells more than a ghost. */
#define PAGE_VOTES 4
#define USE_VOTES 2
#define GHOST_VOTES 1

static int64_t share; /* pages on probation, times PAGE_VOTES */

/*
 * Victims named for which no page came yet. At most what may rest, as pages may
 * leave for good: the limit was lowered.
 */
static uint64_t owed;

static uint64_t memory_pages(const struct policy *policy)
{
	return policy_pages(policy) + owed;
}

/* Adds a vote to the share, and keeps it within bounds. */
static void share_vote(struct policy *policy, int64_t votes)
{
	int64_t memory = (int64_t)memory_pages(policy);
	int64_t pages;

	share = MIN(share + votes, SHARE_MAX(memory) * PAGE_VOTES);
	share = MAX(share, SHARE_MIN(memory) * PAGE_VOTES);
	pages = share / PAGE_VOTES;
	WRITE_ONCE(policy->rest_max, (unsigned)DIV_ROUND_UP(pages * 100, MAX(memory, 1)));
}

/* Nothing is known yet: as many as can be if they are few, so that it begins as LRU. */
static void share_begin(struct policy *policy)
{
	share = (int64_t)MIN(policy_pages(policy), (uint64_t)TAIL_PAGES) * PAGE_VOTES;
	share_vote(policy, 0);
}

static bool memory_is_small(const struct policy *policy)
{
	return memory_pages(policy) <= TAIL_MEMORY_SMALL;
}

static bool probation_is_full(const struct policy *policy)
{
	uint64_t pages = memory_is_small(policy) ? 0 : (uint64_t)share / PAGE_VOTES;

	return policy->lists[NEW].count + owed > pages;
}

/* Is main to have the oldest newcomer, used or not? */
static bool main_takes_over(const struct policy *policy, bool grows)
{
	uint64_t probation = policy->lists[NEW].count + owed;

	if (grows)
		return probation_is_full(policy);
	/* The share went down. In a large memory main waits for those that are used. */
	return memory_is_small(policy) && probation > (uint64_t)share / PAGE_VOTES + 1;
}

static unsigned uses(const struct frame *frame)
{
	return frame->page.stamp % POLICY_TICK;
}

static void main_add(struct policy *policy, struct frame *frame, unsigned count)
{
	policy_add(policy, MAIN, frame);
	frame->page.stamp += count;
}

static unsigned looks; /* at main's oldest, which victim() owes */

/*
 * Is main's oldest idle for clearly longer than so long? If it may have been used, or was
 * used so often that it may not leave yet, victim() is to look at it.
 */
static bool main_is_idler(const struct policy *policy, uint32_t age)
{
	const struct frame *oldest = policy->lists[MAIN].oldest;

	if (!oldest)
		return true;
	if (policy_age(oldest) <= 2 * age)
		return false;
	if (uses(oldest) == 0 && !policy_is_accessed(oldest))
		return true;
	looks = MIN(looks + 1, TAIL_PAGES);
	return false;
}

/* To which list does a page belong that was away, or is new? */
static unsigned list_for(struct policy *policy, const struct frame *frame)
{
	uint64_t memory = memory_pages(policy);
	uint32_t time, age;
	bool known;

	if (!ghost_take(frame, &time))
		return NEW;
	age = (policy_time - ALIGN_DOWN(time, POLICY_TICK)) / POLICY_TICK;
	known = age <= memory * GHOST_REACH;
	if (age > memory && time % POLICY_TICK == MAIN)
		return NEW;
	if (age <= memory || (known && main_is_idler(policy, age))) {
		share_vote(policy, GHOST_VOTES);
		return MAIN;
	}
	/* One that comes even later tells less: that nothing asks for more than half of memory. */
	if (known || share > (int64_t)memory / 2 * PAGE_VOTES)
		share_vote(policy, -GHOST_VOTES);
	return NEW;
}

static void insert(struct policy *policy, struct frame *frame)
{
	uint64_t most = commit_resident_max();
	struct frame *oldest;
	bool grows;

	policy_add(policy, list_for(policy, frame), frame);
	if (policy_pages(policy) == 1)
		owed = 0; /* what was named has been freed, with all others */
	owed = MIN(owed, most - MIN(most, policy_pages(policy) - 1));
	grows = owed == 0;
	if (grows)
		share_begin(policy);
	else
		owed--;
	oldest = policy->lists[NEW].oldest;
	if (oldest && main_takes_over(policy, grows)) {
		policy_remove(policy, oldest);
		policy_add(policy, MAIN, oldest);
	}
}

static void keep(struct policy *policy, struct frame *frame)
{
	bool main = frame_list(frame) == MAIN;
	uint32_t time;

	(void)ghost_take(frame, &time);
	if (owed)
		owed--;
	main_add(policy, frame, main ? 1 : 0);
	share_vote(policy, main ? -USE_VOTES : USE_VOTES);
}

/* It was looked at, as the next to leave. May it stay? Then it is on main again. */
static bool stays(struct policy *policy, struct frame *frame, struct flush_batch *batch)
{
	bool main = frame_list(frame) == MAIN;
	unsigned before = main ? uses(frame) : 0;

	if (policy_test_accessed(frame, batch))
		main_add(policy, frame, main ? MIN(before + 1, USES_MAX) : 0);
	else if (before)
		main_add(policy, frame, before - 1);
	else
		return false;
	return true;
}

/* The looks that main_is_idler() asked for: the next time, it is another page or known unused. */
static void look_at_main(struct policy *policy, struct flush_batch *batch)
{
	struct frame *frame;

	for (; looks > 0; looks--) {
		unsigned before;

		frame = page_list_oldest_free(&policy->lists[MAIN]);
		if (!frame)
			continue;
		COUNT(PGSCAN);
		before = uses(frame);
		if (policy_test_accessed(frame, batch))
			before = MIN(before + 1, USES_MAX);
		else if (before)
			before /= 2; /* quicker than victim(): by rights it left long ago */
		else
			continue;
		policy_remove(policy, frame);
		main_add(policy, frame, before);
	}
}

static struct frame *next(const struct policy *policy)
{
	unsigned list = probation_is_full(policy) ? NEW : MAIN;
	struct frame *frame = page_list_oldest_free(&policy->lists[list]);

	return frame ? frame : page_list_oldest_free(&policy->lists[!list]);
}

static struct frame *victim(struct policy *policy, struct flush_batch *batch)
{
	uint64_t patience = (USES_MAX + 1) * policy_pages(policy);
	struct frame *frame;

	look_at_main(policy, batch);
	while ((frame = next(policy))) {
		COUNT(PGSCAN);
		policy_remove(policy, frame);
		if (patience-- > 0 && stays(policy, frame, batch))
			continue;
		ghost_add(frame, policy_time + frame_list(frame));
		owed = MIN(owed + 1, (uint64_t)TAIL_PAGES);
		return frame;
	}
	return NULL;
}

struct policy policy_probation = {
	.name = "probation",
	.summary = "newcomers on probation as long as it pays, by ghosts: the fewest faults",
	.accessed = true,
	.rest_max = TAIL_PERCENT,
	.insert = insert,
	.keep = keep,
	.victim = victim,
};
