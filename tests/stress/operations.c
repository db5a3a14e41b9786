/*
 * operations.c: what a thread of an actor does, drawn from its own generator,
 * so that the same seed gives each thread the same wishes. What becomes of
 * them hangs on who comes first, and is the same only under icount.
 *
 *   block without a place --- malloc ---> block with content --- free ---> without a place
 *                                          store load fill verify copy-... wrong
 *
 * No overlap: a new block's place is published, then all others of the process
 * are compared; a place is withdrawn before its block is freed. So of two
 * blocks that share a byte, whoever comes second sees the other.
 */
#include "kernel/proc/program.h"
#include "lib/string.h"
#include "tests/stress/stress.h"

#define TRIES 4u          /* blocks that are looked at until one is not taken */
#define FILL_PAGES_MAX 8u /* that one operation stores */
#define FRESH_PAGES_SEEN 2u
#define ACROSS_BYTES_MAX (3 * (uint32_t)PAGE_SIZE)

static uint32_t draw(struct stress_thread *thread, uint32_t limit)
{
	return (uint32_t)random_below(&thread->random, limit);
}

static bool block_take(struct stress_block *block)
{
	uint32_t expected = 0;

	return __atomic_compare_exchange_n(&block->taken, &expected, 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static void block_give(struct stress_block *block)
{
	__atomic_store_n(&block->taken, 0, __ATOMIC_RELEASE);
}

/* A block nobody works on, now taken; NULL if that many were all busy. */
static struct stress_block *block_find(struct stress_thread *thread)
{
	for (unsigned i = 0; i < TRIES; i++) {
		struct stress_block *block =
			stress_block(thread->actor, draw(thread, STRESS_BLOCKS));

		if (block_take(block))
			return block;
	}
	return NULL;
}

/* ---- malloc and free --------------------------------------------------------------- */

/* Mostly small ones, rarely 1 MiB; about as many sizes with a page's end as without. */
static uint32_t draw_size(struct stress_thread *thread)
{
	static const uint32_t pages_max[] = {0, 0, 0, 1, 1, 4, 4, 16, 16, 64};
	uint32_t kind = draw(thread, 40);
	uint32_t pages = kind == 39 ? STRESS_BLOCK_PAGES : pages_max[kind % 10];

	if (pages == 0)
		return 1 + draw(thread, kind % 2 ? 64 : (uint32_t)PAGE_SIZE);
	if (kind % 2)
		return (1 + draw(thread, pages)) * (uint32_t)PAGE_SIZE;
	return 1 + draw(thread, pages * (uint32_t)PAGE_SIZE);
}

static void verify_no_overlap(struct stress_thread *thread, const struct stress_block *block)
{
	uint64_t mine = block->place;

	for (unsigned i = 0; i < STRESS_BLOCKS; i++) {
		const struct stress_block *other = stress_block(thread->actor, i);
		uint64_t place = __atomic_load_n(&other->place, __ATOMIC_SEQ_CST);

		if (other == block || place == 0 ||
		    stress_address(place) >= stress_address(mine) + stress_size(mine) ||
		    stress_address(mine) >= stress_address(place) + stress_size(place))
			continue;
		stress_fail(thread,
			    "malloc of %u bytes: expected memory of its own, observed 0x%lx "
			    "in the live block of %u bytes at 0x%lx",
			    stress_size(mine), stress_address(mine), stress_size(place),
			    stress_address(place));
	}
}

/* Whole pages are zero, whoever had them before; smaller blocks get their content at once. */
static void verify_fresh(struct stress_thread *thread, struct stress_block *block)
{
	if (stress_size(block->place) < PAGE_SIZE) {
		stress_page_fill(block, 0);
		return;
	}
	for (unsigned i = 0; i < FRESH_PAGES_SEEN; i++)
		if (!stress_page_verify(thread, block, draw(thread, stress_page_count(block)),
					STRESS_ALL))
			return;
}

static enum stress_count do_malloc(struct stress_thread *thread, struct stress_block *block)
{
	uint32_t size_bytes = draw_size(thread);
	vaddr_t address = (vaddr_t)vmap_malloc(self_vmap(), (int)size_bytes);

	if (address == 0) {
		if (*vmap_errno() != ENOMEM)
			stress_fail(thread, "malloc of %u bytes: expected ENOMEM, observed %s",
				    size_bytes, errno_name(*vmap_errno()));
		return STRESS_NO_MEMORY;
	}
	stress_content_begin(block, random_next(&thread->random));
	__atomic_store_n(&block->place, stress_place(address, size_bytes), __ATOMIC_SEQ_CST);
	verify_no_overlap(thread, block);
	verify_fresh(thread, block);
	return STRESS_MALLOC;
}

static enum stress_count do_free(struct stress_thread *thread, struct stress_block *block)
{
	uint64_t place = block->place;
	void *data = (void *)stress_address(place);

	__atomic_store_n(&block->place, 0, __ATOMIC_SEQ_CST);
	vmap_free(self_vmap(), data);
	if (*vmap_errno() != 0)
		stress_fail(thread, "free of %u bytes at %p: expected no error, observed %s",
			    stress_size(place), data, errno_name(*vmap_errno()));
	/* Nobody else can have got the address in a process of one thread. */
	if (thread->actor->thread_count > 1)
		return STRESS_FREE;
	vmap_free(self_vmap(), data);
	if (*vmap_errno() != EINVAL)
		stress_fail(thread, "second free of %p: expected EINVAL, observed %s", data,
			    errno_name(*vmap_errno()));
	return STRESS_FREE;
}

/* ---- Loads, stores, copies ----------------------------------------------------------- */

static enum stress_count do_fill(struct stress_thread *thread, struct stress_block *block)
{
	uint32_t count = stress_page_count(block);
	uint32_t page = draw(thread, count);
	uint32_t end = page + 1 + draw(thread, MIN(FILL_PAGES_MAX, count - page));

	/* All of it: so that not only promises, but frames and slots run short. */
	if (draw(thread, 3) == 0) {
		page = 0;
		end = count;
	}
	for (; page < end; page++)
		stress_page_fill(block, page);
	return STRESS_FILL;
}

static enum stress_count do_verify(struct stress_thread *thread, struct stress_block *block)
{
	for (uint32_t page = 0; page < stress_page_count(block); page++)
		if (!stress_page_verify(thread, block, page, STRESS_ALL))
			break;
	return STRESS_VERIFY;
}

/* Some bytes of the block, at most `limit`. */
static uint32_t draw_range(struct stress_thread *thread, const struct stress_block *block,
			   uint32_t limit, uint32_t *size_bytes)
{
	uint32_t size = stress_size(block->place);
	uint32_t offset = draw(thread, size);

	*size_bytes = 1 + draw(thread, MIN(size - offset, limit));
	return offset;
}

static void copy_must(struct stress_thread *thread, int error, const char *what, vaddr_t mem,
		      uint32_t size_bytes)
{
	if (error != 0)
		stress_fail(thread, "%s of %u bytes at 0x%lx: expected no error, observed %s", what,
			    size_bytes, mem, errno_name(error));
}

/* Bytes of another pattern, seen by loads; then the pages are the block's own again. */
static enum stress_count do_copy_to(struct stress_thread *thread, struct stress_block *block)
{
	uint64_t pattern = random_next(&thread->random);
	uint32_t size_bytes, offset = draw_range(thread, block, (uint32_t)PAGE_SIZE, &size_bytes);
	volatile uint8_t *mem = (uint8_t *)stress_address(block->place) + offset;

	for (uint32_t i = 0; i < size_bytes; i += 8)
		*(uint64_t *)(thread->scratch + i) = splitmix64_mix(pattern + i);
	copy_must(thread,
		  vmap_copy_to_memory(self_vmap(), (void *)mem, thread->scratch, (int)size_bytes),
		  "copy to memory", (vaddr_t)mem, size_bytes);
	for (uint32_t i = 0; i < size_bytes; i++) {
		uint8_t observed = mem[i], expected = thread->scratch[i];

		if (observed == expected)
			continue;
		stress_fail(thread,
			    "load of %p after a copy to it: expected 0x%02x, "
			    "observed 0x%02x",
			    (void *)&mem[i], expected, observed);
		break;
	}
	stress_range_fill(block, offset, size_bytes);
	return STRESS_COPY_TO;
}

static enum stress_count do_copy_from(struct stress_thread *thread,
				      const struct stress_block *block)
{
	uint32_t size_bytes, offset = draw_range(thread, block, (uint32_t)PAGE_SIZE, &size_bytes);
	vaddr_t mem = stress_address(block->place) + offset;

	copy_must(thread,
		  vmap_copy_from_memory(self_vmap(), thread->scratch, (void *)mem, (int)size_bytes),
		  "copy from memory", mem, size_bytes);
	(void)stress_copy_verify(thread, block, offset, thread->scratch, size_bytes,
				 "copy from memory");
	return STRESS_COPY_FROM;
}

/* From one block to another, where both may be away. */
static enum stress_count do_copy_across(struct stress_thread *thread,
					const struct stress_block *block)
{
	struct stress_block *target = block_find(thread);
	uint32_t size_bytes, offset = draw_range(thread, block, ACROSS_BYTES_MAX, &size_bytes);
	uint32_t to;
	uint8_t *data;

	if (!target)
		return STRESS_YIELD;
	if (target->place == 0) {
		block_give(target);
		return STRESS_YIELD;
	}
	to = draw(thread, stress_size(target->place));
	size_bytes = MIN(size_bytes, stress_size(target->place) - to);
	data = (uint8_t *)stress_address(target->place) + to;
	copy_must(thread,
		  vmap_copy_from_memory(self_vmap(), data,
					(void *)(stress_address(block->place) + offset),
					(int)size_bytes),
		  "copy across", stress_address(block->place) + offset, size_bytes);
	(void)stress_copy_verify(thread, block, offset, data, size_bytes, "copy across");
	stress_range_fill(target, to, size_bytes);
	block_give(target);
	return STRESS_COPY_ACROSS;
}

/* ---- The rest -------------------------------------------------------------------------- */

/* At most baton_count threads are between the two at a time. */
static enum stress_count do_semaphore(struct stress_thread *thread)
{
	struct stress_actor *actor = thread->actor;
	int holders;

	if (semaphore_wait(&actor->baton) != 0)
		return STRESS_SEMAPHORE; /* killed */
	holders = __atomic_add_fetch(&actor->baton_holders, 1, __ATOMIC_SEQ_CST);
	if (holders > actor->baton_count)
		stress_fail(thread, "semaphore: expected at most %d holders, observed %d",
			    actor->baton_count, holders);
	yield();
	__atomic_fetch_sub(&actor->baton_holders, 1, __ATOMIC_SEQ_CST);
	if (semaphore_post(&actor->baton) != 0)
		stress_fail(thread, "semaphore_post: expected no error, observed EOVERFLOW");
	return STRESS_SEMAPHORE;
}

static enum stress_count on_block(struct stress_thread *thread, struct stress_block *block)
{
	uint32_t kind = draw(thread, 100);
	uint32_t page;

	if (block->place == 0)
		return do_malloc(thread, block);
	page = draw(thread, stress_page_count(block));
	if (kind < 15)
		return do_free(thread, block);
	if (kind < 40) {
		stress_page_store(block, page);
		return STRESS_STORE;
	}
	if (kind < 65) {
		(void)stress_page_verify(thread, block, page, STRESS_SAMPLES);
		return STRESS_LOAD;
	}
	if (kind < 74)
		return do_fill(thread, block);
	if (kind < 77)
		return do_verify(thread, block);
	if (kind < 82)
		return do_copy_to(thread, block);
	if (kind < 87)
		return do_copy_from(thread, block);
	if (kind < 92)
		return do_copy_across(thread, block);
	stress_wrong_call(thread, block);
	return STRESS_WRONG;
}

/* So that two runs can be compared: who did what, when. */
static void digest_add(const struct stress_thread *thread, enum stress_count done)
{
	uint64_t who = (uint64_t)thread->actor->index << 8 | thread->index;

	__atomic_fetch_add(&stress.digest,
			   splitmix64_mix(thread->operation ^ who << 40 ^ (uint64_t)done << 56),
			   __ATOMIC_RELAXED);
}

void stress_operation(struct stress_thread *thread)
{
	enum stress_count done = STRESS_YIELD;
	struct stress_block *block = NULL;

	if (draw(thread, 16) == 0) {
		done = do_semaphore(thread);
	} else {
		block = block_find(thread);
		if (block) {
			done = on_block(thread, block);
			block_give(block);
		}
	}
	if (done == STRESS_YIELD)
		yield();
	stress_counted(done);
	digest_add(thread, done);
}

void stress_verify_all(struct stress_thread *thread)
{
	struct stress_actor *actor = thread->actor;

	for (unsigned i = 0; i < STRESS_BLOCKS; i++) {
		struct stress_block *block = stress_block(actor, i);

		if (block->place == 0)
			continue;
		stress_goes_on(thread);
		(void)do_verify(thread, block);
		/* Some of the blocks are left to the end of the process. */
		if (i % 2 && !__atomic_load_n(&stress.failed, __ATOMIC_RELAXED))
			(void)do_free(thread, block);
	}
	if (semaphore_value(&actor->baton) != actor->baton_count)
		stress_fail(thread, "semaphore: expected count %d, observed %d", actor->baton_count,
			    semaphore_value(&actor->baton));
}
