/*
 * vmap.h: a process's address space and the blocks in it: the thread lab's API.
 *
 * Each live process has a slot; its blocks lie in slice `slot` of the process
 * half, so an address says whose it is. A slice is cut into arenas of 4 GiB,
 * one for each power of two from 16 bytes to 2 GiB. A block's number follows
 * from its address by a shift; what is known of it lies in the kernel's own
 * pages. The page tables of a block are made when it is allocated and stay
 * while the address space lives, so a fault never needs one.
 *
 * Rules of use: the four functions of the lab are called by threads of the
 * process that owns the VMap, or by the kernel's own threads: any VMap whose
 * process they hold meanwhile (process_with()).
 * Several threads may call them at once; a mutex of the VMap serialises.
 */
#pragma once

#include <sys/queue.h>

#include "arch/x86_64/pte.h"
#include "arch/x86_64/tlb.h"
#include "kernel/config.h"
#include "kernel/mm/frame.h"
#include "kernel/sched/mutex.h"
#include "lib/page_array.h"

#define ARENA_SHIFT 32                            /* 4 GiB each */
#define ARENA_COUNT 28                            /* block sizes 1 << 4 .. 1 << 31 */
#define ARENA_MIN_SHIFT 4                         /* the smallest block: 16 bytes */
#define PAGE_ARENA (PAGE_SHIFT - ARENA_MIN_SHIFT) /* its blocks have one page */
#define ARENA_BLOCK_MAX (1u << 22) /* blocks of one size in one process: 23 bits name them */

/* 8 bytes a block, in the kernel's pages. */
struct block {
	uint32_t size_bytes;     /* as asked for; 0: free */
	uint32_t next_free : 23; /* while free: index of the next one + 1, 0 ends */
	uint32_t page_live : 9;  /* first block of a page shared by small ones: live blocks there */
};
STATIC_ASSERT(sizeof(struct block) == 8);

struct arena {
	struct page_array blocks; /* struct block */
	vaddr_t base;             /* constant: of its first block */
	uint32_t first_free;      /* index + 1; the last freed is used first */
	uint32_t used;            /* blocks [0, used) were given out at some time */
	uint64_t tables_end;      /* level-1 tables exist for offsets below; multiple of 2 MiB */
	uint64_t recent_span;     /* which level-1 table was used last, by its number, ... */
	pte_t *recent_table;      /* ... and the table */
};
STATIC_ASSERT(sizeof(struct arena) == 64);

STATIC_ASSERT(ARENA_BLOCK_MAX < 1u << 23 && ARENA_COUNT <= 32 && CPU_MAX <= 16);

struct mapping;

struct VMap {
	struct address_space space;
	uint16_t slot; /* 1 .. PROCESS_MAX: names the slice */
	pid_t pid;
	uint64_t new_head;     /* frame_head() of a page that was never away, and is listed */
	unsigned neighbours;   /* pages that a first touch maps: 1 .. NEIGHBOURS_MAX */
	uint32_t evictor_refs; /* pages that evictors hold; atomic, raised under the lru lock */
	/* Level-1 tables that faults found not long ago: see vmap_recent_entry(). No lock. */
	uint64_t recent_tables[RECENT_TABLES];
	struct mutex mutex;   /* class vmap: guards the rest */
	uint64_t committed;   /* pages promised to the process */
	uint64_t table_pages; /* page-table frames, the root included */
	struct arena arenas[ARENA_COUNT];
	/* Freed blocks whose pages other CPUs may still reach (quarantine.h). */
	unsigned resting_count;
	struct resting_block {
		uint32_t index : 23;
		uint32_t arena : 5;
		uint32_t cpu : 4; /* struct quarantine_mark */
		uint16_t batch;
	} __attribute__((packed)) resting[QUARANTINE_BLOCKS];
	LIST_HEAD(, mapping) mappings; /* mapping.h */
};

/*
 * Allocates size bytes; the block is aligned to its size rounded up to a power
 * of two, or to 4 KiB if that is less. Whole pages read as zero; a block of
 * less than a page may hold what the process itself left there.
 * NULL with the thread's errno: EINVAL (size <= 0, no VMap), EPERM (another
 * process's VMap), ESRCH (a dead one's), ENOMEM (not promised, nothing changed).
 */
void *vmap_malloc(struct VMap *vmap, int size);

/*
 * Frees a block. NULL is no-op. Sets the thread's errno, 0 if all went well:
 * EINVAL (interior, freed already, never allocated), EPERM (another process's
 * VMap or address, a kernel address); then nothing is freed. The caller finds the
 * pages gone. A thread that runs on another CPU meanwhile may see those of a block of
 * several for a while yet, as if the call came later; nobody else has them until then,
 * unless the same block is given out again.
 */
void vmap_free(struct VMap *vmap, void *data);

/*
 * Copies size bytes from the caller's buffer `data` to `mem` in the VMap, or
 * from `mem` to `data`. `mem`'s range lies in one block (or in the program's
 * data); `data` is the kernel's memory or the caller's own. Overlap is as
 * memmove. Returns 0, or -EINVAL (size < 0, no VMap), -EPERM (another
 * process's VMap), -ESRCH (a dead one's), -EFAULT (a bad range, and nothing was written; or the
 * page was lost in swap, and the process ends).
 */
int vmap_copy_to_memory(struct VMap *vmap, void *mem, void *data, int size);
int vmap_copy_from_memory(struct VMap *vmap, void *data, void *mem, int size);

/*
 * Between a buffer that the calling program names, in its own memory or the
 * kernel's (a stack, a constant), and memory of the kernel that does not fault.
 * 0, or -EFAULT if the buffer is not all there (writable, to be written to),
 * and then nothing was written; or its page was lost in swap. May sleep.
 */
int vmap_buffer_read(void *to, const void *buffer, size_t size_bytes) MUST_CHECK;
int vmap_buffer_write(void *buffer, const void *from, size_t size_bytes) MUST_CHECK;

/* Is the whole buffer there, to be read or to be written to? 0 or -EFAULT. */
enum buffer_use { BUFFER_READ, BUFFER_WRITE };
int vmap_buffer_check(const void *buffer, size_t size_bytes, enum buffer_use use) MUST_CHECK;

/* A NUL-terminated text likewise. Its length, -EFAULT, or -ENAMETOOLONG (to has no room). */
int vmap_buffer_text(char *to, const char *text, size_t size_bytes) MUST_CHECK;

/* The calling thread's error number: see above. */
int *vmap_errno(void);

/* The programs' global variables: so many bytes at PROGRAM_BASE. */
uint64_t program_data_bytes(void);

/* A new address space for `pid` in `slot`, with the programs' data. 0 or -ENOMEM. May sleep. */
int vmap_create(struct VMap *vmap, pid_t pid, uint16_t slot) MUST_CHECK;

/*
 * Frees everything. No thread of the process runs in it any more; evictors may
 * still hold pages: waits for them. The slot is free afterwards. May sleep.
 */
void vmap_destroy(struct VMap *vmap);

/* The VMap in a slot, or NULL. Stays while the process table is locked, or a page of it is listed.
 */
extern struct VMap *vmap_by_slot[PROCESS_MAX + 1];

/* The slot whose slice an address lies in; 0 for the programs' data. */
ALWAYS_INLINE unsigned vmap_slice(vaddr_t address)
{
	return (unsigned)(address >> SLICE_SHIFT);
}

/* The VMap whose root this CPU has loaded, or NULL. */
ALWAYS_INLINE struct VMap *vmap_current(void)
{
	struct address_space *space = THIS_CPU->space;

	return space ? CONTAINER_OF(space, struct VMap, space) : NULL;
}

/* The entry for an address in a table that an entry of the next level points to; NULL: no table. */
ALWAYS_INLINE pte_t *table_entry(const pte_t *above, vaddr_t address, int level)
{
	pte_t entry = pte_read(above);

	if (UNLIKELY(!pte_is_present(entry)))
		return NULL;
	return (pte_t *)direct_map(entry.bits & PTE_FRAME_MASK) + pte_index(address, level);
}

/* The level-1 entry for an address, or NULL where there is no table. Lock-free: tables stay. */
ALWAYS_INLINE pte_t *vmap_entry(const struct VMap *vmap, vaddr_t address)
{
	const pte_t *entry = (pte_t *)direct_map(vmap->space.root) + pte_index(address, 4);

	entry = table_entry(entry, address, 3);
	entry = LIKELY(entry) ? table_entry(entry, address, 2) : NULL;
	return LIKELY(entry) ? table_entry(entry, address, 1) : NULL;
}

/*
 * A level-1 table's place is its number, of all that an address space may have. A table
 * that was found is remembered in one word, so no CPU sees half of it: 48 bits of its
 * address in the direct map, whose others are those of the highest, and in the low bits its
 * place, which leaves zeros of an address in the kernel's half.
 */
#define RECENT_PLACE_MASK 0xfffffffull
#define RECENT_TABLE_SHIFT 16
#define RECENT_TABLE_NONE (1ull << 27) /* the place of no address: its bits 47 and 48 differ */

/* What vmap_entry() told for an address of the same table not long ago; else NULL. */
ALWAYS_INLINE pte_t *vmap_recent_entry(const struct VMap *vmap, vaddr_t address)
{
	uint64_t place = address / TABLE_SPAN;
	const uint64_t *known = &vmap->recent_tables[place % RECENT_TABLES];
	uint64_t table = READ_ONCE(*known) ^ place;
	pte_t *entry;

	if (UNLIKELY(table & RECENT_PLACE_MASK))
		return NULL;
	entry = (pte_t *)((int64_t)table >> RECENT_TABLE_SHIFT) + pte_index(address, 1);
	ASSUME(entry != NULL);
	return entry;
}

/* Remembers it: tables stay while the address space lives. */
ALWAYS_INLINE void vmap_remember_entry(struct VMap *vmap, vaddr_t address, const pte_t *entry)
{
	uint64_t place = address / TABLE_SPAN;
	uint64_t table = (vaddr_t)entry & PAGE_MASK;

	WRITE_ONCE(vmap->recent_tables[place % RECENT_TABLES], table << RECENT_TABLE_SHIFT | place);
}

/* The frame of the level-1 table that an entry lies in: whose lock guards it. */
ALWAYS_INLINE struct frame *vmap_table_of(const pte_t *entry)
{
	/* The mask changes nothing, but lets the compiler do with one shift. */
	return frame_at(direct_to_pfn(entry) & (RAM_END_BYTES / PAGE_SIZE - 1));
}

/* Counts of pages by state, by a walk. */
struct vmap_usage {
	uint64_t resident, swapped, untouched, committed;
	uint64_t shared; /* of the resident ones: pages of objects */
};

void vmap_usage(struct VMap *vmap, struct vmap_usage *usage);

/* A live block, for `vmap PID` and check. Returns false to stop. */
struct vmap_block {
	vaddr_t address;
	uint32_t size_bytes;
	uint64_t resident, swapped, untouched; /* whole pages that it touches */
};

/* Calls visit for each live block, by size and address, with the VMap's mutex held. */
void vmap_visit_blocks(struct VMap *vmap,
		       bool (*visit)(const struct vmap_block *block, void *context), void *context);

/* Does [address, address + size) lie in one live block or the program's data? The mutex is held. */
bool vmap_range_valid(struct VMap *vmap, vaddr_t address, uint64_t size_bytes);

/* Invariants 3 to 6, 10 and 11 for one process. */
struct check;
void vmap_check(struct VMap *vmap, struct check *check);
