/*
 * event.c: a ring of events for each CPU, merged by time when read.
 *
 * Only its own CPU writes a ring, with interrupts off, so recording takes no
 * lock. A reader on another CPU may see an event half written; it shows wrong
 * for a moment and harms nothing.
 */
#include "kernel/mm/event.h"

#include "arch/x86_64/cpu.h"
#include "kernel/detour.h"
#include "kernel/mm/frame.h"
#include "lib/format.h"

#define RING_EVENTS EVENT_RING
STATIC_ASSERT((RING_EVENTS & (RING_EVENTS - 1)) == 0);

struct event_ring event_rings[CPU_MAX];

void (*event_sink)(const struct event *event);

void event_tell(const struct event_ring *ring, unsigned count)
{
	/* Once: it may end meanwhile. */
	void (*sink)(const struct event *event) = READ_ONCE(event_sink);
	uint64_t end = ring->bytes / sizeof(struct event);

	for (uint64_t at = end - count; sink && at < end; at++)
		sink(&ring->events[at % RING_EVENTS]);
}

void event_tell_to(void (*sink)(const struct event *event))
{
	WRITE_ONCE(event_sink, sink);
	detour_set(DETOUR_TELL, sink);
}

void event_init(void)
{
	for (unsigned cpu = 0; cpu < CPU_MAX; cpu++) {
		cpus[cpu].events = &event_rings[cpu];
		for (unsigned i = 0; i < EVENT_RING; i++)
			event_rings[cpu].events[i].cpu = cpu;
	}
}

static const char *const kind_words[EVENT_KIND_COUNT] = {
#define EVENT_WORD(identifier, word) word,
	EVENT_KINDS(EVENT_WORD)
#undef EVENT_WORD
};

/* How many events that CPU has recorded. */
static uint64_t recorded(unsigned cpu)
{
	return READ_ONCE(event_rings[cpu].bytes) / sizeof(struct event);
}

unsigned event_read(struct event *events, unsigned max)
{
	uint64_t at[CPU_MAX]; /* events of the CPU still to be looked at are below */
	unsigned count = 0;

	for (unsigned cpu = 0; cpu < cpu_count; cpu++)
		at[cpu] = recorded(cpu);
	/* From the newest backwards, filling the caller's array from its end. */
	while (count < max) {
		const struct event *newest = NULL;
		unsigned from = 0;

		for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
			const struct event *event =
				&event_rings[cpu].events[(at[cpu] - 1) % RING_EVENTS];

			if (at[cpu] == 0 || at[cpu] + RING_EVENTS <= recorded(cpu))
				continue;
			if (!newest || event->time > newest->time) {
				newest = event;
				from = cpu;
			}
		}
		if (!newest)
			break;
		at[from]--;
		count++;
		events[max - count] = *newest;
	}
	if (count < max)
		for (unsigned i = 0; i < count; i++)
			events[i] = events[max - count + i];
	return count;
}

/* What the entry held before a fault. */
static const char *from_word(uint8_t from)
{
	switch (from & (PTE_PRESENT | PTE_KIND_MASK)) {
	case PTE_KIND_UNTOUCHED:
		return "untouched";
	case PTE_KIND_RESTING:
		return "resting";
	case PTE_KIND_TRANSIT:
		return "transit";
	case PTE_KIND_SWAPPED:
		return "swapped";
	case PTE_KIND_ASK:
		return "ask";
	case 0:
		return "none";
	default:
		return "present";
	}
}

int event_format(const struct event *event, char *buffer, size_t size_bytes)
{
	int length = format(buffer, size_bytes, "%s pid %d 0x%016lx", kind_words[event->kind],
			    event->pid, event->address);
	char *rest = buffer + MIN((size_t)length, size_bytes);
	size_t room = size_bytes - MIN((size_t)length, size_bytes);

	switch ((enum event_kind)event->kind) {
	case EVENT_FAULT_READ:
	case EVENT_FAULT_WRITE:
		length += format(rest, room, " %s %s",
				 event->kind == EVENT_FAULT_READ ? "read" : "write",
				 from_word(event->from));
		rest = buffer + MIN((size_t)length, size_bytes);
		room = size_bytes - MIN((size_t)length, size_bytes);
		if (event->slot != SLOT_NONE)
			return length +
			       format(rest, room, " slot %u -> pfn %u", event->slot, event->pfn);
		return length + format(rest, room, " -> pfn %u", event->pfn);
	case EVENT_AHEAD:
		return length + format(rest, room, " pages %u -> pfn %u", event->slot, event->pfn);
	case EVENT_EVICT:
		if (event->slot == SLOT_NONE)
			return length + format(rest, room, " pfn %u -> zero", event->pfn);
		return length + format(rest, room, " pfn %u -> slot %u %s", event->pfn, event->slot,
				       event->from ? "dirty" : "clean");
	case EVENT_SWAP_OUT:
		return length + format(rest, room, " pfn %u -> slot %u", event->pfn, event->slot);
	case EVENT_SWAP_IN:
		return length + format(rest, room, " slot %u -> pfn %u", event->slot, event->pfn);
	case EVENT_STAY:
	case EVENT_ROTATE:
	case EVENT_FREE:
		return length + format(rest, room, " pfn %u", event->pfn);
	default:
		return length + format(rest, room, " cpu %u", event->cpu);
	}
}
