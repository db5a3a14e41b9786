/*
 * config.h: every limit, each with its reason.
 */
#pragma once

/* As many as one works with on a desk; a CPU mask is one 64-bit word, so 64 is the next step. */
#define CPU_MAX 16

/* The process half (128 TiB) has 1,024 slices of 128 GiB; slice 0 is the programs' data. */
#define PROCESS_MAX 1023

/* PIDs grow and wrap here, as Linux's do by default; a live one is skipped. */
#define PID_LIMIT 32768

/* Threads of all processes. Each has a slot in the stack area. */
#define THREAD_MAX 8192

/* A kernel stack: deep enough for a fault inside a copy inside a console command. */
#define STACK_PAGES 4
/* A trap that finds less than this left is a stack overflow: its handler would not fit. */
#define STACK_RESERVE_BYTES 2560
/* A service called with less than this left is refused: it may fault and reclaim. */
#define STACK_SERVICE_BYTES 6144

/* Dead threads whose stacks may wait to be freed while new threads are started: 512 KiB of them. */
#define DYING_MAX 32

/* Arguments of a program: as many as fit a console line of words. */
#define PROGRAM_ARGS_MAX 16

/* The longest line the console takes; a longer one is an error, not a cut. */
#define LINE_MAX_BYTES 1024

/* Frames kept by each CPU for quick allocation: one bitmap word's worth. */
#define MAGAZINE_FRAMES 64

/*
 * Pages that one first touch maps at most: with 16 two CPUs that fault scale to 1.9 under QEMU,
 * with 8 to 1.8; and they fit half an inbox.
 */
#define NEIGHBOURS_MAX 16

/* Page tables that a VMap remembers from its last faults: those of 64 MiB in a row. */
#define RECENT_TABLES 32

/*
 * Freed pages, of each CPU, that wait until the others have flushed them: 1 MiB, which its caches
 * still know.
 */
#define QUARANTINE_PAGES 256
/*
 * Freed blocks of a process that wait for the same: as fit in the page that describes it. Blocks
 * of few pages reach this number first.
 */
#define QUARANTINE_BLOCKS 46
/* The pages of one that may: a larger one costs more than its shootdown. */
#define QUARANTINE_BLOCK_PAGES 32

/* New pages that a CPU keeps; from half as many on it looks for the lru lock: twice a magazine. */
#define INBOX_PAGES 63
/* How often pages were mapped ahead, among these: NEIGHBOURS_MAX - 1 each time, mostly. */
#define INBOX_RUNS 4

/*
 * Pages that rest at the old end. In a small memory, up to so many frames, each page counts, so
 * many rest, and a quarter of them are put there by one shootdown. In a larger one as many as one
 * shootdown takes, since each that is used costs a soft fault.
 */
#define TAIL_MEMORY_SMALL 512
#define TAIL_PAGES 128
#define TAIL_BATCH 32

/* But no more than so much of memory; with lru, whose order depends on it, more of it. */
#define TAIL_PERCENT 35
#define TAIL_PERCENT_LRU 90

/* With fewer frames than so many, none rest. */
#define TAIL_FRAMES_MIN 8

/* The smallest resident limit: an instruction may touch four pages (two operands that straddle). */
#define RESIDENT_MIN 4

/*
 * RAM from this address on is not used: a page's descriptor names its entry, of 8 bytes, in 32
 * bits.
 */
#define RAM_END_BYTES (1ull << 35)

/* Less RAM than this cannot hold the image, its tables and a few pages of a process. */
#define RAM_MIN_BYTES (12u << 20)

/* One scheduling quantum in nanoseconds of the APIC timer, which QEMU runs at 1 GHz. */
#define TICK_NANOSECONDS 10000000u

/* Warnings about the kernel's command line that are kept: a screen of them. */
#define OPTIONS_WARNING_BYTES 2048

/* A name of a file with its NUL: as long as anywhere (NAME_MAX), and a label of a module fits. */
#define FILE_NAME_BYTES 256

/* Files that can be made beside the modules: a screen of them; a record is a name and a pointer. */
#define FILE_MAX 64

/* Descriptors of a process: POSIX asks for 20 (_POSIX_OPEN_MAX). */
#define OPEN_MAX 32

/*
 * The largest file: more than RAM and swap of any machine it was tried on, and
 * walking the table of one that is all hole takes a moment only.
 */
#define OBJECT_BYTES_MAX (1ull << 36)

/* How often who wants another CPU's mutex looks before it sleeps: as long as a vmap_free of pages.
 */
#define MUTEX_SPINS 3200

/*
 * How often who wants another CPU's spinlock looks before it waits a moment: as long as most are
 * held. For PAUSE QEMU takes a lock of its own, and makes the holder wait who faults.
 */
#define SPIN_LOOKS 64

/* Seeded schedules (sched/schedule.c): bugs of the ASPLOS 2010 paper are of depth 4 or less. */
#define SCHEDULE_CHANGES_MAX 3
/* The guessed number of points is 2^4 .. 2^12: scenarios have some hundred to some thousand. */
#define SCHEDULE_POINTS_SHIFT_MIN 4
#define SCHEDULE_POINTS_SHIFTS 9
/* Then priorities end: far more than a scenario has unless some CPU starves. */
#define SCHEDULE_PCT_POINTS 8192
/* Above the priorities that change points give, which count down from it. */
#define SCHEDULE_PRIORITY_FIRST 16u
/* At a point, for CPUs of higher priority: enough for one to come to its own next wait. */
#define SCHEDULE_PAUSES_MAX 64
/* A scenario takes a few million: beyond a hundred times that it does not end. */
#define SCHEDULE_INSTRUCTIONS_MAX 400000000ul

/* Mappings of all processes together: a table of 80 KiB; an entry names one in 20 bits. */
#define MAPPING_MAX 1024

/* Semaphores of all programs together, named or not: a process's are the bits of a word. */
#define SEMAPHORES_MAX 64

/* A semaphore's name with its NUL; POSIX has them as short as 14 (_POSIX_NAME_MAX). */
#define SEMAPHORE_NAME_BYTES 64
