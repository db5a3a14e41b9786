/*
 * host_test.h: tests of pure logic, run as a plain program on the machine that
 * builds, under AddressSanitizer and UndefinedBehaviorSanitizer. Output is TAP.
 *
 *     TEST(suite, name)
 *     {
 *             CHECK_EQUAL(4, strlen("four"));
 *     }
 *
 * A test registers by a pointer in the section host_tests. It fails if a CHECK
 * in it fails, or if it leaves pages allocated.
 */
#pragma once

#include "lib/random.h"
#include "lib/types.h"

struct host_test {
	const char *suite;
	const char *name;
	void (*run)(void);
};

/* GCC reverses such a table without it; clang does not know it. */
#if __has_attribute(no_reorder)
#define IN_ORDER __attribute__((no_reorder))
#else
#define IN_ORDER
#endif

#define TEST(suite_, name_)                                                                  \
	static void test_##suite_##_##name_(void);                                           \
	static const struct host_test test_##suite_##_##name_##_test = {                     \
		#suite_, #name_, test_##suite_##_##name_};                                   \
	__attribute__((section("host_tests"), used)) IN_ORDER                                \
	static const struct host_test *const                                                 \
		test_##suite_##_##name_##_entry = &test_##suite_##_##name_##_test;           \
	static void test_##suite_##_##name_(void)

#define CHECK(condition) host_check(condition, #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(expected, observed)                                                     \
	host_check_equal((int64_t)(expected), (int64_t)(observed), #observed, __FILE__, __LINE__)
#define CHECK_TEXT(expected, observed) \
	host_check_text(expected, observed, #observed, __FILE__, __LINE__)

/* Each returns whether it held, so that a test can stop where going on makes no sense. */
bool host_check(bool held, const char *condition, const char *file, int line);
bool host_check_equal(int64_t expected, int64_t observed, const char *what, const char *file,
		      int line);
bool host_check_text(const char *expected, const char *observed, const char *what,
		     const char *file, int line);

/* A generator for this test: seeded by SEED of the environment, or 1; the seed is printed. */
void host_random(struct random *random);

/*
 * Page arrays' pages (see lib/page_array.h). After host_pages_limit(n), n more
 * can be had, then none; SIZE_MAX lifts it. host_pages_live() are not yet freed.
 */
void host_pages_limit(size_t count);
size_t host_pages_live(void);
