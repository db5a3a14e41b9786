/*
 * frame.h: physical memory, one descriptor a frame, and its allocator.
 *
 * The allocator knows frames only, nothing of processes: whose page a frame
 * holds is written into its descriptor by the layer above (vmap, fault,
 * reclaim).
 */
#pragma once

#include "arch/x86_64/boot_info.h"
#include "arch/x86_64/direct.h"
#include "kernel/sched/count_lock.h"
#include "kernel/sched/spinlock.h"
#include "lib/types.h"

enum frame_state {
	FRAME_RESERVED, /* not RAM, or firmware's; also what the loader left that is still used */
	FRAME_FREE,
	FRAME_KERNEL, /* image, descriptors, stacks, the kernel's own data */
	FRAME_PAGE_TABLE,
	FRAME_PRIVATE, /* a page of one process */
	FRAME_SHARED,  /* a page of a shared memory object */
	FRAME_RAMDISK,
	FRAME_STATE_COUNT
};

/* Flags of a private page; of a shared one, where object_pages stands for page_table. */
#define PAGE_DIRTY 0x01    /* sticky: written since it last equalled its slot; page_table lock */
#define PAGE_LISTED 0x02   /* known to the policy (lru.c); lru lock */
#define PAGE_EVICTING 0x04 /* an evictor took it off the lists and holds the frame; lru lock */
#define PAGE_DISOWNED 0x08 /* freed while evicting: the evictor releases it; page_table lock */
#define PAGE_AHEAD 0x08    /* while listed: mapped ahead of any touch (lru.c); lru lock */
#define PAGE_TAIL 0x10     /* rests, a next victim (lru_tail.c); lru lock */
#define PAGE_TOUCHED 0x20  /* mapped again while evicting: it stays; page_table lock */
#define PAGE_FLUSHED 0x40  /* rests, all CPUs have forgotten it (lru_tail.c); lru lock */
#define PAGE_SECOND 0x80   /* of its policy's two lists, on the second; lru lock */

#define SLOT_NONE 0xffffffffu

/* The lower half of a descriptor's address, whose upper half is all ones; 0: of none. */
typedef uint32_t frame_link_t;

/*
 * A frame's descriptor. `state` is changed by frame_set_state() alone, by
 * whoever holds the frame at that moment.
 */
struct frame {
	uint8_t state; /* enum frame_state */
	uint8_t flags; /* PAGE_*: of a private page; atomic, as two locks guard them */
	union {
		uint16_t owner;     /* slot of the VMap whose page or table it is */
		uint16_t map_count; /* of a shared page: entries that hold it; atomic */
	};
	uint32_t slot; /* the swap slot that a page keeps, or SLOT_NONE; page_table and lru lock */
	union {
		struct { /* FRAME_PRIVATE. Constant while resident but for what is said. */
			vaddr_t address;   /* where in the owner */
			uint32_t entry;    /* that points here: its pte_number() */
			uint32_t stamp;    /* of the policy (policy.h); lru lock */
			frame_link_t next; /* toward the younger; lru lock */
			frame_link_t prev; /* toward the older; lru lock */
		} page;
		struct { /* FRAME_SHARED. Constant while resident but for what is said. */
			pfn_t object;   /* of the object's own page ... */
			uint32_t index; /* ... and which page of the object this is */
			pfn_t record;   /* of the page of records in which this one's is */
			uint32_t stamp; /* these three as of a private page */
			frame_link_t next;
			frame_link_t prev;
		} shared;
		struct { /* FRAME_PAGE_TABLE */
			struct spinlock
				lock; /* page_table: guards the entries of a level-1 table */
			vaddr_t base; /* first address that the table covers */
			uint32_t level;
		} table;
	};
};
STATIC_ASSERT(sizeof(struct frame) == 32);

extern struct frame frames[]; /* by pfn, at FRAMES_BASE */
extern pfn_t frame_limit;     /* the first pfn without a descriptor */

ALWAYS_INLINE frame_link_t frame_link(const struct frame *frame)
{
	STATIC_ASSERT(FRAMES_BASE >> 31 == UINT64_MAX >> 31);
	return (frame_link_t)(vaddr_t)frame;
}

ALWAYS_INLINE struct frame *frame_linked(frame_link_t link)
{
	return (struct frame *)(int64_t)(int32_t)link;
}

ALWAYS_INLINE pfn_t frame_pfn(const struct frame *frame)
{
	pfn_t pfn = (pfn_t)(frame - frames);

	ASSUME(pfn != PFN_NONE);
	return pfn;
}

/* frames[pfn] for who goes on with it: in one register, where gcc 12 makes a sum for each field. */
ALWAYS_INLINE struct frame *frame_at(pfn_t pfn)
{
	struct frame *frame = &frames[pfn];

	__asm__("" : "+r"(frame));
	return frame;
}

/* Is it a page that a policy knows, a process's or an object's? */
ALWAYS_INLINE bool frame_is_page(const struct frame *frame)
{
	uint8_t state = READ_ONCE(frame->state);

	return state == FRAME_PRIVATE || state == FRAME_SHARED;
}

/* Is it a process's page, and has it the flag? */
ALWAYS_INLINE bool frame_is_private_with(const struct frame *frame, uint8_t flag)
{
	STATIC_ASSERT(offsetof(struct frame, state) == 0 && offsetof(struct frame, flags) == 1);
	return (READ_ONCE(*(const uint32_fields_t *)frame) & (0xffu | (uint32_t)flag << 8)) ==
	       (FRAME_PRIVATE | (uint32_t)flag << 8);
}

ALWAYS_INLINE void frame_flag_set(struct frame *frame, uint8_t flag)
{
	__atomic_fetch_or(&frame->flags, flag, __ATOMIC_RELAXED);
}

ALWAYS_INLINE void frame_flag_clear(struct frame *frame, uint8_t flag)
{
	__atomic_fetch_and(&frame->flags, (uint8_t)~flag, __ATOMIC_RELAXED);
}

ALWAYS_INLINE bool frame_flag(const struct frame *frame, uint8_t flag)
{
	return READ_ONCE(frame->flags) & flag;
}

/* State, flags, owner and slot of a private page's descriptor as one word, and storing it. */
ALWAYS_INLINE uint64_t frame_head(uint8_t flags, uint16_t owner, uint32_t slot)
{
	return FRAME_PRIVATE | (uint64_t)flags << 8 | (uint64_t)owner << 16 | (uint64_t)slot << 32;
}

/* The same head, but of a page that has a slot, where it had none. */
ALWAYS_INLINE uint64_t frame_head_with_slot(uint64_t head, uint32_t slot)
{
	return (uint32_t)head | (uint64_t)slot << 32;
}

ALWAYS_INLINE void frame_head_store(struct frame *frame, uint64_t head)
{
	STATIC_ASSERT(offsetof(struct frame, flags) == 1 && offsetof(struct frame, owner) == 2 &&
		      offsetof(struct frame, slot) == 4);
	__atomic_store_n((uint64_fields_t *)frame, head, __ATOMIC_RELEASE);
}

/* What the boot found; constant afterwards. */
struct frame_memory {
	uint64_t ram_pages; /* usable according to the (sanitised) memory map, all of them */
	uint64_t ramdisk_pages;
	paddr_t ram_end; /* end of the highest usable range */
};

extern struct frame_memory frame_memory;

/*
 * Takes one free frame and gives it the state. PFN_NONE if no frame is free
 * anywhere, other CPUs' magazines included; nothing is evicted. The content is
 * whatever it was (debug builds: poison). Interrupts are off. O(1) in the size
 * of memory.
 */
ALWAYS_INLINE pfn_t frame_alloc(enum frame_state state);

/*
 * Takes up to `wanted` free frames and gives them the state. Returns how many:
 * other CPUs' magazines are left alone. As frame_alloc() in all else.
 */
unsigned frame_alloc_some(enum frame_state state, pfn_t *pfns, unsigned wanted);

/* Gives back several frames, at most MAGAZINE_FRAMES, as frame_free() does one. */
void frame_free_some(const pfn_t *pfns, unsigned count);

/*
 * Gives a frame back. Its state is kernel, page table, private or shared;
 * anything else (free twice, ramdisk, not RAM) is a panic that names it.
 * Nobody's TLB may hold a translation to it. Interrupts are off.
 */
ALWAYS_INLINE void frame_free(pfn_t pfn);

/* The one function that changes a state; panics unless the frame is in `from`. */
void frame_set_state(pfn_t pfn, enum frame_state from, enum frame_state to);

/* Frames that are free now: bitmap and magazines; exact when the other CPUs are quiet. */
uint64_t frame_free_count(void);

const char *frame_state_name(enum frame_state state);

/* Frames of each state, counted over all descriptors: counts[FRAME_STATE_COUNT]. */
void frame_census(uint64_t *counts);

/*
 * Boot: enters RAM [first, end) as free, in frames that are RESERVED so far.
 * The descriptors exist and are zero.
 */
void frame_add_free(pfn_t first, pfn_t end);

/* Boot: marks [first, end), RESERVED so far, as used by the kernel or the ramdisk. */
void frame_reserve(pfn_t first, pfn_t end, enum frame_state state);

/* Boot: there are `limit` descriptors, mapped and zeroed, and the groups' memory, zeroed. */
void frame_init(void *groups, pfn_t limit);
size_t frame_groups_bytes(pfn_t limit);

/* Invariants 1 and 2, and the poison of free frames. */
struct check;
void frame_check(struct check *check);

/* ---- The quick halves of frame_alloc() and frame_free() --------------------------- */

/*
 * Free frames that a CPU has at hand. `count` is the magazine's lock as well
 * (count_lock.h). Other CPUs take it only when there is no other frame left.
 */
struct magazine {
	uint32_t count;
	pfn_t pfns[MAGAZINE_FRAMES];
} __attribute__((aligned(64)));

/* The magazine was empty or busy when it was exchanged: `count` tells. */
SLOW_PATH pfn_t frame_alloc_slow(struct magazine *magazine, uint32_t count, enum frame_state state);

/* The same, when it was full or busy. Called through frame_free_slow_saving (kernel/saving.S). */
SLOW_PATH void frame_free_slow(struct magazine *magazine, uint32_t count, pfn_t pfn);

/* These two panic; declared so that calling them costs the hot path nothing. */
SLOW_PATH pfn_t frame_alloc_bad(pfn_t pfn);
NORETURN SLOW_PATH void frame_free_bad(pfn_t pfn);

#ifdef DEBUG
void frame_poison(pfn_t pfn);
bool frame_poison_intact(pfn_t pfn);
#else
ALWAYS_INLINE void frame_poison(pfn_t pfn)
{
	(void)pfn;
}

ALWAYS_INLINE bool frame_poison_intact(pfn_t pfn)
{
	(void)pfn;
	return true;
}
#endif

/* Kernel, page table, private or shared: what frame_free() takes. */
ALWAYS_INLINE bool frame_is_in_use(const struct frame *frame)
{
	return (uint8_t)(frame->state - FRAME_KERNEL) <= FRAME_SHARED - FRAME_KERNEL;
}

ALWAYS_INLINE pfn_t frame_alloc(enum frame_state state)
{
	struct magazine *magazine = THIS_CPU->magazine;
	uint32_t count = count_try_take(&magazine->count);
	pfn_t pfn;

	if (UNLIKELY(count - 1 >= MAGAZINE_FRAMES))
		return frame_alloc_slow(magazine, count, state);
	pfn = magazine->pfns[count - 1];
	ASSUME(pfn != PFN_NONE);
	count_put(&magazine->count, count - 1);
	DEBUG_ASSERT(frame_poison_intact(pfn));
	if (UNLIKELY(frames[pfn].state != FRAME_FREE))
		return frame_alloc_bad(pfn);
	frames[pfn].state = (uint8_t)state;
	COUNT(PGALLOC);
	return pfn;
}

ALWAYS_INLINE void frame_free(pfn_t pfn)
{
	struct magazine *magazine = THIS_CPU->magazine;
	uint32_t count;

	if (UNLIKELY(pfn >= frame_limit || !frame_is_in_use(&frames[pfn])))
		frame_free_bad(pfn);
	frame_poison(pfn);
	frames[pfn].state = FRAME_FREE;
	COUNT(PGFREE);
	count = count_try_take(&magazine->count);
	if (UNLIKELY(count >= MAGAZINE_FRAMES)) {
		__asm__ volatile("call frame_free_slow_saving"
				 :
				 : "D"(magazine), "S"(count), "d"(pfn)
				 : "memory", "cc");
		return;
	}
	magazine->pfns[count] = pfn;
	count_put(&magazine->count, count + 1);
}
