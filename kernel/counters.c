/*
 * counters.c: the names of the counters, and their sums over all CPUs. Each
 * CPU writes only its own (COUNT in arch/x86_64/cpu.h); no locks.
 */
#include "kernel/counters.h"

#include "arch/x86_64/cpu.h"
#include "lib/assert.h"

const char *counter_name(enum counter counter)
{
	static const char *const names[COUNTER_COUNT] = {
#define COUNTER_NAME(identifier, name) [COUNTER_##identifier] = (name),
		COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
	};

	ASSERT(counter < COUNTER_COUNT);
	return names[counter];
}

uint64_t counter_read(enum counter counter)
{
	uint64_t sum = 0;

	ASSERT(counter < COUNTER_COUNT);
	for (unsigned id = 0; id < cpu_count; id++)
		sum += READ_ONCE(cpus[id].counters[counter]);
	return sum;
}
