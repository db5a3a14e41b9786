/*
 * check_fails_shared.c: check can fail for what is shared, as check_fails.c
 * shows it for what is private: one thing is broken by hand while all is quiet,
 * and check must name the invariant; mended, check must be content again.
 *
 * Two processes, parent and child, map the same object and wait meanwhile. Page
 * 0 is in memory, dirty and mapped by both; 1 in memory, clean with a slot,
 * mapped by the parent; 2 in a slot; 3 only promised. A fifth page of the
 * object is a hole behind its end.
 */
#include "kernel/fs/map.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/object_page.h"
#include "kernel/proc/check_all.h"
#include "kernel/proc/program.h"
#include "kernel/proc/semaphores.h"
#include "kernel/sched/semaphore.h"
#include "lib/format.h"
#include "lib/string.h"
#include "tests/unit/damage.h"
#include "tests/unit/ktap.h"
#include "tests/unit/map.h"
#include "tests/unit/pages.h"

#define PAGES 4

static struct {
	struct VMap *vmap, *child;
	struct thread *waiter; /* the child's, at the semaphore */
	struct process *process;
	vaddr_t area;
	int64_t semaphore;
	struct semaphore ready, may_end;
	pid_t pid;
} sharer;

/* ---- The two processes ------------------------------------------------------------------ */

static int child_main(void *argument)
{
	(void)argument;
	(void)test_load(sharer.area);
	sharer.child = self_vmap();
	sharer.waiter = thread_current();
	CHECK_ERROR(0, semaphore_post(&sharer.ready));
	CHECK_ERROR(0, semaphore_down(sharer.semaphore));
	return 0;
}

static int sharer_main(int argc, char **argv)
{
	pid_t pid;

	(void)argc, (void)argv;
	sharer.area = (vaddr_t)test_anonymous(PAGES * PAGE_SIZE);
	sharer.semaphore = semaphore_make(0);
	test_pages_fill(sharer.area, 3, 1);
	for (unsigned i = 0; i < 100 && !pte_is_ask(pte_read(test_entry(sharer.area))); i++)
		test_evict_all();
	test_pages_fill(sharer.area, 1, 1);
	(void)test_load(sharer.area + PAGE_SIZE);
	sharer.vmap = self_vmap();
	sharer.process = process_current();
	pid = process_start(child_main, NULL);
	CHECK_ERROR(0, semaphore_wait(&sharer.may_end));
	CHECK_ERROR(0, semaphore_up(sharer.semaphore));
	CHECK_ENDED(FAULT_OK, 0, pid);
	return (int)test_pages_verify(sharer.area, 3, 1);
}

static pte_t *entry_of(unsigned page)
{
	return vmap_entry(sharer.vmap, sharer.area + page * PAGE_SIZE);
}

static struct mapping *mapping_of_sharer(void)
{
	return LIST_FIRST(&sharer.vmap->mappings);
}

static struct object *object_of_sharer(void)
{
	return mapping_of_sharer()->object;
}

static struct object_page *record_of(unsigned page)
{
	return page_array_get(&object_of_sharer()->pages, page);
}

static struct frame *frame_of(unsigned page)
{
	return &frames[object_page_number(record_of(page))];
}

static bool sharer_start(void)
{
	CHECK_ERROR(0, semaphore_init(&sharer.ready, 0));
	CHECK_ERROR(0, semaphore_init(&sharer.may_end, 0));
	sharer.pid = SPAWN(sharer_main, 0, NULL);
	if (!sharer.pid || !CHECK_ERROR(0, semaphore_wait(&sharer.ready)))
		return false;
	while (READ_ONCE(sharer.waiter->state) != THREAD_BLOCKED)
		thread_yield();
	return CHECK_EQUAL(2, frame_of(0)->map_count) && CHECK_EQUAL(1, frame_of(1)->map_count) &&
	       CHECK(frame_of(1)->slot != SLOT_NONE) &&
	       CHECK_EQUAL(OBJECT_PAGE_SLOT, object_page_kind(record_of(2))) &&
	       CHECK_EQUAL(OBJECT_PAGE_PROMISED, record_of(3)->bits);
}

static void sharer_end(void)
{
	CHECK_ERROR(0, semaphore_post(&sharer.may_end));
	CHECK_ENDED(FAULT_OK, 0, sharer.pid);
}

static struct semaphore *semaphore_of_sharer(void)
{
	return CONTAINER_OF(sharer.waiter->waiting, struct semaphore, waiters);
}

/* ---- What is broken ------------------------------------------------------------------------ */

static void mapped_once_more(enum step step)
{
	SWAP_VALUE(frame_of(0)->map_count, 3);
}

static void mapped_and_not_counted(enum step step)
{
	SWAP_VALUE(frame_of(0)->map_count, 1);
}

static void another_object(enum step step)
{
	SWAP_VALUE(frame_of(0)->shared.object, frame_of(0)->shared.object + 1);
}

static void another_index(enum step step)
{
	SWAP_VALUE(frame_of(1)->shared.index, 2);
}

static void maps_another_page(enum step step)
{
	SWAP_VALUE(entry_of(0)->bits,
		   pte_make_present(frame_pfn(frame_of(1)), 0).bits | PTE_SHARED);
}

static void maps_what_is_not_shared(enum step step)
{
	SWAP_VALUE(entry_of(0)->bits, pte_make_present(1, 0).bits | PTE_SHARED);
}

static void shared_as_private(enum step step)
{
	SWAP_VALUE(entry_of(0)->bits, pte_read(entry_of(0)).bits & ~PTE_SHARED);
}

static void asks_another(enum step step)
{
	SWAP_VALUE(entry_of(2)->bits, pte_make_ask(MAPPING_MAX - 1, 7, 0).bits);
}

static void asks_one_that_is_past(enum step step)
{
	SWAP_VALUE(entry_of(2)->bits, pte_read(entry_of(2)).bits - (1ull << 32));
}

static void unknown_to_the_object(enum step step)
{
	static struct mapping *mapping;

	if (step == BREAK) {
		mapping = mapping_of_sharer();
		LIST_REMOVE(mapping, of_object);
	} else if (mapping) {
		LIST_INSERT_HEAD(&mapping->object->mappings, mapping, of_object);
	}
}

static void record_of_no_frame(enum step step)
{
	SWAP_VALUE(record_of(0)->bits, OBJECT_PAGE_PROMISED);
}

static void not_listed(enum step step)
{
	SWAP_VALUE(frame_of(0)->flags, frame_of(0)->flags & (uint8_t)~PAGE_LISTED);
}

static void slot_of_nobody(enum step step)
{
	SWAP_VALUE(frame_of(1)->slot, SLOT_NONE);
}

static void slot_held_twice(enum step step)
{
	SWAP_VALUE(record_of(3)->bits, record_of(2)->bits);
}

static void past_generation(enum step step)
{
	SWAP_VALUE(record_of(2)->bits, record_of(2)->bits - (1ull << 44));
}

static void clean_page_differs(enum step step)
{
	unsigned char *bytes = pfn_to_direct(frame_pfn(frame_of(1)));

	SWAP_VALUE(bytes[17], (unsigned char)(bytes[17] + 1));
}

static void page_behind_the_end(enum step step)
{
	SWAP_VALUE(object_of_sharer()->size_bytes, 3 * PAGE_SIZE);
}

static void live_pages(enum step step)
{
	SWAP_VALUE(mapping_of_sharer()->live_pages, PAGES - 1);
}

static void entry_without_mapping(enum step step)
{
	SWAP_VALUE(entry_of(PAGES)->bits, pte_read(entry_of(2)).bits);
}

static void promised_to_nobody(enum step step)
{
	SWAP_VALUE(record_of(3)->bits, 0);
}

static void promised_in_secret(enum step step)
{
	SWAP_VALUE(object_of_sharer()->page_count, PAGES - 1);
}

static void mapping_of_a_dead_process(enum step step)
{
	SWAP_VALUE(vmap_by_slot[sharer.child->slot], NULL);
}

static void mutex_held(enum step step)
{
	SWAP_VALUE(object_of_sharer()->mutex.owner, (uint64_t)thread_current());
}

static void evictor_holds(enum step step)
{
	SWAP_VALUE(object_of_sharer()->evictor_refs, 1);
}

static void semaphore_lost(enum step step)
{
	SWAP_VALUE(sharer.process->semaphores, 0);
}

static void counted_with_a_waiter(enum step step)
{
	SWAP_VALUE(semaphore_of_sharer()->word, semaphore_of_sharer()->word + 1);
}

static void waiter_overlooked(enum step step)
{
	SWAP_VALUE(semaphore_of_sharer()->word, semaphore_of_sharer()->word & ~SEMAPHORE_WAITED);
}

/* ---- check must tell --------------------------------------------------------------------------
 */

TEST(check, what_is_shared)
{
	static const struct damage damages[] = {
		DAMAGE(3, mapped_once_more),
		DAMAGE(3, mapped_and_not_counted),
		DAMAGE(3, another_object),
		DAMAGE(3, another_index),
		DAMAGE(3, maps_another_page),
		DAMAGE(4, maps_what_is_not_shared),
		DAMAGE(4, shared_as_private),
		DAMAGE(3, asks_another),
		DAMAGE(3, asks_one_that_is_past),
		DAMAGE(3, unknown_to_the_object),
		DAMAGE(3, record_of_no_frame),
		DAMAGE(7, not_listed),
		DAMAGE(8, slot_of_nobody),
		DAMAGE(8, slot_held_twice),
		DAMAGE(8, past_generation),
		DAMAGE(9, clean_page_differs),
		DAMAGE(10, page_behind_the_end),
		DAMAGE(10, live_pages),
		DAMAGE(10, entry_without_mapping),
		DAMAGE(11, promised_to_nobody),
		DAMAGE(11, promised_in_secret),
		DAMAGE(11, mapping_of_a_dead_process),
		DAMAGE(12, mutex_held),
		DAMAGE(12, evictor_holds),
		DAMAGE(13, semaphore_lost),
		DAMAGE(13, counted_with_a_waiter),
		DAMAGE(13, waiter_overlooked),
	};
	struct policy *before = lru_policy();

	NEED_SLOTS(50);
	lru_set_policy(policy_find("lru")); /* which leaves resident pages mapped */
	if (sharer_start())
		for (unsigned i = 0; i < ARRAY_SIZE(damages); i++)
			try_damage(&damages[i]);
	sharer_end();
	lru_set_policy(before);
}
