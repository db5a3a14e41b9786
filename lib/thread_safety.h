/*
 * thread_safety.h: clang's thread-safety annotations, checked by `make
 * analyze`; nothing to other compilers. Attribute names as in clang's
 * documentation, "Thread Safety Analysis".
 */
#pragma once

#if defined(__clang__)
#define THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define THREAD_SAFETY(attribute)
#endif

#define CAPABILITY(name) THREAD_SAFETY(capability(name))
/*
 * Of a variable, or of a struct's member by another member. The address is what makes clang 19
 * find the lock of a member in C; it takes the same lock of another instance for it, though.
 */
#define GUARDED_BY(lock) THREAD_SAFETY(guarded_by(&lock))
#define REQUIRES(...) THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define ACQUIRES(...) THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define RELEASES(...) THREAD_SAFETY(release_capability(__VA_ARGS__))
#define TRY_ACQUIRES(...) THREAD_SAFETY(try_acquire_capability(__VA_ARGS__))
#define EXCLUDES(...) THREAD_SAFETY(locks_excluded(__VA_ARGS__))
/* From the call on the lock counts as held: what the analysis cannot see, but we know. */
#define ASSERTS_HELD(lock) THREAD_SAFETY(assert_capability(lock))
/* Only beside RELEASES, for a function of no code: the attribute is all there is of it. */
#define NOT_ANALYZED THREAD_SAFETY(no_thread_safety_analysis)
