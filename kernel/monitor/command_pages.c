/*
 * command_pages.c: pages one by one: lru, vmap, pt, frames.
 *
 * What lies under a spinlock is first copied, a bounded number at a time, and
 * printed when the lock is free; so a table is exact only of a quiet system.
 */
#include "kernel/mm/frame.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/policy.h"
#include "kernel/mm/vmap.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/input.h"
#include "kernel/proc/process.h"
#include "lib/string.h"

/* ---- lru ----------------------------------------------------------------------- */

#define LRU_BATCH 512 /* pages noted by one walk of the list */

struct lru_page {
	vaddr_t address;
	pid_t pid;
	pfn_t pfn;
	uint32_t age;
};

static struct {
	uint64_t skip; /* pages printed by earlier walks */
	uint64_t seen;
	unsigned count;
	struct lru_page pages[LRU_BATCH];
} lru;

/* The lru lock is held, so the page's owner lives. */
static void lru_line(struct frame *frame, void *context)
{
	bool shared = frame->state == FRAME_SHARED;
	const struct VMap *vmap = shared ? NULL : vmap_by_slot[frame->owner];

	(void)context;
	if (lru.seen++ < lru.skip || lru.count == LRU_BATCH)
		return;
	lru.pages[lru.count++] = (struct lru_page){
		.address = shared ? (vaddr_t)frame->shared.index * PAGE_SIZE : frame->page.address,
		.pid = vmap ? vmap->pid : 0,
		.pfn = frame_pfn(frame),
		.age = policy_age(frame),
	};
}

static int lru_run(int argc, char **argv)
{
	(void)argc, (void)argv;
	lru.skip = 0;
	do {
		lru.seen = 0;
		lru.count = 0;
		lru_visit(lru_line, NULL);
		lru.skip += lru.count;
		for (unsigned i = 0; i < lru.count; i++)
			console_print("%d 0x%016lx %u %u\n", lru.pages[i].pid, lru.pages[i].address,
				      lru.pages[i].pfn, lru.pages[i].age);
		if (command_interrupted())
			return -EINTR;
	} while (lru.count == LRU_BATCH);
	return 0;
}

COMMAND(40, lru, .name = "lru", .arguments = "", .summary = "resident pages, next victim first",
	.run = lru_run,
	.detail = "Lines of PID ADDR PFN AGE; AGE counts the pages that became resident or were\n"
		  "found in use since this one was. PID 0: a page of a file or of shared memory,\n"
		  "and where in it.\n");

/* ---- vmap ---------------------------------------------------------------------- */

static bool block_print(const struct vmap_block *block, void *context)
{
	(void)context;
	console_print("0x%016lx %12u %9lu %9lu %9lu\n", block->address, block->size_bytes,
		      block->resident, block->swapped, block->untouched);
	return !input_interrupted();
}

static void vmap_print(struct process *process, void *context)
{
	(void)context;
	console_print("%-18s %12s %9s %9s %9s\n", "ADDR", "SIZE", "RESIDENT", "SWAPPED",
		      "UNTOUCHED");
	vmap_visit_blocks(&process->vmap, block_print, NULL);
}

static int vmap_run(int argc, char **argv)
{
	pid_t pid;
	int error = argument_pid(argv[1], &pid);

	(void)argc;
	if (error == 0)
		error = command_errno(process_with(pid, vmap_print, NULL));
	if (error == 0 && command_interrupted())
		return -EINTR;
	return error;
}

COMMAND(41, vmap, .name = "vmap", .arguments = "PID", .summary = "the blocks of a process",
	.min = 1, .max = 1, .run = vmap_run,
	.detail = "SIZE is what vmap_malloc was asked for, in bytes; the others are pages.\n");

/* ---- pt ------------------------------------------------------------------------ */

static void entry_print_present(pte_t entry, int level)
{
	uint64_t bits = entry.bits;
	bool is_page = level == 1 || bits & PTE_LARGE;

	console_print("%s pfn %u%s%s%s%s%s%s%s%s\n", is_page ? "page" : "table", pte_pfn(entry),
		      bits & PTE_WRITABLE ? " writable" : " read-only",
		      is_page && !(bits & PTE_NO_EXECUTE) ? " executable" : "",
		      bits & PTE_ACCESSED ? " accessed" : "", bits & PTE_DIRTY ? " dirty" : "",
		      bits & PTE_CACHE_DISABLE ? " uncached" : "",
		      bits & PTE_GLOBAL ? " global" : "",
		      level == 1 && bits & PTE_SHARED ? " shared" : "",
		      level == 1 && bits & PTE_COPY ? " copy" : "");
}

static void entry_print(pte_t entry, int level)
{
	if (pte_is_present(entry))
		entry_print_present(entry, level);
	else if (pte_is_none(entry))
		console_print("none\n");
	else if (level > 1)
		console_print("not present\n");
	else if (pte_is_untouched(entry))
		console_print("untouched%s\n", entry.bits & PTE_AWAY_IMAGE ? " image" : "");
	else if (pte_is_resting(entry))
		console_print("resting pfn %u\n", pte_pfn(entry));
	else if (pte_is_transit(entry))
		console_print("transit pfn %u\n", pte_pfn(entry));
	else if (pte_is_ask(entry))
		console_print("ask mapping %u%s\n", pte_mapping(entry),
			      entry.bits & PTE_COPY ? " copy" : "");
	else if (pte_is_swapped(entry))
		console_print("swapped slot %u generation %u\n", pte_slot(entry),
			      pte_generation(entry));
	else
		console_print("unknown\n");
}

static void pt_print(struct process *process, void *context)
{
	vaddr_t address = *(vaddr_t *)context;
	const pte_t *table = direct_map(process->vmap.space.root);

	console_print("%5s %5s %-18s %s\n", "LEVEL", "INDEX", "ENTRY", "MEANING");
	for (int level = 4; level > 0; level--) {
		unsigned index = pte_index(address, level);
		pte_t entry = pte_read(&table[index]);

		console_print("%5d %5u 0x%016lx ", level, index, entry.bits);
		entry_print(entry, level);
		if (!pte_is_present(entry) || (level > 1 && entry.bits & PTE_LARGE))
			break;
		table = pfn_to_direct(pte_pfn(entry));
	}
}

static int pt_run(int argc, char **argv)
{
	uint64_t address;
	pid_t pid;
	int error = argument_pid(argv[1], &pid);

	(void)argc;
	if (error == 0)
		error = argument_address(argv[2], "ADDR", &address);
	if (error != 0)
		return error;
	if (address >= PROCESS_END && address < DIRECT_BASE)
		return command_fail(EINVAL, "0x%016lx is not canonical: it has no entry", address);
	return command_errno(process_with(pid, pt_print, &address));
}

COMMAND(42, pt, .name = "pt", .arguments = "PID ADDR",
	.summary = "the page-table walk of one address", .min = 2, .max = 2, .run = pt_run);

/* ---- frames -------------------------------------------------------------------- */

/* Frames of the two states that have owners, by the owner's slot. */
static struct {
	uint32_t private[PROCESS_MAX + 1];
	uint32_t page_table[PROCESS_MAX + 1];
} owned;

static void frames_count(void)
{
	memset(&owned, 0, sizeof(owned));
	for (pfn_t pfn = 0; pfn < frame_limit; pfn++) {
		const struct frame *frame = &frames[pfn];
		unsigned owner = MIN(frame->owner, (unsigned)PROCESS_MAX);

		if (frame->state == FRAME_PRIVATE)
			owned.private[owner]++;
		else if (frame->state == FRAME_PAGE_TABLE)
			owned.page_table[owner]++;
	}
}

static void slot_get(struct process *process, void *context)
{
	*(unsigned *)context = process->slot;
}

static void frames_print_row(const char *state, pid_t pid, uint64_t count)
{
	if (pid != 0)
		console_print("%-10s %5d %9lu\n", state, pid, count);
	else
		console_print("%-10s %5s %9lu\n", state, "-", count);
}

/* One state's frames by process; what belongs to nobody alive comes last, without a PID. */
static void frames_print_owned(enum frame_state state, uint32_t *counts)
{
	struct process_info info;
	uint64_t rest = 0;

	for (pid_t pid = 1; process_next(pid, &info); pid = info.pid + 1) {
		unsigned slot = 0;

		if (process_with(info.pid, slot_get, &slot) != 0 || counts[slot] == 0)
			continue;
		frames_print_row(frame_state_name(state), info.pid, counts[slot]);
		counts[slot] = 0;
	}
	for (unsigned slot = 0; slot <= PROCESS_MAX; slot++)
		rest += counts[slot];
	if (rest > 0)
		frames_print_row(frame_state_name(state), 0, rest);
}

static int frames_run(int argc, char **argv)
{
	uint64_t counts[FRAME_STATE_COUNT];

	(void)argc, (void)argv;
	frames_count();
	frame_census(counts);
	console_print("%-10s %5s %9s\n", "STATE", "PID", "FRAMES");
	for (unsigned state = 0; state < FRAME_STATE_COUNT; state++) {
		if (state == FRAME_PRIVATE)
			frames_print_owned(state, owned.private);
		else if (state == FRAME_PAGE_TABLE)
			frames_print_owned(state, owned.page_table);
		else
			frames_print_row(frame_state_name(state), 0, counts[state]);
	}
	return 0;
}

COMMAND(43, frames, .name = "frames", .arguments = "",
	.summary = "frames of RAM by state and owner", .run = frames_run);
