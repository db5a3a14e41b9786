/*
 * content.c: what the bytes of a block must be.
 *
 *   word at offset o = mix(secret + version << 40 + o)
 *
 * where the version is that of the page's last fill or, for the words that
 * stores change (one in SAMPLE_BYTES), of its last store. Version 0 is a page
 * as new: zero. Blocks of less than a page are filled as soon as they are
 * there, as such a block may hold what the process left.
 *
 * Invariant: the shadow is changed after the bytes, by the thread that has
 * taken the block; if it is killed in between, nobody looks at them any more.
 */
#include "lib/string.h"
#include "tests/stress/stress.h"

#define SAMPLE_BYTES 512u

void stress_content_begin(struct stress_block *block, uint64_t secret)
{
	block->secret = secret;
	block->version = 0;
	memset(block->pages, 0, sizeof(block->pages));
}

uint32_t stress_page_count(const struct stress_block *block)
{
	return (stress_size(block->place) + (uint32_t)PAGE_SIZE - 1) / (uint32_t)PAGE_SIZE;
}

/* The end of a page, as an offset into the block. */
static uint32_t page_end(const struct stress_block *block, uint32_t page)
{
	return MIN((page + 1) * (uint32_t)PAGE_SIZE, stress_size(block->place));
}

static bool is_sample(const struct stress_block *block, uint32_t offset)
{
	return offset % SAMPLE_BYTES == 0 && offset + 8 <= stress_size(block->place);
}

static uint64_t word_of(const struct stress_block *block, uint32_t offset, uint8_t version)
{
	return version == 0 ? 0
			    : splitmix64_mix(block->secret + ((uint64_t)version << 40) + offset);
}

/* What the word at the offset, a multiple of 8, must be. */
static uint64_t word_expected(const struct stress_block *block, uint32_t offset)
{
	const struct stress_page *page = &block->pages[offset / PAGE_SIZE];

	if (page->store != 0 && is_sample(block, offset))
		return word_of(block, offset, page->store);
	return word_of(block, offset, page->fill);
}

static uint8_t byte_expected(const struct stress_block *block, uint32_t offset)
{
	return (uint8_t)(word_expected(block, offset & ~7u) >> 8 * (offset & 7));
}

/* Versions go round: a page as old as 255 versions does not come back by chance. */
static uint8_t version_next(struct stress_block *block)
{
	block->version = (uint8_t)(block->version % 255 + 1);
	return block->version;
}

void stress_page_fill(struct stress_block *block, uint32_t page)
{
	vaddr_t base = stress_address(block->place);
	uint32_t offset = page * (uint32_t)PAGE_SIZE, end = page_end(block, page);
	uint8_t version = version_next(block);

	for (; offset + 8 <= end; offset += 8)
		*(volatile uint64_t *)(base + offset) = word_of(block, offset, version);
	for (uint64_t word = word_of(block, offset, version); offset < end; offset++, word >>= 8)
		*(volatile uint8_t *)(base + offset) = (uint8_t)word;
	block->pages[page] = (struct stress_page){version, 0};
}

void stress_page_store(struct stress_block *block, uint32_t page)
{
	vaddr_t base = stress_address(block->place);
	uint32_t offset = page * (uint32_t)PAGE_SIZE, end = page_end(block, page);
	uint8_t version = version_next(block);

	for (; offset + 8 <= end; offset += SAMPLE_BYTES)
		*(volatile uint64_t *)(base + offset) = word_of(block, offset, version);
	block->pages[page].store = version;
}

void stress_range_fill(struct stress_block *block, uint32_t offset, uint32_t size_bytes)
{
	uint32_t last = (offset + size_bytes - 1) / (uint32_t)PAGE_SIZE;

	for (uint32_t page = offset / (uint32_t)PAGE_SIZE; page <= last; page++)
		stress_page_fill(block, page);
}

static bool byte_compare(const struct stress_thread *thread, const struct stress_block *block,
			 uint32_t offset, uint8_t observed, const char *seen)
{
	uint8_t expected = byte_expected(block, offset);

	if (LIKELY(observed == expected))
		return true;
	stress_fail(thread,
		    "%s of 0x%lx, offset %u of the block of %u bytes at 0x%lx: "
		    "expected 0x%02x, observed 0x%02x",
		    seen, stress_address(block->place) + offset, offset, stress_size(block->place),
		    stress_address(block->place), expected, observed);
	return false;
}

static bool word_compare(const struct stress_thread *thread, const struct stress_block *block,
			 uint32_t offset)
{
	vaddr_t address = stress_address(block->place) + offset;
	uint64_t observed = *(const volatile uint64_t *)address;
	uint64_t expected = word_expected(block, offset);

	if (LIKELY(observed == expected))
		return true;
	stress_fail(thread,
		    "load of 0x%lx, offset %u of the block of %u bytes at 0x%lx: "
		    "expected 0x%016lx, observed 0x%016lx",
		    address, offset, stress_size(block->place), stress_address(block->place),
		    expected, observed);
	return false;
}

bool stress_page_verify(const struct stress_thread *thread, const struct stress_block *block,
			uint32_t page, enum stress_depth depth)
{
	uint32_t offset = page * (uint32_t)PAGE_SIZE, end = page_end(block, page);

	for (; offset + 8 <= end; offset += depth == STRESS_ALL ? 8 : SAMPLE_BYTES)
		if (!word_compare(thread, block, offset))
			return false;
	if (depth == STRESS_SAMPLES)
		return true;
	return stress_copy_verify(thread, block, offset,
				  (const uint8_t *)(stress_address(block->place) + offset),
				  end - offset, "load");
}

bool stress_copy_verify(const struct stress_thread *thread, const struct stress_block *block,
			uint32_t offset, const volatile uint8_t *copy, uint32_t size_bytes,
			const char *seen)
{
	for (uint32_t i = 0; i < size_bytes; i++)
		if (!byte_compare(thread, block, offset + i, copy[i], seen))
			return false;
	return true;
}
