/*
 * policy.c: what each policy is to do with the same pages (mm/policy.h); `check`
 * runs after each test, so what a policy loses or lists twice fails it.
 */
#include "kernel/mm/policy.h"

#include "kernel/counters.h"
#include "kernel/mm/check.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/proc/check_all.h"
#include "kernel/proc/program.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

enum { FRAMES = 64, PAGES = 2 * FRAMES, ROUNDS = 10, SETS = 6, SET_PAGES = FRAMES * 3 / 4 };

/* Faults of reading ROUNDS times through twice as many pages as there are frames. */
static uint64_t loop_faults(vaddr_t block)
{
	uint64_t before = counter_read(COUNTER_PGMAJFAULT) + counter_read(COUNTER_PGMINFAULT);

	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < PAGES; i++)
			(void)test_load(block + (uint64_t)i * PAGE_SIZE);
	return counter_read(COUNTER_PGMAJFAULT) + counter_read(COUNTER_PGMINFAULT) - before;
}

static uint64_t faults_under(const char *name)
{
	struct policy *before = lru_policy();
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), PAGES * (int)PAGE_SIZE);
	uint64_t faults;

	lru_set_policy(policy_find(name));
	test_pages_fill(block, PAGES, 1);
	faults = loop_faults(block);
	CHECK_EQUAL(0, test_pages_verify(block, PAGES, 1));
	lru_set_policy(before);
	vmap_free(self_vmap(), (void *)block);
	return faults;
}

/* A loop that does not fit: by recency nothing is ever there, however it is found out. */
PROCESS_TEST(policy, loop_that_does_not_fit)
{
	NEED_SLOTS(2 * PAGES);
	test_limit_set(FRAMES);
	CHECK_EQUAL(ROUNDS * PAGES, faults_under("lru-exact"));
	CHECK_EQUAL(ROUNDS * PAGES, faults_under("fifo"));
	CHECK(faults_under("lru") > ROUNDS * PAGES * 9 / 10);
	/* At best all of memory but a frame stays, and half of each round hits. It has to learn. */
	CHECK(faults_under("probation") < ROUNDS * PAGES * 8 / 10);
	CHECK(faults_under("probation") > ROUNDS * PAGES / 2);
	test_limit_restore();
}

/* Sets of pages, each read in a loop that fits, and never again. */
static uint64_t moving_faults(const char *name)
{
	struct policy *before = lru_policy();
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), SETS * SET_PAGES * (int)PAGE_SIZE);
	uint64_t faults = counter_read(COUNTER_PGMAJFAULT) + counter_read(COUNTER_PGMINFAULT);

	self_vmap()->neighbours = 1; /* so that each first touch is a fault */
	lru_set_policy(policy_find(name));
	for (unsigned set = 0; set < SETS; set++)
		for (unsigned i = 0; i < ROUNDS * SET_PAGES; i++)
			(void)test_load(block +
					(set * SET_PAGES + i % SET_PAGES) * (vaddr_t)PAGE_SIZE);
	faults = counter_read(COUNTER_PGMAJFAULT) + counter_read(COUNTER_PGMINFAULT) - faults;
	lru_set_policy(before);
	vmap_free(self_vmap(), (void *)block);
	return faults;
}

/* Who keeps what was used often must notice that it is not any more. */
PROCESS_TEST(policy, working_set_that_moves_on)
{
	NEED_SLOTS(2 * SETS * SET_PAGES);
	test_limit_set(FRAMES);
	CHECK_EQUAL(SETS * SET_PAGES, moving_faults("lru-exact"));
	CHECK(moving_faults("lru") <= SETS * SET_PAGES * 11 / 10);
	CHECK(moving_faults("probation") <= SETS * SET_PAGES * 5 / 4);
	test_limit_restore();
}

/*
 * While a thread has the table, in a fault, no page of it can rest. What is used on the
 * tail meanwhile must not leave for it.
 */
PROCESS_TEST(policy, used_where_it_could_not_rest)
{
	enum { UNUSED = 2 };
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), (FRAMES + 1) * (int)PAGE_SIZE);
	struct frame *table = vmap_table_of(test_entry(block));
	uint64_t flags;

	NEED_SLOTS(2 * PAGES);
	self_vmap()->neighbours = 1;
	test_limit_set(FRAMES);
	test_pages_fill(block, FRAMES, 1);
	flags = spin_lock_irq(&table->table.lock);
	lru_rest_oldest();
	spin_unlock_irq(&table->table.lock, flags);
	for (unsigned i = 0; i < FRAMES; i++)
		if (i != UNUSED)
			(void)test_load(block + (vaddr_t)i * PAGE_SIZE);
	test_store(block + FRAMES * (vaddr_t)PAGE_SIZE, 1);
	for (unsigned i = 0; i < FRAMES; i++)
		CHECK_EQUAL(i != UNUSED,
			    pte_has_frame(pte_read(test_entry(block + (vaddr_t)i * PAGE_SIZE))));
	test_limit_restore();
	vmap_free(self_vmap(), (void *)block);
}

/* Each policy gets the pages of each other, in the midst of using them, and loses none. */
PROCESS_TEST(policy, each_takes_over_from_each)
{
	struct policy *before = lru_policy();
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), PAGES * (int)PAGE_SIZE);

	NEED_SLOTS(2 * PAGES);
	test_limit_set(FRAMES);
	test_pages_fill(block, PAGES, 2);
	for (unsigned i = 0; i < policy_count; i++)
		for (unsigned j = 0; j < policy_count; j++) {
			lru_set_policy(policies[i]);
			CHECK_EQUAL(0, test_pages_verify(block, PAGES, 2));
			lru_set_policy(policies[j]);
			CHECK_EQUAL(0, check_all()->violations);
			CHECK_EQUAL(0, test_pages_verify(block, PAGES, 2));
		}
	lru_set_policy(before);
	test_limit_restore();
}

struct place {
	vaddr_t address;
	unsigned list; /* of the page at the address; 2: it is on neither */
};

static void find_list(struct frame *frame, void *context)
{
	struct place *found = context;

	if (frame->state == FRAME_PRIVATE && frame->page.address == found->address &&
	    !frame_flag(frame, PAGE_TAIL))
		found->list = frame_list(frame);
}

static unsigned list_of(vaddr_t address)
{
	struct place found = {address, 2};

	lru_visit(find_list, &found);
	return found.list;
}

/* A page that left not long ago is known when it comes back; a new one is not. */
static void ghost_is_known(const char *name)
{
	struct policy *before = lru_policy();
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), 4 * FRAMES * (int)PAGE_SIZE);
	vaddr_t last;
	unsigned page = 0;

	test_limit_set(FRAMES);
	lru_set_policy(policy_find(name));
	for (; page < 4 * FRAMES - 1; page++) /* each once, so they leave in this order */
		test_store(block + page * PAGE_SIZE, page + 1);
	/* The youngest of those that are away: it left just now. */
	while (page > 0 && pte_has_frame(pte_read(test_entry(block + (page - 1) * PAGE_SIZE))))
		page--;
	if (CHECK(page > 0)) {
		last = block + (page - 1) * PAGE_SIZE;
		CHECK_EQUAL(page, test_load(last));
		CHECK_EQUAL(1, list_of(last));
		test_store(block + (4 * FRAMES - 1) * PAGE_SIZE, 1);
		CHECK_EQUAL(0, list_of(block + (4 * FRAMES - 1) * PAGE_SIZE));
	}
	lru_set_policy(before);
	test_limit_restore();
	vmap_free(self_vmap(), (void *)block);
}

PROCESS_TEST(policy, ghost_comes_back_to_the_main_list)
{
	NEED_SLOTS(8 * FRAMES);
	ghost_is_known("s3fifo");
	ghost_is_known("probation");
}

/* While memory grows its pages go to the main list; one that left it comes back to it. */
PROCESS_TEST(policy, probation_remembers_what_left_main)
{
	struct policy *before = lru_policy();
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), (FRAMES + 1) * (int)PAGE_SIZE);
	unsigned page = 0;

	NEED_SLOTS(2 * FRAMES);
	self_vmap()->neighbours = 1; /* so that each comes when it is touched */
	test_limit_set(FRAMES);
	lru_set_policy(policy_find("probation"));
	for (unsigned i = 0; i <= FRAMES; i++)
		test_store(block + i * PAGE_SIZE, i + 1);
	while (page < FRAMES && pte_has_frame(pte_read(test_entry(block + page * PAGE_SIZE))))
		page++;
	if (CHECK(page < FRAMES)) {
		CHECK_EQUAL(page + 1, test_load(block + page * PAGE_SIZE));
		CHECK_EQUAL(1, list_of(block + page * PAGE_SIZE));
	}
	lru_set_policy(before);
	test_limit_restore();
	vmap_free(self_vmap(), (void *)block);
}

/* Those that rested when all pages were freed are not waited for: memory grows again. */
PROCESS_TEST(policy, probation_begins_anew)
{
	struct policy *before = lru_policy();
	vaddr_t old = (vaddr_t)vmap_malloc(self_vmap(), PAGES * (int)PAGE_SIZE);
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), FRAMES / 2 * (int)PAGE_SIZE);

	NEED_SLOTS(2 * PAGES);
	test_limit_set(FRAMES);
	lru_set_policy(policy_find("probation"));
	test_pages_fill(old, PAGES, 3);
	vmap_free(self_vmap(), (void *)old);
	for (unsigned i = 0; i < FRAMES / 2; i++)
		test_store(block + i * PAGE_SIZE, i + 1);
	for (unsigned i = 0; i < FRAMES / 2; i++)
		CHECK_EQUAL(1, list_of(block + i * PAGE_SIZE));
	lru_set_policy(before);
	test_limit_restore();
	vmap_free(self_vmap(), (void *)block);
}
