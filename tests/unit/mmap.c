/*
 * mmap.c: mmap and munmap as programs use them: what POSIX says of each
 * argument, files seen through memory and memory seen through files, private
 * copies, what a child inherits. After Pintos's mmap tests, from their
 * descriptions: read, write, shuffle, twice, exit, clean, close, remove, unmap,
 * overlap, bad descriptor, misaligned, null, zero.
 */
#include "arch/x86_64/layout.h"
#include "kernel/fs/file.h"
#include "kernel/fs/map.h"
#include "kernel/mm/object.h"
#include "kernel/proc/program.h"
#include "lib/format.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/map.h"
#include "tests/unit/pages.h"

#define NAME "mapped file"
#define PAGES 4
#define BYTES (PAGES * PAGE_SIZE)

static const int READ = MAP_PROTECTION_READ;
static const int READ_WRITE = MAP_PROTECTION_READ | MAP_PROTECTION_WRITE;

/* A file of so many bytes, byte i of which is i * 257 >> 4. */
static int make_file(size_t size_bytes)
{
	int file = test_file_make(NAME);

	for (size_t i = 0; i < size_bytes; i += 16) {
		char piece[16];

		for (size_t j = 0; j < sizeof(piece); j++)
			piece[j] = (char)((i + j) * 257 >> 4);
		CHECK_EQUAL(MIN(sizeof(piece), size_bytes - i),
			    file_write(file, piece, MIN(sizeof(piece), size_bytes - i)));
	}
	return file;
}

static bool file_byte_is(const char *bytes, size_t i)
{
	return bytes[i] == (char)(i * 257 >> 4);
}

static char *map_file(int file, size_t size_bytes, int protection, int flags)
{
	return test_map(NULL, size_bytes, protection, flags, file, 0);
}

/* ---- Arguments --------------------------------------------------------------------- */

/* The error of a mapping that must fail, and leave the hint as it was. */
#define CHECK_MAP_ERROR(error, hint, size, protection, flags, descriptor, offset)             \
	do {                                                                                  \
		void *place = (void *)(hint);                                                 \
                                                                                              \
		CHECK_ERROR(error,                                                            \
			    map_memory(&place, size, protection, flags, descriptor, offset)); \
		CHECK_EQUAL((void *)(hint), place);                                           \
	} while (0)

PROCESS_TEST(mmap, arguments)
{
	const int shared = MAP_FLAG_SHARED | MAP_FLAG_ANONYMOUS;
	int file = make_file(BYTES);

	CHECK_MAP_ERROR(EINVAL, 0, 0, READ, shared, -1, 0);
	CHECK_MAP_ERROR(EINVAL, 0, 1, READ, MAP_FLAG_ANONYMOUS, -1, 0);
	CHECK_MAP_ERROR(EINVAL, 0, 1, READ, shared | MAP_FLAG_PRIVATE, -1, 0);
	CHECK_MAP_ERROR(EINVAL, 0, 1, READ, shared | 0x40000000, -1, 0);
	CHECK_MAP_ERROR(EINVAL, 0, 1, 8, shared, -1, 0);
	CHECK_MAP_ERROR(EINVAL, MAPPING_BASE + 1, 1, READ, shared, -1, 0);
	CHECK_MAP_ERROR(EINVAL, 0, 1, READ, MAP_FLAG_SHARED, file, 1);
	CHECK_MAP_ERROR(EINVAL, 0, 1, READ, MAP_FLAG_SHARED, file, -(int64_t)PAGE_SIZE);
	CHECK_MAP_ERROR(ENOTSUP, 0, 1, MAP_PROTECTION_EXECUTE, shared, -1, 0);
	CHECK_MAP_ERROR(ENOTSUP, MAPPING_BASE, 1, READ, shared | MAP_FLAG_FIXED, -1, 0);
	CHECK_MAP_ERROR(EOVERFLOW, 0, 1, READ, MAP_FLAG_SHARED, file, INT64_MAX & PAGE_MASK);
	CHECK_MAP_ERROR(ENOMEM, 0, SIZE_MAX, READ, shared, -1, 0);
	CHECK_MAP_ERROR(ENOMEM, 0, 1ull << 36, READ, shared, -1, 0);
	CHECK_MAP_ERROR(ENOMEM, 0, 1ull << 35, READ_WRITE, MAP_FLAG_PRIVATE | MAP_FLAG_ANONYMOUS,
			-1, 0);
	test_file_remove(file, NAME);
}

PROCESS_TEST(mmap, bad_descriptor)
{
	int file = make_file(16);
	const int bad[] = {-1, 0, 1, 2, 31, 32, 1000, INT32_MAX, INT32_MIN};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_MAP_ERROR(EBADF, 0, 1, READ, MAP_FLAG_SHARED, bad[i], 0);
	CHECK_ERROR(0, file_close(file));
	CHECK_MAP_ERROR(EBADF, 0, 1, READ, MAP_FLAG_SHARED, file, 0);
	CHECK_ERROR(0, file_unlink(NAME));
}

/* What the file was opened for decides. */
PROCESS_TEST(mmap, access)
{
	int file = make_file(16), reads, writes;

	reads = file_open(NAME, FILE_READ);
	writes = file_open(NAME, FILE_WRITE);
	CHECK_MAP_ERROR(EACCES, 0, 1, READ_WRITE, MAP_FLAG_SHARED, reads, 0);
	CHECK_MAP_ERROR(EACCES, 0, 1, READ, MAP_FLAG_SHARED, writes, 0);
	CHECK_MAP_ERROR(EACCES, 0, 1, READ_WRITE, MAP_FLAG_PRIVATE, writes, 0);
	test_unmap(test_map(NULL, 1, READ, MAP_FLAG_SHARED, reads, 0), 1);
	test_unmap(test_map(NULL, 1, READ_WRITE, MAP_FLAG_PRIVATE, reads, 0), 1);
	test_unmap(test_map(NULL, 1, READ_WRITE, MAP_FLAG_SHARED, file, 0), 1);
	CHECK_ERROR(0, file_close(reads));
	CHECK_ERROR(0, file_close(writes));
	test_file_remove(file, NAME);
}

PROCESS_TEST(mmap, munmap_arguments)
{
	char *area = test_anonymous(2 * PAGE_SIZE);
	void *block = vmap_malloc(self_vmap(), (int)PAGE_SIZE);

	CHECK_ERROR(EINVAL, unmap_memory(area, 0));
	CHECK_ERROR(EINVAL, unmap_memory(area + 1, 1));
	CHECK_ERROR(EINVAL, unmap_memory(area, SIZE_MAX));
	CHECK_ERROR(EINVAL, unmap_memory(NULL, PAGE_SIZE));
	CHECK_ERROR(EINVAL, unmap_memory(block, PAGE_SIZE));
	CHECK_ERROR(EINVAL, unmap_memory(area + 2 * PAGE_SIZE, PAGE_SIZE));
	CHECK_ERROR(EINVAL, unmap_memory((void *)~(PAGE_SIZE - 1), PAGE_SIZE));
	CHECK_ERROR(0, unmap_memory(area, 2 * PAGE_SIZE));
	CHECK_ERROR(EINVAL, unmap_memory(area, 2 * PAGE_SIZE));
	vmap_free(self_vmap(), block);
}

/* A free hint is taken, one that is not is only a hint; nothing ever overlaps. */
PROCESS_TEST(mmap, hints_and_overlap)
{
	char *hint = (char *)MAPPING_END - 64 * PAGE_SIZE;
	char *first, *second, *third;

	first = test_map(hint, BYTES, READ_WRITE, MAP_FLAG_SHARED | MAP_FLAG_ANONYMOUS, -1, 0);
	CHECK_EQUAL(hint, first);
	second = test_map(hint + BYTES - PAGE_SIZE, BYTES, READ_WRITE,
			  MAP_FLAG_PRIVATE | MAP_FLAG_ANONYMOUS, -1, 0);
	CHECK(second + BYTES <= first || second >= first + BYTES);
	third = test_map((void *)PROGRAM_BASE, BYTES, READ_WRITE,
			 MAP_FLAG_SHARED | MAP_FLAG_ANONYMOUS, -1, 0);
	CHECK((vaddr_t)third >= MAPPING_BASE && (vaddr_t)third < MAPPING_END);
	test_pages_fill((vaddr_t)first, PAGES, 1);
	test_pages_fill((vaddr_t)second, PAGES, 2);
	test_pages_fill((vaddr_t)third, PAGES, 3);
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)first, PAGES, 1));
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)second, PAGES, 2));
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)third, PAGES, 3));
	test_unmap(first, BYTES);
	test_unmap(second, BYTES);
	test_unmap(third, BYTES);
}

static int touches_null(int argc, char **argv)
{
	(void)argc, (void)argv;
	test_unmap(test_map(NULL, 1, READ, MAP_FLAG_SHARED | MAP_FLAG_ANONYMOUS, -1, 0), 1);
	(void)test_load(0);
	return 0;
}

/* No hint is no address. */
TEST(mmap, null)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, touches_null);
}

/* ---- Files seen through memory --------------------------------------------------------- */

PROCESS_TEST(mmap, read)
{
	int file = make_file(BYTES - 100);
	const char *bytes = map_file(file, BYTES, READ, MAP_FLAG_SHARED);

	for (size_t i = 0; bytes && i < BYTES - 100; i++)
		if (!CHECK(file_byte_is(bytes, i)))
			break;
	for (size_t i = BYTES - 100; bytes && i < BYTES; i++)
		if (!CHECK_EQUAL(0, bytes[i]))
			break;
	test_unmap((char *)bytes, BYTES);
	test_file_remove(file, NAME);
}

PROCESS_TEST(mmap, write)
{
	int file = make_file(BYTES);
	char *bytes = map_file(file, BYTES, READ_WRITE, MAP_FLAG_SHARED);
	char text[8] = "";

	memcpy(bytes + 2 * PAGE_SIZE - 3, "hello", 6);
	CHECK_EQUAL(2 * PAGE_SIZE - 3, file_seek(file, 2 * PAGE_SIZE - 3, FILE_FROM_START));
	CHECK_EQUAL(6, file_read(file, text, 6));
	CHECK_TEXT("hello", text);
	/* And the other way round. */
	CHECK_EQUAL(6, file_seek(file, 6, FILE_FROM_START));
	CHECK_EQUAL(3, file_write(file, "abc", 3));
	CHECK(memcmp(bytes + 6, "abc", 3) == 0);
	test_unmap(bytes, BYTES);
	test_file_remove(file, NAME);
}

/* From an offset, one page; the rest of the file stays as it was. */
PROCESS_TEST(mmap, offset)
{
	int file = make_file(BYTES);
	char *bytes = test_map(NULL, 10, READ_WRITE, MAP_FLAG_SHARED, file, 2 * PAGE_SIZE);
	char *all = map_file(file, BYTES, READ, MAP_FLAG_SHARED);

	for (size_t i = 0; i < PAGE_SIZE; i++)
		bytes[i] = 'x';
	for (size_t i = 0; i < BYTES; i++)
		if (!CHECK(i / PAGE_SIZE == 2 ? all[i] == 'x' : file_byte_is(all, i)))
			break;
	test_unmap(bytes, 10);
	test_unmap(all, BYTES);
	test_file_remove(file, NAME);
}

PROCESS_TEST(mmap, shuffle)
{
	enum { SIZE = 128 * 1024, ROUNDS = 10 };
	int file = file_open(NAME, FILE_READ_WRITE | FILE_CREATE | FILE_TRUNCATE);
	uint8_t *bytes;
	uint64_t sum = 0, other;
	struct random random;

	NEED_PAGES(SIZE / (int64_t)PAGE_SIZE + 8);
	test_random(&random);
	CHECK_ERROR(0, file_truncate(file, SIZE));
	bytes = (uint8_t *)map_file(file, SIZE, READ_WRITE, MAP_FLAG_SHARED);
	for (size_t i = 0; i < SIZE; i++) {
		bytes[i] = (uint8_t)(i * 257);
		sum += bytes[i];
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t i = SIZE - 1; i > 0; i--) {
			size_t j = random_below(&random, i + 1);
			uint8_t byte = bytes[i];

			bytes[i] = bytes[j];
			bytes[j] = byte;
		}
		other = 0;
		for (size_t i = 0; i < SIZE; i++)
			other += bytes[i];
		CHECK_EQUAL(sum, other);
	}
	test_unmap((char *)bytes, SIZE);
	test_file_remove(file, NAME);
}

PROCESS_TEST(mmap, twice)
{
	int file = make_file(BYTES);
	char *first = map_file(file, BYTES, READ_WRITE, MAP_FLAG_SHARED);
	char *second = map_file(file, BYTES, READ_WRITE, MAP_FLAG_SHARED);

	CHECK(first != second);
	for (size_t i = 0; i < BYTES; i += 1000) {
		first[i] = (char)i;
		CHECK_EQUAL((char)i, second[i]);
		second[i]++;
		CHECK_EQUAL((char)(i + 1), first[i]);
	}
	test_unmap(first, BYTES);
	CHECK_EQUAL((char)1, second[0]);
	CHECK_ERROR(EINVAL, unmap_memory(first, BYTES));
	test_unmap(second, BYTES);
	test_file_remove(file, NAME);
}

static int writes_and_exits(int argc, char **argv)
{
	int file = make_file(BYTES);
	char *bytes = map_file(file, BYTES, READ_WRITE, MAP_FLAG_SHARED);

	(void)argc, (void)argv;
	memcpy(bytes + BYTES - 5, "exit", 5);
	return 0; /* without unmapping or closing */
}

PROCESS_TEST(mmap, exit)
{
	char text[5] = "";
	int file;

	CHECK_EXITS(0, writes_and_exits);
	file = file_open(NAME, FILE_READ);
	CHECK_EQUAL(BYTES - 5, file_seek(file, BYTES - 5, FILE_FROM_START));
	CHECK_EQUAL(5, file_read(file, text, 5));
	CHECK_TEXT("exit", text);
	test_file_remove(file, NAME);
}

/* What was mapped and not written is not written back over what a write left there. */
PROCESS_TEST(mmap, clean)
{
	int file = make_file(BYTES);
	char *bytes = map_file(file, BYTES, READ_WRITE, MAP_FLAG_SHARED);
	char byte = 0;

	CHECK(file_byte_is(bytes, 7));
	CHECK_EQUAL(0, file_seek(file, 0, FILE_FROM_START));
	CHECK_EQUAL(8, file_write(file, "overwrit", 8));
	test_unmap(bytes, BYTES);
	test_evict_all();
	CHECK_EQUAL(7, file_seek(file, 7, FILE_FROM_START));
	CHECK_EQUAL(1, file_read(file, &byte, 1));
	CHECK_EQUAL('t', byte);
	test_file_remove(file, NAME);
}

/* The mapping outlives descriptor and name. */
PROCESS_TEST(mmap, close_and_remove)
{
	struct object_counts before = object_read_counts();
	int file = make_file(BYTES);
	char *bytes = map_file(file, BYTES, READ_WRITE, MAP_FLAG_SHARED);

	CHECK_ERROR(0, file_close(file));
	CHECK(file_byte_is(bytes, 5));
	CHECK_ERROR(0, file_unlink(NAME));
	CHECK_EQUAL(-ENOENT, file_open(NAME, FILE_READ));
	test_evict_all();
	bytes[PAGE_SIZE] = 'x';
	for (size_t i = 0; i < BYTES; i++)
		if (!CHECK(i == PAGE_SIZE ? bytes[i] == 'x' : file_byte_is(bytes, i)))
			break;
	CHECK_EQUAL(before.objects + 1, object_read_counts().objects);
	test_unmap(bytes, BYTES);
	CHECK_EQUAL(before.objects, object_read_counts().objects);
	CHECK_EQUAL(before.pages, object_read_counts().pages);
}

static int touches_unmapped(int argc, char **argv)
{
	char *bytes = test_anonymous(BYTES);

	(void)argc, (void)argv;
	test_store((vaddr_t)bytes, 1);
	test_unmap(bytes, BYTES);
	(void)test_load((vaddr_t)bytes);
	return 0;
}

TEST(mmap, unmap)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, touches_unmapped);
}

/* A hole in the middle, then the rest in two pieces; what is left keeps its bytes. */
PROCESS_TEST(mmap, unmap_parts)
{
	enum { MANY = 600 }; /* two tables */
	char *bytes;

	NEED_PAGES(2 * MANY);
	bytes = test_anonymous(MANY * PAGE_SIZE);
	test_pages_fill((vaddr_t)bytes, MANY, 5);
	CHECK_ERROR(0, unmap_memory(bytes + 100 * PAGE_SIZE, 300 * PAGE_SIZE));
	CHECK_ERROR(EINVAL, unmap_memory(bytes + 200 * PAGE_SIZE, 200 * PAGE_SIZE));
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)bytes, 100, 5));
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)bytes + 400 * PAGE_SIZE, MANY - 400, 5));
	CHECK_ERROR(0, unmap_memory(bytes + 50 * PAGE_SIZE, 400 * PAGE_SIZE));
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)bytes, 50, 5));
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)bytes + 450 * PAGE_SIZE, MANY - 450, 5));
	test_unmap(bytes, MANY * PAGE_SIZE);
}

static int touches_empty_file(int argc, char **argv)
{
	int file = make_file(0);
	char *bytes = map_file(file, 1, READ_WRITE, MAP_FLAG_SHARED);

	(void)argc, (void)argv;
	CHECK_ERROR(0, file_unlink(NAME));
	bytes[0] = 1;
	return 0;
}

TEST(mmap, zero)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, touches_empty_file);
	CHECK(strstr(test_report(), "the mapped file ends before this page"));
}

/* Pages that a file loses are gone for who maps them; when it grows there are new ones, of zeros.
 */
PROCESS_TEST(mmap, truncate)
{
	int file = make_file(BYTES);
	char *bytes = map_file(file, BYTES, READ_WRITE, MAP_FLAG_SHARED);
	char byte = 'x';

	bytes[BYTES - 1] = 'x';
	CHECK_ERROR(0, file_truncate(file, PAGE_SIZE + 10));
	CHECK(file_byte_is(bytes, PAGE_SIZE + 9));
	CHECK_EQUAL(0, bytes[PAGE_SIZE + 10]);
	bytes[PAGE_SIZE + 10] = 'y'; /* behind the end, in its page: not of the file */
	CHECK_ERROR(0, file_truncate(file, BYTES));
	CHECK_EQUAL(0, bytes[PAGE_SIZE + 10]);
	CHECK_EQUAL(0, bytes[BYTES - 1]);
	bytes[BYTES - 1] = 'z';
	CHECK_EQUAL(BYTES - 1, file_seek(file, BYTES - 1, FILE_FROM_START));
	CHECK_EQUAL(1, file_read(file, &byte, 1));
	CHECK_EQUAL('z', byte);
	test_unmap(bytes, BYTES);
	test_file_remove(file, NAME);
}

/* ---- What is not allowed ---------------------------------------------------------------- */

static int writes_read_only(int argc, char **argv)
{
	int file = make_file(BYTES);

	(void)argc, (void)argv;
	CHECK_ERROR(0, file_unlink(NAME));
	test_store((vaddr_t)map_file(file, BYTES, READ, MAP_FLAG_SHARED), 1);
	return 0;
}

static int writes_read_only_private(int argc, char **argv)
{
	char *bytes = test_map(NULL, 1, READ, MAP_FLAG_PRIVATE | MAP_FLAG_ANONYMOUS, -1, 0);

	(void)argc, (void)argv;
	CHECK_EQUAL(0, bytes[0]);
	test_store((vaddr_t)bytes, 1);
	return 0;
}

static int reads_no_access(int argc, char **argv)
{
	char *bytes = test_map(NULL, 1, MAP_PROTECTION_NONE,
			       argc ? MAP_FLAG_SHARED | MAP_FLAG_ANONYMOUS
				    : MAP_FLAG_PRIVATE | MAP_FLAG_ANONYMOUS,
			       -1, 0);

	(void)argv;
	(void)test_load((vaddr_t)bytes);
	return 0;
}

static int executes_data(int argc, char **argv)
{
	char *bytes = test_anonymous(1);

	(void)argc, (void)argv;
	bytes[0] = (char)0xc3; /* ret */
	((void (*)(void))(vaddr_t)bytes)();
	return 0;
}

TEST(mmap, protection)
{
	char *one[] = {(char *)"1", NULL};

	CHECK_DIES(FAULT_FORBIDDEN, writes_read_only);
	CHECK_DIES(FAULT_FORBIDDEN, writes_read_only_private);
	CHECK_DIES(FAULT_FORBIDDEN, reads_no_access);
	CHECK_ENDS(FAULT_FORBIDDEN, 0, reads_no_access, 1, one);
	CHECK_DIES(FAULT_FORBIDDEN, executes_data);
}

/* A service that is given such memory says EFAULT. */
PROCESS_TEST(mmap, buffers)
{
	int file = make_file(BYTES);
	char *reads = map_file(file, BYTES, READ, MAP_FLAG_SHARED);
	char *writes = map_file(file, BYTES, READ_WRITE, MAP_FLAG_SHARED);
	char *none =
		test_map(NULL, 1, MAP_PROTECTION_NONE, MAP_FLAG_SHARED | MAP_FLAG_ANONYMOUS, -1, 0);

	CHECK_EQUAL(0, file_seek(file, 0, FILE_FROM_START));
	CHECK_EQUAL(-EFAULT, file_read(file, reads, 100));
	CHECK_EQUAL(-EFAULT, file_read(file, none, 1));
	CHECK_EQUAL(-EFAULT, file_read(file, writes + BYTES - 1, 2));
	CHECK_EQUAL(0, file_seek(file, 0, FILE_FROM_HERE));
	/* Into itself, a page further on. */
	CHECK_EQUAL(PAGE_SIZE, file_read(file, writes + PAGE_SIZE, PAGE_SIZE));
	for (size_t i = 0; i < PAGE_SIZE; i++)
		if (!CHECK(file_byte_is(writes, i) && writes[PAGE_SIZE + i] == writes[i]))
			break;
	CHECK_EQUAL(PAGE_SIZE, file_write(file, reads, PAGE_SIZE));
	CHECK_ERROR(0, vmap_copy_to_memory(self_vmap(), writes + 10, reads, 3));
	CHECK(memcmp(writes + 10, reads, 3) == 0);
	test_unmap(none, 1);
	test_unmap(reads, BYTES);
	test_unmap(writes, BYTES);
	test_file_remove(file, NAME);
}
