/*
 * file.c: files as programs use them: each error, names that go while their
 * file is open, several processes, buffers that are not there.
 */
#include "kernel/fs/file.h"

#include "arch/x86_64/layout.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/object.h"
#include "kernel/mm/reclaim.h"
#include "kernel/proc/program.h"
#include "kernel/sched/semaphore.h"
#include "lib/format.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

#define NAME "test file"
#define MAKE (FILE_READ_WRITE | FILE_CREATE | FILE_TRUNCATE)

/* A new file, or a failure. */
static int make(void)
{
	int file = file_open(NAME, MAKE);

	CHECK(file >= 3);
	return file;
}

PROCESS_TEST(file, write_seek_read)
{
	char text[16] = "";
	int file = make();

	CHECK_EQUAL(3, file);
	CHECK_EQUAL(5, file_write(file, "hello", 5));
	CHECK_EQUAL(0, file_read(file, text, 5));
	CHECK_EQUAL(1, file_seek(file, 1, FILE_FROM_START));
	CHECK_EQUAL(4, file_read(file, text, sizeof(text)));
	CHECK_TEXT("ello", text);
	CHECK_EQUAL(3, file_seek(file, -2, FILE_FROM_HERE));
	CHECK_EQUAL(1, file_write(file, "L", 1));
	CHECK_EQUAL(0, file_seek(file, -5, FILE_FROM_END));
	CHECK_EQUAL(5, file_read(file, text, 5));
	CHECK_TEXT("helLo", text);
	CHECK_EQUAL(100, file_seek(file, 95, FILE_FROM_END));
	CHECK_EQUAL(1, file_write(file, "!", 1));
	CHECK_EQUAL(101, file_seek(file, 0, FILE_FROM_END));
	CHECK_ERROR(0, file_truncate(file, 2));
	CHECK_EQUAL(2, file_seek(file, 0, FILE_FROM_END));
	CHECK_ERROR(0, file_close(file));
	CHECK_ERROR(0, file_unlink(NAME));
}

PROCESS_TEST(file, open_without_a_descriptor_changes_nothing)
{
	int first = make(), last = first;
	char text[8] = "";

	CHECK_EQUAL(5, file_write(first, "hello", 5));
	while (last >= 0)
		last = file_open(NAME, FILE_READ);
	CHECK_EQUAL(-EMFILE, last);
	CHECK_EQUAL(-EMFILE, file_open(NAME, MAKE));
	CHECK_EQUAL(-EMFILE, file_open("another", MAKE));
	CHECK_EQUAL(5, file_read(first + 1, text, sizeof(text)));
	CHECK_TEXT("hello", text);
	CHECK_ERROR(0, file_close(first));
	CHECK_EQUAL(-ENOENT, file_open("another", FILE_READ)); /* and gives its descriptor back */
	CHECK_EQUAL(first, file_open(NAME, FILE_READ));
	CHECK_ERROR(0, file_unlink(NAME));
}

PROCESS_TEST(file, errors_of_open)
{
	char name[FILE_NAME_BYTES + 1];
	int file;

	memset(name, 'n', sizeof(name));
	CHECK_EQUAL(-ENAMETOOLONG, file_open(name, MAKE));
	name[FILE_NAME_BYTES - 1] = '\0';
	file = file_open(name, MAKE);
	CHECK(file >= 0);
	CHECK_ERROR(0, file_unlink(name));
	CHECK_ERROR(0, file_close(file));
	CHECK_EQUAL(-ENOENT, file_open("", MAKE));
	CHECK_EQUAL(-ENOENT, file_open("no such file", FILE_READ));
	CHECK_EQUAL(-ENOENT, file_open("no such file", FILE_READ_WRITE | FILE_TRUNCATE));
	CHECK_EQUAL(-EINVAL, file_open(NAME, FILE_ACCESS | FILE_CREATE));
	CHECK_EQUAL(-EINVAL, file_open(NAME, FILE_READ | FILE_TRUNCATE));
	CHECK_EQUAL(-EINVAL, file_open(NAME, 04000 | FILE_CREATE));
	CHECK_EQUAL(-EINVAL, file_open(NAME, -1));
	CHECK_EQUAL(-ENOENT, file_open(NAME, FILE_READ)); /* none of these made it */
	file = file_open(NAME, MAKE | FILE_EXCLUSIVE);
	CHECK_EQUAL(3, file);
	CHECK_EQUAL(-EEXIST, file_open(NAME, MAKE | FILE_EXCLUSIVE));
	CHECK_ERROR(0, file_unlink(NAME));
	CHECK_ERROR(ENOENT, file_unlink(NAME));
	CHECK_ERROR(ENOENT, file_unlink(""));
}

PROCESS_TEST(file, errors_of_a_descriptor)
{
	static const int wrong[] = {-1, 0, 3, 4, OPEN_MAX, 1 << 30, INT32_MIN};
	char byte;

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		CHECK_ERROR(EBADF, file_close(wrong[i]));
		CHECK_EQUAL(-EBADF, file_read(wrong[i], &byte, 1));
		CHECK_EQUAL(-EBADF, file_write(wrong[i], "", 1));
		CHECK_ERROR(EBADF, file_truncate(wrong[i], 0));
		CHECK_EQUAL(wrong[i] == 0 ? -ESPIPE : -EBADF,
			    file_seek(wrong[i], 0, FILE_FROM_START));
	}
	CHECK_EQUAL(3, file_open(NAME, FILE_WRITE | FILE_CREATE));
	CHECK_EQUAL(4, file_open(NAME, FILE_READ));
	CHECK_EQUAL(-EBADF, file_read(3, &byte, 1));
	CHECK_EQUAL(-EBADF, file_write(4, "", 1));
	CHECK_ERROR(EINVAL, file_truncate(4, 0));
	CHECK_ERROR(EINVAL, file_truncate(3, -1));
	CHECK_ERROR(EFBIG, file_truncate(3, OBJECT_BYTES_MAX + 1));
	CHECK_EQUAL(-EINVAL, file_seek(3, -1, FILE_FROM_START));
	CHECK_EQUAL(-EINVAL, file_seek(3, 0, FILE_FROM_COUNT));
	CHECK_EQUAL(-EINVAL, file_seek(3, 0, (enum file_from) - 1));
	CHECK_EQUAL(INT64_MAX, file_seek(3, INT64_MAX, FILE_FROM_START));
	CHECK_EQUAL(-EOVERFLOW, file_seek(3, 1, FILE_FROM_HERE));
	CHECK_EQUAL(-EFBIG, file_write(3, "a", 1));
	CHECK_EQUAL(0, file_write(3, "a", 0));
	CHECK_EQUAL(0, file_write(1, "a", 0) + file_write(2, "a", 0)); /* its output */
	CHECK_ERROR(0, file_close(3));
	CHECK_ERROR(EBADF, file_close(3));
	CHECK_EQUAL(3, file_open(NAME, FILE_READ)); /* the lowest free one */
	CHECK_ERROR(0, file_unlink(NAME));
}

/* What is open is closed at the end of the process: this leaves all of it. */
PROCESS_TEST(file, as_many_as_may_be_open)
{
	for (int i = 3; i < OPEN_MAX; i++)
		CHECK_EQUAL(i, file_open(NAME, FILE_READ_WRITE | FILE_CREATE));
	CHECK_EQUAL(-EMFILE, file_open(NAME, FILE_READ));
	CHECK_EQUAL(1, file_write(3, "a", 1));
	CHECK_ERROR(0, file_unlink(NAME));
}

PROCESS_TEST(file, as_many_names_as_there_may_be)
{
	char name[16];
	unsigned made = 0;
	int file;

	for (;; made++) {
		(void)format(name, sizeof(name), "file %u", made);
		file = file_open(name, MAKE);
		if (file < 0)
			break;
		CHECK_ERROR(0, file_close(file));
	}
	CHECK_EQUAL(-ENOSPC, file);
	CHECK(made > 0 && made <= FILE_MAX);
	while (made-- > 0) {
		(void)format(name, sizeof(name), "file %u", made);
		CHECK_ERROR(0, file_unlink(name));
	}
}

PROCESS_TEST(file, removed_while_open)
{
	char text[4] = "";
	int before = make(), after;

	CHECK_EQUAL(3, file_write(before, "old", 3));
	CHECK_ERROR(0, file_unlink(NAME));
	CHECK_EQUAL(-ENOENT, file_open(NAME, FILE_READ));
	after = make(); /* another one of the same name */
	CHECK_EQUAL(3, file_write(after, "new", 3));
	CHECK_EQUAL(0, file_seek(before, 0, FILE_FROM_START));
	CHECK_EQUAL(3, file_read(before, text, 3));
	CHECK_TEXT("old", text);
	CHECK_EQUAL(4, file_seek(before, 4, FILE_FROM_START));
	CHECK_EQUAL(1, file_write(before, "x", 1));
	CHECK_ERROR(0, file_close(before));
	CHECK_EQUAL(0, file_seek(after, 0, FILE_FROM_START));
	CHECK_EQUAL(3, file_read(after, text, 3));
	CHECK_TEXT("new", text);
	CHECK_ERROR(0, file_unlink(NAME));
}

PROCESS_TEST(file, the_object_outlives_its_descriptor)
{
	struct object *object;
	char text[4] = "";
	int access = 0, file = make();

	CHECK_EQUAL(3, file_write(file, "abc", 3));
	object = file_object(file, &access);
	CHECK_EQUAL(FILE_READ_WRITE, access);
	CHECK_ERROR(0, file_close(file));
	CHECK_ERROR(0, file_unlink(NAME));
	CHECK(file_object(file, &access) == NULL);
	if (!CHECK(object))
		return;
	CHECK_EQUAL(3, object_read(object, 0, text, 3));
	CHECK_TEXT("abc", text);
	object_release(object);
}

PROCESS_TEST(file, a_module_is_only_read)
{
	unsigned place = 0;
	struct file_info info;
	char byte;
	int file;

	if (!file_next(&place, &info) || strcmp(info.kind, "file") == 0)
		SKIP("the loader brought no module");
	CHECK_EQUAL(-EROFS, file_open(info.name, FILE_READ_WRITE));
	CHECK_EQUAL(-EROFS, file_open(info.name, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE));
	CHECK_ERROR(EROFS, file_unlink(info.name));
	file = file_open(info.name, FILE_READ);
	CHECK_EQUAL(3, file);
	CHECK_EQUAL(info.size_bytes, file_seek(file, 0, FILE_FROM_END));
	CHECK_EQUAL(0, file_seek(file, 0, FILE_FROM_START));
	CHECK_EQUAL(MIN(info.size_bytes, 1ul), file_read(file, &byte, 1));
}

/* ---- Buffers --------------------------------------------------------------------- */

PROCESS_TEST(file, buffers_that_are_not_there)
{
	char *block = vmap_malloc(self_vmap(), 100);
	char *const bad[] = {
		NULL,
		(char *)8,
		(char *)PROCESS_FIRST,
		(char *)PROCESS_END,
		(char *)DIRECT_BASE - 1,
		(char *)0x8000000000000000,
		(char *)-8,
		block + 96,
		(char *)STACK_BASE,
	};
	int file = make();

	if (!CHECK(block))
		return;
	CHECK_EQUAL(100, file_write(file, block, 100));
	CHECK_EQUAL(0, file_seek(file, 0, FILE_FROM_START));
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_EQUAL(-EFAULT, file_read(file, bad[i], 32));
		CHECK_EQUAL(-EFAULT, file_write(file, bad[i], 32));
		CHECK_EQUAL(-EFAULT, file_write(1, bad[i], 32));
		CHECK_EQUAL(0, file_read(file, bad[i], 0));
		if (bad[i] != block + 96) {
			CHECK_EQUAL(-EFAULT, file_open(bad[i], MAKE));
			CHECK_ERROR(EFAULT, file_unlink(bad[i]));
		}
	}
	CHECK_EQUAL(-EFAULT, file_read(file, block, SIZE_MAX));
	CHECK_EQUAL(-EFAULT, file_write(file, block, (size_t)1 << 63));
	CHECK_EQUAL(-EFAULT, file_read(file, (void *)"constant", 8)); /* nothing to write to */
	CHECK_EQUAL(0, file_seek(file, 0, FILE_FROM_HERE));           /* none of it moved */
	CHECK_ERROR(0, file_unlink(NAME));
}

/* A name may end right at the end of a block. */
PROCESS_TEST(file, a_name_at_the_end_of_a_block)
{
	char *block = vmap_malloc(self_vmap(), PAGE_SIZE);
	char *name = block + PAGE_SIZE - 4;
	int file;

	if (!CHECK(block))
		return;
	memcpy(name, "abc", 4);
	file = file_open(name, MAKE);
	CHECK(file >= 0);
	CHECK_ERROR(0, file_unlink("abc"));
	name[3] = 'd';
	CHECK_EQUAL(-EFAULT, file_open(name, MAKE));
}

/* ---- Memory ---------------------------------------------------------------------- */

#define LARGE_PAGES 64u
#define STEP_BYTES (3 * PAGE_SIZE + 17)

/* A file of many more pages than processes may have in memory, through a buffer of as many. */
PROCESS_TEST(file, larger_than_the_resident_limit)
{
	uint64_t size_bytes = LARGE_PAGES * PAGE_SIZE;
	char *block;
	int file = make();

	NEED_SLOTS(2 * LARGE_PAGES);
	block = vmap_malloc(self_vmap(), (int)size_bytes);
	if (!CHECK(block))
		return;
	test_limit_set(8);
	test_pages_fill((vaddr_t)block, LARGE_PAGES, 3);
	CHECK_EQUAL(size_bytes, file_write(file, block, size_bytes));
	for (uint64_t i = 0; i < size_bytes; i += 512)
		block[i] = 0;
	CHECK_EQUAL(0, file_seek(file, 0, FILE_FROM_START));
	for (uint64_t done = 0; done < size_bytes;) {
		int64_t count = file_read(file, block + done, MIN(size_bytes - done, STEP_BYTES));

		if (!CHECK(count > 0))
			break;
		done += (uint64_t)count;
	}
	CHECK_EQUAL(0, test_pages_verify((vaddr_t)block, LARGE_PAGES, 3));
	test_limit_restore();
	CHECK_ERROR(0, file_unlink(NAME));
}

PROCESS_TEST(file, memory_ends_in_the_middle)
{
	char *block = vmap_malloc(self_vmap(), 2 * (int)PAGE_SIZE);
	int file = make();

	if (!CHECK(block))
		return;
	kernel_pages_fail(3, 1); /* the table of pages, the first page; not the second */
	CHECK_EQUAL(PAGE_SIZE, file_write(file, block, 2 * PAGE_SIZE));
	kernel_pages_fail(1, 1);
	CHECK_EQUAL(-ENOSPC, file_write(file, block, 1));
	CHECK_EQUAL(-ENOMEM, file_open("another", MAKE));
	kernel_pages_fail(0, 0);
	CHECK_EQUAL(PAGE_SIZE, file_seek(file, 0, FILE_FROM_HERE));
	CHECK_EQUAL(PAGE_SIZE, file_seek(file, 0, FILE_FROM_END));
	CHECK_ERROR(0, file_unlink(NAME));
}

PROCESS_TEST(file, until_no_memory_is_left)
{
	char *block = vmap_malloc(self_vmap(), 1 << 20);
	int file = make();
	int64_t count = 0, total = 0;

	if (!CHECK(block))
		return;
	while (total < (int64_t)MIB(160) && (count = file_write(file, block, 1 << 20)) > 0)
		total += count;
	if (total >= (int64_t)MIB(160))
		test_comment("the machine has more memory than this test fills");
	else
		CHECK_EQUAL(-ENOSPC, count);
	CHECK_EQUAL(total, file_seek(file, 0, FILE_FROM_END));
	CHECK_ERROR(0, file_unlink(NAME));
	CHECK_ERROR(0, file_close(file));
}

/* ---- Two processes --------------------------------------------------------------- */

static struct semaphore ping, pong;

static int answers(int argc, char **argv)
{
	int file = file_open(NAME, FILE_READ_WRITE);
	char text[8] = "";

	(void)argc, (void)argv;
	if (file != 3 || file_read(file, text, 4) != 4 || strcmp(text, "ping") != 0)
		return 1;
	/* It has an offset of its own, and the bytes are the same ones. */
	if (file_seek(file, 0, FILE_FROM_START) != 0 || file_write(file, "pong", 4) != 4)
		return 2;
	if (semaphore_post(&pong) || semaphore_wait(&ping))
		return 3;
	return file_read(file, text, 4) == 0 ? 0 : 4; /* truncated to nothing meanwhile */
}

PROCESS_TEST(file, of_two_processes)
{
	char text[8] = "";
	int file = make();
	pid_t pid;

	CHECK_ERROR(0, semaphore_init(&ping, 0));
	CHECK_ERROR(0, semaphore_init(&pong, 0));
	CHECK_EQUAL(4, file_write(file, "ping", 4));
	pid = SPAWN(answers, 0, NULL);
	if (pid > 0 && CHECK_ERROR(0, semaphore_wait(&pong))) {
		CHECK_EQUAL(0, file_read(file, text, 4));
		CHECK_EQUAL(0, file_seek(file, 0, FILE_FROM_START));
		CHECK_EQUAL(4, file_read(file, text, 4));
		CHECK_TEXT("pong", text);
		CHECK_ERROR(0, file_truncate(file, 0));
		CHECK_ERROR(0, semaphore_post(&ping));
	}
	CHECK_ENDED(FAULT_OK, 0, pid);
	CHECK_ERROR(0, file_unlink(NAME));
}

#define STORM_PROCESSES 4
#define STORM_ROUNDS 300

/* Opens, writes, truncates, reads, closes, removes the same few names as others do. */
static int storms(int argc, char **argv)
{
	struct random random;
	char name[] = "storm 0", text[600];

	(void)argc;
	random_seed_mixed(&random, (uint64_t)argv[0][0]);
	for (unsigned i = 0; i < STORM_ROUNDS; i++) {
		int file;

		name[6] = (char)('0' + random_below(&random, 3));
		file = file_open(name, FILE_READ_WRITE | FILE_CREATE);
		if (file < 0)
			return 1;
		(void)file_seek(file, (int64_t)random_below(&random, 9000), FILE_FROM_START);
		memset(text, argv[0][0], sizeof(text));
		if (file_write(file, text, sizeof(text)) != sizeof(text))
			return 2;
		if (random_below(&random, 4) == 0 &&
		    file_truncate(file, (int64_t)random_below(&random, 9000)))
			return 3;
		(void)file_seek(file, (int64_t)random_below(&random, 9000), FILE_FROM_START);
		if (file_read(file, text, sizeof(text)) < 0)
			return 4;
		if (random_below(&random, 4) == 0)
			file_unlink(name); /* another may have done it */
		if (random_below(&random, 8) && file_close(file))
			return 5;
		if (file == OPEN_MAX - 1)
			break;
	}
	return 0;
}

PROCESS_TEST(file, storm_of_processes)
{
	char name[] = "storm 0", *argv[STORM_PROCESSES] = {"a", "b", "c", "d"};
	pid_t pids[STORM_PROCESSES];

	for (unsigned i = 0; i < STORM_PROCESSES; i++)
		pids[i] = SPAWN(storms, 1, &argv[i]);
	for (unsigned i = 0; i < STORM_PROCESSES; i++)
		CHECK_ENDED(FAULT_OK, 0, pids[i]);
	for (name[6] = '0'; name[6] < '3'; name[6]++)
		file_unlink(name);
}
