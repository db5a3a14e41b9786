/*
 * damage.c: the process that is broken, and whether check names the invariant.
 */
#include "tests/unit/damage.h"

#include "kernel/mm/lru.h"
#include "kernel/proc/check_all.h"
#include "kernel/proc/program.h"
#include "lib/format.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

/* ---- The process ------------------------------------------------------------------- */

struct patient patient;

static int patient_main(int argc, char **argv)
{
	vaddr_t block = (vaddr_t)vmap_malloc(self_vmap(), PATIENT_PAGES * (int)PAGE_SIZE);

	(void)argc, (void)argv;
	test_pages_fill(block, 3, 1);
	(void)test_swap_out(block + 2 * PAGE_SIZE);
	(void)test_swap_out(block + PAGE_SIZE);
	test_pages_fill(block, 1, 1);
	(void)test_load(block + PAGE_SIZE);
	patient.vmap = self_vmap();
	patient.thread = thread_current();
	patient.block = block;
	CHECK_ERROR(0, semaphore_post(&patient.ready));
	CHECK_ERROR(0, semaphore_wait(&patient.may_end));
	return (int)test_pages_verify(block, 3, 1);
}

pte_t *patient_entry(unsigned page)
{
	return vmap_entry(patient.vmap, patient.block + page * PAGE_SIZE);
}

struct frame *patient_frame(unsigned page)
{
	return &frames[pte_pfn(pte_read(patient_entry(page)))];
}

/* True if its pages are as described. */
static bool patient_start(void)
{
	CHECK_ERROR(0, semaphore_init(&patient.ready, 0));
	CHECK_ERROR(0, semaphore_init(&patient.may_end, 0));
	patient.pid = SPAWN(patient_main, 0, NULL);
	if (!patient.pid || !CHECK_ERROR(0, semaphore_wait(&patient.ready)))
		return false;
	while (READ_ONCE(patient.thread->state) != THREAD_BLOCKED)
		thread_yield();
	return CHECK(pte_is_present(pte_read(patient_entry(0)))) &&
	       CHECK(pte_is_present(pte_read(patient_entry(1)))) &&
	       CHECK(pte_is_swapped(pte_read(patient_entry(2)))) &&
	       CHECK(pte_is_untouched(pte_read(patient_entry(3))));
}

static void patient_end(void)
{
	CHECK_ERROR(0, semaphore_post(&patient.may_end));
	CHECK_ENDED(FAULT_OK, 0, patient.pid);
}

/* ---- check must tell ---------------------------------------------------------------- */

static bool check_names(const struct check *check, unsigned invariant)
{
	char prefix[8];

	(void)format(prefix, sizeof(prefix), "I%u: ", invariant);
	for (unsigned i = 0; i < check->line_count; i++)
		if (strncmp(check->lines[i], prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

static void tell(const struct check *check)
{
	for (unsigned i = 0; i < check->line_count; i++)
		test_comment("%s", check->lines[i]);
}

void try_damage(const struct damage *damage)
{
	const struct check *check;

	damage->apply(BREAK);
	check = check_all();
	damage->apply(MEND);
	if (!check_names(check, damage->invariant)) {
		FAIL("%s is no violation of I%u", damage->what, damage->invariant);
		tell(check);
	}
	check = check_all();
	if (check->violations) {
		FAIL("%s was mended, and check is not content", damage->what);
		tell(check);
	}
}

void try_damages(const struct damage *damages, unsigned count)
{
	struct policy *before = lru_policy();

	NEED_SLOTS(50);
	lru_set_policy(policy_find("lru")); /* which leaves resident pages mapped */
	if (patient_start())
		for (unsigned i = 0; i < count; i++)
			try_damage(&damages[i]);
	patient_end();
	lru_set_policy(before);
}
