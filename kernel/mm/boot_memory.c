/*
 * boot_memory.c: laying out memory at boot.
 *
 *   usable RAM, sanitised
 *     - what is in use: image, loader's structures, modules, the page where
 *       other CPUs start
 *     - one chunk below 4 GiB: frame descriptors, bitmap, swap descriptors, the
 *       kernel's page tables
 *     - the ramdisk, from the largest ranges' upper ends
 *     = free frames
 *
 * Everything here runs once, on one CPU, on the boot page tables, which map the
 * first 4 GiB.
 */
#include "kernel/mm/boot_memory.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/page_bytes.h"
#include "arch/x86_64/pte.h"
#include "arch/x86_64/tlb.h"
#include "kernel/dev/ramdisk.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/ghost.h"
#include "kernel/mm/memory_map.h"
#include "kernel/mm/swap.h"
#include "lib/format.h"

#define RANGE_MAX (BOOT_RANGE_MAX + BOOT_MODULE_MAX + 16)
#define LARGE_PAGE MIB(2)
#define APIC_FIRST \
	0xfec00000ull /* I/O APIC; the local one is at +2 MiB; both in large pages of their own */
#define APIC_SECOND 0xfee00000ull

/* From the linker script. */
extern char image_text_start[], image_text_end[], image_rodata_start[], image_rodata_end[];
extern char image_data_start[], image_end[];

static struct frame_range usable[RANGE_MAX]; /* all RAM */
static unsigned usable_count;
static struct frame_range free_ranges[RANGE_MAX];
static unsigned free_count;

struct ramdisk swap_ramdisk;
bool boot_memory_swap_cut;

/* The chunk from which everything permanent is taken. */
static struct {
	paddr_t next, end;
} chunk;

static void *chunk_take(uint64_t size_bytes)
{
	paddr_t base = chunk.next;

	chunk.next += ALIGN_UP(size_bytes, PAGE_SIZE);
	ASSERT(chunk.next <= chunk.end);
	return direct_map(base);
}

static void take_out(paddr_t base, uint64_t size_bytes)
{
	if (size_bytes)
		free_count =
			memory_map_remove(free_ranges, free_count, RANGE_MAX, phys_to_pfn(base),
					  phys_to_pfn(base + size_bytes + PAGE_SIZE - 1));
}

static bool is_usable(paddr_t base, uint64_t size_bytes)
{
	for (unsigned i = 0; i < usable_count; i++)
		if (base >= (paddr_t)usable[i].first << PAGE_SHIFT &&
		    base + size_bytes <= (paddr_t)usable[i].end << PAGE_SHIFT)
			return true;
	return size_bytes == 0;
}

/* What the loader left and is still used. Returns an error sentence, or NULL. */
static const char *take_out_used(const struct boot_info *info)
{
	static char sentence[128];

	take_out(0, PAGE_SIZE);
	take_out(AP_START_PHYS, PAGE_SIZE);
	take_out(KERNEL_PHYS_BASE, (paddr_t)image_end - KERNEL_BASE - KERNEL_PHYS_BASE);
	take_out(info->info_base, info->info_bytes);
	take_out(info->command_line_base, info->command_line_bytes + 1);
	for (unsigned i = 0; i < info->module_count; i++) {
		const struct boot_module *module = &info->modules[i];

		if (!is_usable(module->base, module->size_bytes)) {
			(void)format(sentence, sizeof(sentence),
				     "module `%.40s' (%lu MiB) does not fit into RAM: give the "
				     "machine more",
				     module->label, module->size_bytes >> 20);
			return sentence;
		}
		take_out(module->base, module->size_bytes);
	}
	return NULL;
}

/* The largest free range below 4 GiB gives the chunk from its upper end. */
static bool chunk_make(uint64_t size_bytes)
{
	pfn_t pages = (pfn_t)(size_bytes / PAGE_SIZE);
	struct frame_range *best = NULL;
	pfn_t limit = phys_to_pfn(GIB(4));
	pfn_t end;

	for (unsigned i = 0; i < free_count; i++) {
		struct frame_range *range = &free_ranges[i];

		if (range->first < limit && (!best || MIN(range->end, limit) - range->first >
							      MIN(best->end, limit) - best->first))
			best = range;
	}
	if (!best || MIN(best->end, limit) - best->first <= pages)
		return false;
	end = MIN(best->end, limit);
	chunk.next = (paddr_t)(end - pages) << PAGE_SHIFT;
	chunk.end = (paddr_t)end << PAGE_SHIFT;
	take_out(chunk.next, size_bytes);
	for (paddr_t at = chunk.next; at < chunk.end; at += PAGE_SIZE)
		page_zero(direct_map(at));
	return true;
}

/* Takes the ramdisk from the upper ends of the largest free ranges. Returns the pages it got. */
static uint64_t ramdisk_make(uint64_t pages)
{
	uint64_t got = 0;

	while (got < pages && swap_ramdisk.extent_count < RAMDISK_EXTENT_MAX) {
		struct ramdisk_extent *extent = &swap_ramdisk.extents[swap_ramdisk.extent_count];
		struct frame_range *best = NULL;
		pfn_t take;

		for (unsigned i = 0; i < free_count; i++)
			if (!best ||
			    free_ranges[i].end - free_ranges[i].first > best->end - best->first)
				best = &free_ranges[i];
		if (!best || best->first == best->end)
			break;
		take = (pfn_t)MIN(pages - got, best->end - best->first);
		best->end -= take;
		extent->base = (paddr_t)best->end << PAGE_SHIFT;
		extent->block_count = take;
		swap_ramdisk.extent_count++;
		got += take;
	}
	ramdisk_init(&swap_ramdisk);
	return got;
}

static pte_t *root;

/* The entry at `level` for an address, making tables from the chunk on the way. */
static pte_t *kernel_entry(vaddr_t address, int level)
{
	pte_t *table = root;

	for (int at = 4; at > level; at--) {
		pte_t *entry = &table[pte_index(address, at)];

		if (!pte_is_present(*entry))
			entry->bits =
				direct_to_phys(chunk_take(PAGE_SIZE)) | PTE_PRESENT | PTE_WRITABLE;
		table = direct_map(entry->bits & PTE_FRAME_MASK);
	}
	return &table[pte_index(address, level)];
}

/* Maps [first, end) frames in the direct map, in large pages. */
static void map_direct(paddr_t base, paddr_t end, uint64_t extra)
{
	for (paddr_t at = ALIGN_DOWN(base, LARGE_PAGE); at < end; at += LARGE_PAGE)
		kernel_entry(DIRECT_BASE + at, 2)->bits =
			at | PTE_PRESENT | PTE_WRITABLE | PTE_LARGE | PTE_NO_EXECUTE | extra;
}

static void map_pages(vaddr_t address, paddr_t base, uint64_t size_bytes, uint64_t bits)
{
	for (uint64_t at = 0; at < size_bytes; at += PAGE_SIZE)
		kernel_entry(address + at, 1)->bits = (base + at) | PTE_PRESENT | bits;
}

static void map_image(const char *start, const char *end, uint64_t bits)
{
	map_pages((vaddr_t)start, (vaddr_t)start - KERNEL_BASE, (uint64_t)(end - start), bits);
}

STATIC_ASSERT(RAM_END_BYTES / PAGE_SIZE * sizeof(struct frame) <= SLOTS_BASE - FRAMES_BASE &&
	      RAM_END_BYTES / PAGE_SIZE * sizeof(struct swap_slot) <= KERNEL_BASE - SLOTS_BASE);

/* Takes zeroed memory for an array and maps it at `base`. */
static void map_array(vaddr_t base, uint64_t size_bytes)
{
	map_pages(base, direct_to_phys(chunk_take(size_bytes)), size_bytes,
		  PTE_WRITABLE | PTE_NO_EXECUTE);
}

static void map_kernel(const struct boot_info *info)
{
	root = chunk_take(PAGE_SIZE);
	map_direct(0, LARGE_PAGE, 0);
	/* ACPI's tables lie in ranges of their own, or in reserved ones, below 4 GiB. */
	for (unsigned i = 0; i < info->range_count; i++) {
		const struct boot_range *range = &info->ranges[i];

		if (range->kind != BOOT_RANGE_BAD && range->base < GIB(4))
			map_direct(range->base, MIN(range->base + range->size_bytes, GIB(4)), 0);
	}
	for (unsigned i = 0; i < usable_count; i++)
		map_direct((paddr_t)usable[i].first << PAGE_SHIFT,
			   (paddr_t)usable[i].end << PAGE_SHIFT, 0);
	map_direct(APIC_FIRST, APIC_FIRST + LARGE_PAGE, PTE_CACHE_DISABLE | PTE_WRITE_THROUGH);
	map_direct(APIC_SECOND, APIC_SECOND + LARGE_PAGE, PTE_CACHE_DISABLE | PTE_WRITE_THROUGH);
	map_image(image_text_start, image_text_end, 0);
	map_image(image_rodata_start, image_rodata_end, PTE_NO_EXECUTE);
	map_image(image_data_start, image_end, PTE_WRITABLE | PTE_NO_EXECUTE);
	/* The stack area's level-3 table, so that every root made from this one shares it. */
	(void)kernel_entry(STACK_BASE, 3);
	tlb_kernel_root = direct_to_phys(root);
	__asm__ volatile("movq %0, %%cr3" : : "r"(tlb_kernel_root) : "memory");
}

/* Tells the descriptors what each frame is, and the allocator what is free. */
static void enter_frames(void)
{
	for (unsigned i = 0; i < free_count; i++)
		if (free_ranges[i].first < free_ranges[i].end)
			frame_add_free(free_ranges[i].first, free_ranges[i].end);
	for (unsigned i = 0; i < swap_ramdisk.extent_count; i++) {
		pfn_t first = phys_to_pfn(swap_ramdisk.extents[i].base);

		frame_reserve(first, first + (pfn_t)swap_ramdisk.extents[i].block_count,
			      FRAME_RAMDISK);
	}
	/* The rest of RAM is in use by the kernel. */
	for (unsigned i = 0; i < usable_count; i++)
		for (pfn_t pfn = usable[i].first; pfn < usable[i].end; pfn++)
			if (frames[pfn].state == FRAME_RESERVED)
				frame_set_state(pfn, FRAME_RESERVED, FRAME_KERNEL);
}

/* Pages of swap for what was asked: three quarters of RAM by default, never more than that. */
static uint64_t swap_pages_for(uint64_t swap_bytes, uint64_t ram_pages)
{
	uint64_t most = ram_pages / 4 * 3;

	if (swap_bytes == UINT64_MAX)
		return most;
	boot_memory_swap_cut = swap_bytes / PAGE_SIZE > most;
	return MIN(swap_bytes / PAGE_SIZE, most);
}

const char *boot_memory_init(const struct boot_info *info, uint64_t swap_bytes)
{
	uint64_t ram_pages = 0, swap_pages, tables, frames_bytes, slots_bytes;
	const char *error;
	void *groups, *ghosts;
	pfn_t limit;

	usable_count = memory_map_sanitise(info->ranges, info->range_count, usable, RANGE_MAX);
	for (unsigned i = 0; i < usable_count; i++)
		free_ranges[i] = usable[i];
	free_count = usable_count;
	for (unsigned i = 0; i < usable_count; i++)
		ram_pages += usable[i].end - usable[i].first;
	if (ram_pages * PAGE_SIZE < RAM_MIN_BYTES)
		return "less than 12 MiB of RAM are usable";
	error = take_out_used(info);
	if (error)
		return error;
	limit = usable[usable_count - 1].end;
	swap_pages = swap_pages_for(swap_bytes, ram_pages);
	frames_bytes = ALIGN_UP(limit * sizeof(struct frame), PAGE_SIZE);
	slots_bytes = ALIGN_UP(swap_pages * sizeof(struct swap_slot), PAGE_SIZE);
	tables = 32 + DIV_ROUND_UP((uint64_t)limit, GIB(1) / PAGE_SIZE) +
		 DIV_ROUND_UP(frames_bytes + slots_bytes, LARGE_PAGE);
	if (!chunk_make(frames_bytes + slots_bytes +
			ALIGN_UP(frame_groups_bytes(limit), PAGE_SIZE) +
			ALIGN_UP(ghost_bytes(ram_pages), PAGE_SIZE) + tables * PAGE_SIZE))
		return "no room below 4 GiB for the descriptors of frames and swap slots: give it "
		       "less RAM, or less swap by swap=";
	groups = chunk_take(frame_groups_bytes(limit));
	ghosts = chunk_take(ghost_bytes(ram_pages));
	map_kernel(info);
	map_array(FRAMES_BASE, frames_bytes);
	map_array(SLOTS_BASE, slots_bytes);
	frame_init(groups, limit);
	ghost_init(ghosts, ram_pages);
	swap_pages = ramdisk_make(swap_pages);
	frame_memory.ram_pages = ram_pages;
	frame_memory.ramdisk_pages = swap_pages;
	frame_memory.ram_end = (paddr_t)limit << PAGE_SHIFT;
	enter_frames();
	swap_init(&swap_ramdisk.device);
	return NULL;
}

void boot_memory_commit(unsigned cpu_total)
{
	uint64_t free = frame_free_count();

	/* Pages in flight: each CPU may hold a few between two lists. */
	commit_init(frame_memory.ram_pages, frame_memory.ram_pages - free,
		    frame_memory.ramdisk_pages, 4 + 2 * (uint64_t)cpu_total);
}
