/*
 * abuse_copy.c: the lab's copies, given what they must refuse, and at every
 * edge of what they must do.
 */
#include "arch/x86_64/layout.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/stack.h"
#include "kernel/proc/program.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

#define BUFFER_BYTES (4 * PAGE_SIZE)

/* The caller's own side, of the kernel; and in read-only memory. */
static unsigned char buffer[BUFFER_BYTES], image[BUFFER_BYTES];
static const char constant[64] = "constant";

static unsigned char pattern(uint64_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

static void pattern_fill(unsigned char *to, uint64_t size_bytes)
{
	for (uint64_t i = 0; i < size_bytes; i++)
		to[i] = pattern(i);
}

static int to(void *mem, const void *data, int size)
{
	return vmap_copy_to_memory(self_vmap(), mem, (void *)data, size);
}

static int from(void *data, const void *mem, int size)
{
	return vmap_copy_from_memory(self_vmap(), data, (void *)mem, size);
}

/* Both directions refuse, and write nothing on either side that is looked at. */
static void check_refused(int error, void *mem, void *data, int size)
{
	CHECK_ERROR(error, to(mem, data, size));
	CHECK_ERROR(error, from(data, mem, size));
}

PROCESS_TEST(copy, sizes)
{
	char *block = vmap_malloc(self_vmap(), 100);

	check_refused(0, block, buffer, 0);
	check_refused(0, NULL, NULL, 0);
	check_refused(EINVAL, block, buffer, -1);
	check_refused(EINVAL, block, buffer, INT32_MIN);
	CHECK_ERROR(EINVAL, vmap_copy_to_memory(NULL, block, buffer, 1));
	CHECK_ERROR(EINVAL, vmap_copy_from_memory(NULL, buffer, block, 1));
	check_refused(EFAULT, block, buffer, INT32_MAX);
}

PROCESS_TEST(copy, bad_mem)
{
	char *block = vmap_malloc(self_vmap(), 100);
	static const vaddr_t bad[] = {
		0,
		8,
		PAGE_SIZE,
		PROCESS_FIRST,
		0x7fffffffffffffff,
		PROCESS_END,
		0x8000000000000000,
		DIRECT_BASE,
		KERNEL_BASE + KERNEL_PHYS_BASE,
		UINT64_MAX,
		UINT64_MAX - 7,
		(vaddr_t)PROCESS_MAX << SLICE_SHIFT,
	};

	memset(buffer, 3, 16);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		check_refused(EFAULT, (void *)bad[i], buffer, 8);
	check_refused(EFAULT, buffer, buffer + 64, 8); /* the kernel's is no mem */
	check_refused(EFAULT, block - 1, buffer, 2);
	for (unsigned i = 0; i < 16; i++)
		CHECK_EQUAL(3, buffer[i]);
}

PROCESS_TEST(copy, bad_data)
{
	char *block = vmap_malloc(self_vmap(), 100);
	vaddr_t stack_guard = thread_current()->stack_base - 8;
	const vaddr_t bad[] = {
		0,
		8,
		PROCESS_FIRST,
		PROCESS_END,
		0x8000000000000000,
		UINT64_MAX - 7,
		stack_guard,
		STACK_END - PAGE_SIZE,
		DIRECT_END - PAGE_SIZE,
		DIRECT_BASE + 0xfee00000, /* the APIC: a device */
		KERNEL_BASE,              /* below the image */
		(vaddr_t)PROCESS_MAX << SLICE_SHIFT,
		(vaddr_t)block + 128, /* no block */
	};

	memset(block, 3, 100);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_ERROR(EFAULT, to(block, (void *)bad[i], 8));
		CHECK_ERROR(EFAULT, from((void *)bad[i], block, 8));
	}
	/* Read-only memory can be read. */
	CHECK_ERROR(EFAULT, from((void *)constant, block, 8));
	CHECK_ERROR(EFAULT, from((void *)(vaddr_t)from, block, 8));
	CHECK_TEXT("constant", constant);
	for (unsigned i = 0; i < 100; i++)
		CHECK_EQUAL(3, block[i]);
	CHECK_ERROR(0, to(block, constant, 9));
	CHECK_TEXT("constant", block);
}

PROCESS_TEST(copy, one_byte_past_the_end)
{
	static const int sizes[] = {1, 15, 16, 100, 4095, 4096, 4097, 10000};

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		int size = sizes[i];
		char *block = vmap_malloc(self_vmap(), size);

		memset(buffer, 1, BUFFER_BYTES);
		CHECK_ERROR(0, to(block, buffer, size));
		memset(buffer, 2, BUFFER_BYTES);
		check_refused(EFAULT, block, buffer, size + 1);
		check_refused(EFAULT, block + size, buffer, 1);
		CHECK_EQUAL(2, buffer[0]); /* nothing was written */
		CHECK_EQUAL(1, block[0]);
		CHECK_EQUAL(1, block[size - 1]);
		CHECK_ERROR(0, from(buffer + 1, block + size - 1, 1));
		CHECK_EQUAL(1, buffer[1]);
		vmap_free(self_vmap(), block);
		check_refused(EFAULT, block, buffer, 1);
	}
}

/* Three blocks in a row; the one in the middle is freed, or another's pages begin there. */
PROCESS_TEST(copy, hole_in_the_middle)
{
	char *blocks[3];

	for (unsigned i = 0; i < 3; i++) {
		blocks[i] = vmap_malloc(self_vmap(), (int)PAGE_SIZE);
		memset(blocks[i], 1, PAGE_SIZE);
	}
	if (!CHECK_EQUAL(blocks[0] + PAGE_SIZE, blocks[1]) ||
	    !CHECK_EQUAL(blocks[1] + PAGE_SIZE, blocks[2]))
		return;
	memset(buffer, 2, BUFFER_BYTES);
	/* A range lies in one block, so over two live ones is refused too. */
	check_refused(EFAULT, blocks[0] + 10, buffer, 2 * (int)PAGE_SIZE);
	vmap_free(self_vmap(), blocks[1]);
	check_refused(EFAULT, blocks[0], buffer, 3 * (int)PAGE_SIZE);
	check_refused(EFAULT, blocks[1], buffer, 1);
	CHECK_EQUAL(2, buffer[0]);
	CHECK_EQUAL(1, blocks[0][PAGE_SIZE - 1]);
	CHECK_EQUAL(1, blocks[2][0]);
}

/* Is [offset, offset + size) of the image the pattern, and what is around it 0? */
static bool exactly(const unsigned char *bytes, unsigned offset, unsigned size)
{
	if (memcmp(bytes + offset, image, size) != 0)
		return false;
	return (offset == 0 || bytes[offset - 1] == 0) && bytes[offset + size] == 0;
}

PROCESS_TEST(copy, lengths_at_each_alignment)
{
	static const unsigned sizes[] = {1, 4095, 4096, 4097};
	unsigned char *block = vmap_malloc(self_vmap(), BUFFER_BYTES);

	pattern_fill(image, BUFFER_BYTES);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned size = sizes[i];

		/* Every alignment near the page's ends, some between. */
		for (unsigned offset = 0; offset < PAGE_SIZE;
		     offset += offset < 32 || offset > PAGE_SIZE - 33 ? 1 : 31) {
			if (offset > 32 && offset < PAGE_SIZE - 32 && offset + 31 > PAGE_SIZE - 32)
				offset = PAGE_SIZE - 32;
			memset(block, 0, 3 * PAGE_SIZE);
			memset(buffer, 0, 3 * PAGE_SIZE);
			if (to(block + offset, image, (int)size) || !exactly(block, offset, size) ||
			    from(buffer + offset, block + offset, (int)size) ||
			    !exactly(buffer, offset, size))
				FAIL("%u bytes at offset %u", size, offset);
		}
	}
}

/* Against moving one byte after the other the safe way. */
PROCESS_TEST(copy, overlap)
{
	static const int shifts[] = {0, 1, -1, 7, -7, 8, 100, -100, 4096, -4096, 5000, -5000};
	unsigned char *block = vmap_malloc(self_vmap(), BUFFER_BYTES);

	for (unsigned i = 0; i < ARRAY_SIZE(shifts); i++) {
		unsigned start = 5500, size = 5001;

		pattern_fill(block, BUFFER_BYTES);
		pattern_fill(image, BUFFER_BYTES);
		memmove(image + start + shifts[i], image + start, size);
		CHECK_ERROR(0, to(block + start + shifts[i], block + start, (int)size));
		if (memcmp(block, image, BUFFER_BYTES) != 0)
			FAIL("to memory, moved by %d", shifts[i]);
		pattern_fill(block, BUFFER_BYTES);
		CHECK_ERROR(0, from(block + start + shifts[i], block + start, (int)size));
		if (memcmp(block, image, BUFFER_BYTES) != 0)
			FAIL("from memory, moved by %d", shifts[i]);
	}
}

PROCESS_TEST(copy, larger_than_all_frames)
{
	const int size = 100 * (int)PAGE_SIZE + 123;
	unsigned char *first = vmap_malloc(self_vmap(), size);
	unsigned char *second = vmap_malloc(self_vmap(), size + 1);

	NEED_SLOTS(250);
	test_limit_set(8);
	for (int i = 0; i < size; i++)
		first[i] = pattern((uint64_t)i);
	CHECK_ERROR(0, to(second + 1, first, size));
	for (int i = 0; i < size; i += 13)
		if (second[1 + i] != pattern((uint64_t)i)) {
			FAIL("byte %d", i);
			break;
		}
	memset(first, 0, (size_t)size);
	CHECK_ERROR(0, from(first, second + 1, size));
	for (int i = 0; i < size; i += 11)
		if (first[i] != pattern((uint64_t)i)) {
			FAIL("byte %d", i);
			break;
		}
	test_limit_restore();
}

PROCESS_TEST(copy, of_pages_that_are_away)
{
	unsigned char *block = vmap_malloc(self_vmap(), BUFFER_BYTES);
	unsigned char *other = vmap_malloc(self_vmap(), BUFFER_BYTES);

	pattern_fill(block, BUFFER_BYTES);
	test_evict_all();
	memset(buffer, 0, BUFFER_BYTES);
	pattern_fill(image, BUFFER_BYTES);
	CHECK_ERROR(0, from(buffer, block, BUFFER_BYTES));
	CHECK_EQUAL(0, memcmp(buffer, image, BUFFER_BYTES));
	test_evict_all();
	CHECK_ERROR(0, to(other, block, BUFFER_BYTES));
	test_evict_all();
	CHECK_EQUAL(0, memcmp(other, image, BUFFER_BYTES));
	test_evict_all();
	memset(image, 9, BUFFER_BYTES);
	CHECK_ERROR(0, to(block, image, BUFFER_BYTES));
	CHECK_EQUAL(0, memcmp(block, image, BUFFER_BYTES));
}

/* ---- A thread of the kernel, and others at the same time ------------------------ */

static struct VMap *owner_vmap;
static unsigned char *owner_block;
static bool owner_ready, owner_may_end;

static int owner(int argc, char **argv)
{
	unsigned char *block = vmap_malloc(self_vmap(), BUFFER_BYTES);

	(void)argc, (void)argv;
	owner_vmap = self_vmap();
	owner_block = block;
	pattern_fill(block, BUFFER_BYTES);
	__atomic_store_n(&owner_ready, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&owner_may_end, __ATOMIC_ACQUIRE))
		yield();
	return block[5] == 77 ? 0 : 1;
}

static int stranger(int argc, char **argv)
{
	(void)argc, (void)argv;
	CHECK_ERROR(EPERM, vmap_copy_from_memory(owner_vmap, buffer, owner_block, 8));
	CHECK_ERROR(EPERM, vmap_copy_to_memory(owner_vmap, owner_block, buffer, 8));
	check_refused(EFAULT, owner_block, buffer, 8); /* not in its own address space */
	check_refused(EFAULT, vmap_malloc(self_vmap(), 8), owner_block, 8);
	return 0;
}

TEST(copy, by_a_kernel_thread_and_by_a_stranger)
{
	pid_t pid;

	owner_ready = owner_may_end = false;
	pid = SPAWN(owner, 0, NULL);
	while (pid && !__atomic_load_n(&owner_ready, __ATOMIC_ACQUIRE))
		thread_yield();
	CHECK_EXITS(0, stranger);
	for (unsigned round = 0; round < 2; round++) {
		pattern_fill(image, BUFFER_BYTES);
		memset(buffer, 0, BUFFER_BYTES);
		CHECK_ERROR(0,
			    vmap_copy_from_memory(owner_vmap, buffer, owner_block, BUFFER_BYTES));
		CHECK_EQUAL(0, memcmp(buffer, image, BUFFER_BYTES));
		CHECK_ERROR(EFAULT, vmap_copy_from_memory(owner_vmap, buffer, owner_block - 1, 2));
		/* Both in the process: the data must be the caller's own. */
		CHECK_ERROR(EFAULT, vmap_copy_from_memory(owner_vmap, owner_block, owner_block, 1));
		test_evict_all();
	}
	buffer[0] = 77;
	CHECK_ERROR(0, vmap_copy_to_memory(owner_vmap, owner_block + 5, buffer, 1));
	__atomic_store_n(&owner_may_end, true, __ATOMIC_RELEASE);
	CHECK_ENDED(FAULT_OK, 0, pid);
}

/* A thread of the kernel goes from one address space to another, under a policy. */
static void copy_between_processes(struct policy *policy)
{
	unsigned char *blocks[2];
	struct VMap *vmaps[2];
	pid_t pids[2];

	lru_set_policy(policy);
	owner_may_end = false;
	for (unsigned i = 0; i < 2; i++) {
		owner_ready = false;
		pids[i] = SPAWN(owner, 0, NULL);
		while (pids[i] && !__atomic_load_n(&owner_ready, __ATOMIC_ACQUIRE))
			thread_yield();
		vmaps[i] = owner_vmap;
		blocks[i] = owner_block;
	}
	pattern_fill(image, BUFFER_BYTES);
	image[5] = 77;
	for (unsigned i = 0; i < 4; i++) {
		CHECK_ERROR(0, vmap_copy_to_memory(vmaps[i % 2], blocks[i % 2] + 5, image + 5, 1));
		CHECK_ERROR(0, vmap_copy_from_memory(vmaps[i % 2], buffer, blocks[i % 2],
						     BUFFER_BYTES));
		CHECK_EQUAL(0, memcmp(buffer, image, BUFFER_BYTES));
	}
	__atomic_store_n(&owner_may_end, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < 2; i++)
		CHECK_ENDED(FAULT_OK, 0, pids[i]);
}

TEST(copy, between_processes_under_each_policy)
{
	struct policy *before = lru_policy();

	for (unsigned i = 0; i < policy_count; i++)
		copy_between_processes(policies[i]);
	lru_set_policy(before);
}

#define FREE_ROUNDS 200
#define FREE_BYTES (2 * PAGE_SIZE)

static unsigned char *contended;
static bool free_done;

/* Frees a block of ones and allocates anew: zeros, then ones again. */
static void freer(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < FREE_ROUNDS; i++) {
		unsigned char *block = __atomic_load_n(&contended, __ATOMIC_ACQUIRE);

		vmap_free(self_vmap(), block);
		block = vmap_malloc(self_vmap(), FREE_BYTES);
		memset(block, 1 + i % 200, FREE_BYTES);
		__atomic_store_n(&contended, block, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&free_done, true, __ATOMIC_RELEASE);
}

/* While another thread frees it: all of the block, or EFAULT and nothing written. */
PROCESS_TEST(copy, from_what_another_frees)
{
	tid_t tid;

	free_done = false;
	contended = vmap_malloc(self_vmap(), FREE_BYTES);
	memset(contended, 1, FREE_BYTES);
	if (!CHECK_ERROR(0, thread_start(freer, NULL, &tid)))
		return;
	while (!__atomic_load_n(&free_done, __ATOMIC_ACQUIRE)) {
		int result;

		memset(buffer, 0xee, 16);
		result = from(buffer, __atomic_load_n(&contended, __ATOMIC_ACQUIRE), FREE_BYTES);
		if (result != 0 && (result != -EFAULT || buffer[0] != 0xee))
			FAIL("result %d, first byte %u", result, buffer[0]);
	}
	CHECK_ERROR(0, thread_join(tid));
}
