/*
 * event.h: each thing that happens to a page, as one record: what the
 * console's `events` and `trace` print and tests read.
 */
#pragma once

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/pte.h"
#include "lib/assert.h"
#include "lib/types.h"

/* X(identifier, word) */
#define EVENT_KINDS(X)                                                        \
	X(FAULT_READ, "fault") /* served; from: the entry before */           \
	X(FAULT_WRITE, "fault")                                               \
	X(AHEAD, "ahead")         /* mapped before a touch; slot: how many */ \
	X(EVICT, "evict")         /* the page left memory */                  \
	X(STAY, "stay")           /* touched while being evicted: it stays */ \
	X(SWAP_OUT, "swap-out")   /* pfn was written to slot */               \
	X(SWAP_IN, "swap-in")     /* slot was read into pfn */                \
	X(ROTATE, "rotate")       /* accessed since it was last looked at */  \
	X(FREE, "free")           /* vmap_free or exit released the page */   \
	X(SHOOTDOWN, "shootdown") /* address flushed on other CPUs */         \
	X(BAD_ACCESS, "bad-access")

enum event_kind {
#define EVENT_ENUM(identifier, word) EVENT_##identifier,
	EVENT_KINDS(EVENT_ENUM)
#undef EVENT_ENUM
		EVENT_KIND_COUNT
};

struct event {
	union {
		uint64_t time; /* time stamp counter */
		struct {
			uint32_t time_low, time_high; /* as it is read */
		};
	};
	vaddr_t address; /* of the page */
	uint32_t pfn;    /* PFN_NONE if none */
	uint32_t slot;   /* SLOT_NONE if none */
	uint8_t kind;    /* enum event_kind */
	uint8_t from;    /* PTE_KIND_* or PTE_PRESENT bits of the entry before; EVICT: PAGE_DIRTY */
	uint16_t pid;
	uint32_t cpu; /* whose ring it is in: written once */
};
STATIC_ASSERT(sizeof(struct event) == 32);
/* event_fill() */
STATIC_ASSERT(offsetof(struct event, kind) == 24 && offsetof(struct event, from) == 25 &&
	      offsetof(struct event, pid) == 26);

#define EVENT_RING 512u /* events that each CPU remembers */

/* Written by its own CPU only, with interrupts off. */
struct event_ring {
	uint64_t bytes; /* of the events recorded so far */
	struct event events[EVENT_RING];
} __attribute__((aligned(64)));

extern struct event_ring event_rings[CPU_MAX];

/* While set, each event is also handed to it as it happens, interrupts off: `trace on`. */
extern void (*event_sink)(const struct event *event);

/* Sets it; NULL: nobody is told. One caller at a time. */
void event_tell_to(void (*sink)(const struct event *event));

/* Hands over the newest of a ring. Called through event_tell_saving (kernel/saving.S). */
void event_tell(const struct event_ring *ring, unsigned count);

/* Where a ring's next event goes after so many bytes. */
ALWAYS_INLINE struct event *event_at(struct event_ring *ring, uint64_t bytes)
{
	return (struct event *)((char *)ring->events + bytes % sizeof(ring->events));
}

/* All of an event but its time. */
ALWAYS_INLINE void event_fill(struct event *event, enum event_kind kind, pid_t pid, vaddr_t address,
			      pfn_t pfn, uint32_t slot, uint64_t from)
{
	event->address = address;
	event->pfn = pfn;
	event->slot = slot;
	/* kind, from and pid */
	*(uint32_fields_t *)&event->kind =
		((uint32_t)pid << 16) + ((uint32_t)(uint8_t)from << 8) + (uint32_t)kind;
}

/* As event_record(), where nobody is told: on the straight line of a fault (kernel/detour.h). */
ALWAYS_INLINE struct event_ring *event_record_only(enum event_kind kind, pid_t pid, vaddr_t address,
						   pfn_t pfn, uint32_t slot, uint64_t from)
{
	struct event_ring *ring = THIS_CPU->events;
	uint64_t bytes = ring->bytes;
	struct event *event = event_at(ring, bytes);

	event_fill(event, kind, pid, address, pfn, slot, from);
	cpu_tsc_halves(&event->time_low, &event->time_high);
	WRITE_ONCE(ring->bytes, bytes + sizeof(struct event));
	return ring;
}

/* Records one on this CPU. Interrupts are off; any lock may be held. */
ALWAYS_INLINE void event_record(enum event_kind kind, pid_t pid, vaddr_t address, pfn_t pfn,
				uint32_t slot, uint64_t from)
{
	struct event_ring *ring = event_record_only(kind, pid, address, pfn, slot, from);

	if (UNLIKELY(event_sink != NULL))
		__asm__ volatile("call event_tell_saving" : : "D"(ring), "S"(1) : "memory", "cc");
}

/* Boot: gives each CPU its ring. */
void event_init(void);

/*
 * The last `max` events of all CPUs, oldest first; returns how many. May miss
 * what other CPUs overwrite while it reads. Takes no lock.
 */
unsigned event_read(struct event *events, unsigned max);

/* "evict pid 3 0x0000002000000000 pfn 812 -> slot 7 dirty"; as format(). */
int event_format(const struct event *event, char *buffer, size_t size_bytes);
