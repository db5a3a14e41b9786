/*
 * assert.h: ASSERT is on in every build and means a bug of ours. What a
 * caller, a trace, a script or a command line gave is never asserted on.
 */
#pragma once

#include "lib/types.h"

/* Stops the machine (in the kernel) or the test (on the host). Never returns. */
NORETURN COLD void assert_fail(const char *condition, const char *file, int line,
			       const char *function);

#define ASSERT(condition) \
	(LIKELY(condition) ? (void)0 : assert_fail(#condition, __FILE__, __LINE__, __func__))

/* For what costs more than O(1), or sits on the hottest path. */
#ifdef DEBUG
#define DEBUG_ASSERT(condition) ASSERT(condition)
#else
#define DEBUG_ASSERT(condition) ((void)sizeof(condition))
#endif

#define STATIC_ASSERT(condition) _Static_assert(condition, #condition)
