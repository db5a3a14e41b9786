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
#define GUARDED_BY(lock) THREAD_SAFETY(guarded_by(lock))
#define REQUIRES(...) THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define ACQUIRES(...) THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define RELEASES(...) THREAD_SAFETY(release_capability(__VA_ARGS__))
#define TRY_ACQUIRES(...) THREAD_SAFETY(try_acquire_capability(__VA_ARGS__))
#define EXCLUDES(...) THREAD_SAFETY(locks_excluded(__VA_ARGS__))
/* For the few functions that are locks, or that hand one over by a context switch. */
#define LOCK_INTERNALS THREAD_SAFETY(no_thread_safety_analysis)
