/*
 * object.c: shared memory objects by themselves: holes, growth, truncation,
 * and memory that ends in the middle.
 */
#include "kernel/mm/object_page.h"

#include "kernel/mm/kernel_pages.h"
#include "kernel/proc/check_all.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"

#define BUFFER_BYTES 300u

static char buffer[BUFFER_BYTES];

/* Whether [offset, offset + size) reads as bytes of the value, all of them there. */
static bool reads_as(struct object *object, uint64_t offset, uint64_t size_bytes, char value)
{
	for (uint64_t done = 0; done < size_bytes;) {
		size_t count = object_read(object, offset + done, buffer,
					   MIN(sizeof(buffer), size_bytes - done));

		if (count == 0)
			return false;
		for (size_t i = 0; i < count; i++)
			if (buffer[i] != value)
				return false;
		done += count;
	}
	return true;
}

static void write_all(struct object *object, uint64_t offset, uint64_t size_bytes, char value)
{
	memset(buffer, value, sizeof(buffer));
	for (uint64_t done = 0; done < size_bytes;) {
		int64_t count = object_write(object, offset + done, buffer,
					     MIN(sizeof(buffer), size_bytes - done));

		if (!CHECK(count > 0))
			return;
		done += (uint64_t)count;
	}
}

TEST(object, holes_read_as_zero)
{
	struct object *object = object_create();

	if (!CHECK(object))
		return;
	CHECK_EQUAL(0, object_read(object, 0, buffer, 1));
	CHECK_EQUAL(3, object_write(object, 10 * PAGE_SIZE - 1, "abc", 3));
	CHECK_EQUAL(10 * PAGE_SIZE + 2, object_size(object));
	CHECK_EQUAL(2, object->page_count);
	CHECK(reads_as(object, 0, 10 * PAGE_SIZE - 1, 0));
	CHECK_EQUAL(3, object_read(object, 10 * PAGE_SIZE - 1, buffer, sizeof(buffer)));
	CHECK(memcmp(buffer, "abc", 3) == 0);
	CHECK_EQUAL(0, object_read(object, 10 * PAGE_SIZE + 2, buffer, 1));
	CHECK_EQUAL(0, object_read(object, UINT64_MAX, buffer, 1));
	object_release(object);
}

TEST(object, what_is_cut_off_is_gone)
{
	struct object *object = object_create();

	if (!CHECK(object))
		return;
	write_all(object, 0, 5 * PAGE_SIZE, 'x');
	CHECK_ERROR(0, object_truncate(object, PAGE_SIZE + 100));
	CHECK_EQUAL(2, object->page_count);
	CHECK(reads_as(object, 0, PAGE_SIZE + 100, 'x'));
	CHECK_ERROR(0, object_truncate(object, 5 * PAGE_SIZE));
	CHECK(reads_as(object, PAGE_SIZE + 100, 4 * PAGE_SIZE - 100, 0));
	CHECK_EQUAL(2, object->page_count);
	CHECK_ERROR(0, object_truncate(object, 0));
	CHECK_EQUAL(0, object->page_count);
	CHECK_EQUAL(0, object->pages.page_count);
	object_release(object);
}

TEST(object, as_large_as_it_may_be)
{
	struct object *object = object_create();

	if (!CHECK(object))
		return;
	CHECK_EQUAL(-EFBIG, object_write(object, OBJECT_BYTES_MAX, "a", 1));
	CHECK_EQUAL(0, object_write(object, OBJECT_BYTES_MAX, "a", 0));
	CHECK_EQUAL(1, object_write(object, OBJECT_BYTES_MAX - 1, "ab", 2));
	CHECK_EQUAL(OBJECT_BYTES_MAX, object_size(object));
	CHECK_ERROR(EFBIG, object_truncate(object, OBJECT_BYTES_MAX + 1));
	CHECK_EQUAL(1, object->page_count);
	CHECK_ERROR(0, object_truncate(object, OBJECT_BYTES_MAX - 1));
	CHECK_EQUAL(1, object_write(object, 0, "a", 1));
	CHECK_ERROR(0, object_truncate(object, 1));
	CHECK_EQUAL(1, object->page_count);
	object_release(object);
}

TEST(object, a_constant_one_is_only_read)
{
	static const char text[] = "constant";
	struct object object;

	object_init_constant(&object, text, sizeof(text));
	CHECK_EQUAL(sizeof(text), object_size(&object));
	CHECK_EQUAL(4, object_read(&object, 5, buffer, sizeof(buffer)));
	CHECK_TEXT("ant", buffer);
	CHECK_EQUAL(-EROFS, object_write(&object, 0, "a", 1));
	CHECK_ERROR(EROFS, object_truncate(&object, 0));
}

/* The first allocation fails, then the second, ...: until all of it succeeds. */
TEST(object, memory_ends_anywhere)
{
	for (unsigned nth = 1; nth < 100; nth++) {
		struct object *object;
		int64_t count = -1;

		kernel_pages_fail(nth, 1);
		object = object_create();
		if (object)
			count = object_write(object, 600 * PAGE_SIZE - 100, buffer, 200);
		kernel_pages_fail(0, 0);
		if (!object)
			continue;
		CHECK(count == 200 || count == 100 || count == -ENOSPC);
		CHECK_EQUAL(count == -ENOSPC ? 0 : 600 * PAGE_SIZE - 100 + count,
			    object_size(object));
		object_release(object);
		if (count == 200)
			return;
	}
	FAIL("it never succeeded");
}

/* Random writes, reads and truncations beside a plain array of bytes. */
TEST(object, random_work_beside_an_array)
{
	enum { PAGES = 6, SIZE = PAGES * PAGE_SIZE, ROUNDS = 2000 };
	static char shadow[SIZE], read[SIZE];
	struct object *object = object_create();
	struct random random;
	uint64_t size_bytes = 0;

	test_random(&random);
	memset(shadow, 0, sizeof(shadow));
	for (unsigned round = 0; object && round < ROUNDS; round++) {
		uint64_t offset = random_below(&random, SIZE);
		uint64_t count = random_below(&random, MIN(SIZE - offset, 700u) + 1);

		if (random_below(&random, 8) == 0) {
			CHECK_ERROR(0, object_truncate(object, offset));
			memset(shadow + offset, 0, SIZE - offset);
			size_bytes = offset;
			continue;
		}
		memset(buffer, (int)round, sizeof(buffer));
		count = MIN(count, sizeof(buffer));
		CHECK_EQUAL(count, object_write(object, offset, buffer, count));
		memset(shadow + offset, (int)round, count);
		size_bytes = count ? MAX(size_bytes, offset + count) : size_bytes;
		if (!CHECK_EQUAL(size_bytes, object_read(object, 0, read, SIZE)) ||
		    !CHECK(memcmp(read, shadow, size_bytes) == 0))
			break;
	}
	if (CHECK(object))
		object_release(object);
}

/* ---- check can fail --------------------------------------------------------------- */

/* Does check name the invariant, and nothing once *place is as it was? */
#define CHECK_NAMES(invariant, place, value)            \
	do {                                            \
		__typeof__(place) kept = (place);       \
                                                        \
		(place) = (value);                      \
		CHECK(check_names("I" #invariant ":")); \
		(place) = kept;                         \
	} while (0)

static bool check_names(const char *invariant)
{
	const struct check *check = check_all();

	for (unsigned i = 0; i < check->line_count; i++)
		if (strncmp(check->lines[i], invariant, strlen(invariant)) == 0)
			return true;
	return false;
}

TEST(object, check_can_fail)
{
	struct object *object = object_create();
	struct object_page *page;
	struct frame *frame;

	if (!CHECK(object) || !CHECK_EQUAL(1, object_write(object, 2 * PAGE_SIZE, "a", 1)))
		return;
	page = page_array_get(&object->pages, 2);
	frame = &frames[object_page_number(page)];
	CHECK_NAMES(3, page->bits, 0);
	CHECK_NAMES(3, page->bits, page->bits | 1ull << 40);
	CHECK_NAMES(11, object->page_count, 2);
	CHECK_NAMES(3, frame->shared.object, 0);
	CHECK_NAMES(3, frame->shared.index, 3);
	CHECK_NAMES(3, frame->state, FRAME_KERNEL);
	CHECK_NAMES(10, object->size_bytes, PAGE_SIZE);
	CHECK_NAMES(11, object->references, 0);
	CHECK_NAMES(12, object->mutex.owner, 8);
	CHECK_EQUAL(0, check_all()->violations);
	object_release(object);
}
