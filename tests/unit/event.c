/*
 * event.c: what happens to pages, as it is told (mm/event.h).
 */
#include "kernel/mm/event.h"

#include "kernel/mm/frame.h"
#include "tests/unit/ktap.h"

static unsigned told; /* atomic */

/* As if another CPU did it: `trace off`. */
static void listens_once(const struct event *event)
{
	(void)event;
	__atomic_fetch_add(&told, 1, __ATOMIC_SEQ_CST);
	event_tell_to(NULL);
}

TEST(event, who_listens_may_stop_while_he_is_told)
{
	uint64_t flags = irq_save();

	for (unsigned i = 0; i < 2; i++)
		event_record(EVENT_STAY, 0, 0, PFN_NONE, SLOT_NONE, 0);
	told = 0;
	event_tell_to(listens_once);
	event_tell(THIS_CPU->events, 2);
	irq_restore(flags);
	CHECK(told >= 2);
	CHECK(event_sink == NULL);
}
