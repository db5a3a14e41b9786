/*
 * executed.c: a plugin of QEMU's TCG that counts how often each instruction is executed in
 * each measurement of `bench`. tests/tools/executed builds it.
 *
 *     -plugin executed.so,start=ADDRESS,stop=ADDRESS,counts=FILE[,only=FILE]
 *
 * `start` and `stop` are where a measurement begins and ends, `only` lists the instructions to
 * count, an address a line; without it all are. Addresses are hexadecimal. At each end a line
 * "measurement NUMBER" goes to `counts`, NUMBER from 1 on as in bench_start(), and a line
 * "ADDRESS COUNT" for each instruction that was executed. One that faults is counted whenever it
 * begins, so twice if it succeeds then; QEMU's clock (icount) counts it once.
 *
 * Exact on one CPU; nothing of the guest is changed, only each counted instruction costs QEMU a
 * call. `lock` guards the tree, as CPUs translate in parallel; a counter stays once it is there.
 *
 * The declarations below are the few that it needs of QEMU's interface ("QEMU TCG Plugins" in
 * QEMU's developer documentation), whose header distributions do not package.
 */
#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
typedef void qemu_plugin_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void qemu_plugin_executed(unsigned int cpu, void *context);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_translated *call);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_executed *call,
					    enum qemu_plugin_cb_flags flags, void *context);

/* What QEMU looks for. */
__attribute__((visibility("default"))) int qemu_plugin_version = PLUGIN_VERSION;
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

struct counter {
	uint64_t address;
	uint64_t count; /* in this measurement */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *counters; /* a tree of tsearch()'s, by address */
static bool only;      /* those that are there already */
static uint64_t start, stop;
static FILE *counts;
static uint64_t number; /* of this measurement */

static int compare(const void *left, const void *right)
{
	const struct counter *a = left, *b = right;

	return (a->address > b->address) - (a->address < b->address);
}

static struct counter *counter_find(uint64_t address)
{
	struct counter wanted = {.address = address};
	struct counter **found = tfind(&wanted, &counters, compare);

	return found ? *found : NULL;
}

static struct counter *counter_add(uint64_t address)
{
	struct counter *counter = calloc(1, sizeof(*counter));

	if (counter)
		counter->address = address;
	if (!counter || !tsearch(counter, &counters, compare)) {
		fprintf(stderr, "executed: out of memory\n");
		abort();
	}
	return counter;
}

/* NULL: this instruction is not to be counted. */
static struct counter *counter_of(uint64_t address)
{
	struct counter *counter;

	pthread_mutex_lock(&lock);
	counter = counter_find(address);
	if (!counter && !only)
		counter = counter_add(address);
	pthread_mutex_unlock(&lock);
	return counter;
}

static void counter_clear(const void *node, VISIT visit, int depth)
{
	(void)depth;
	if (visit == postorder || visit == leaf)
		(*(struct counter *const *)node)->count = 0;
}

static void counter_print(const void *node, VISIT visit, int depth)
{
	const struct counter *counter = *(struct counter *const *)node;

	(void)depth;
	if ((visit == postorder || visit == leaf) && counter->count)
		fprintf(counts, "%" PRIx64 " %" PRIu64 "\n", counter->address, counter->count);
}

static void measurement_start(unsigned int cpu, void *context)
{
	(void)cpu, (void)context;
	pthread_mutex_lock(&lock);
	number++;
	twalk(counters, counter_clear);
	pthread_mutex_unlock(&lock);
}

static void measurement_stop(unsigned int cpu, void *context)
{
	(void)cpu, (void)context;
	pthread_mutex_lock(&lock);
	fprintf(counts, "measurement %" PRIu64 "\n", number);
	twalk(counters, counter_print);
	fflush(counts);
	pthread_mutex_unlock(&lock);
}

static void executed(unsigned int cpu, void *context)
{
	struct counter *counter = context;

	(void)cpu;
	__atomic_fetch_add(&counter->count, 1, __ATOMIC_RELAXED);
}

/* Calls come in this order, so the instruction at `start` is counted and that at `stop` is not. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		struct counter *counter = counter_of(address);

		if (address == start)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, measurement_start,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
		if (address == stop)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, measurement_stop,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
		if (counter)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, executed,
							       QEMU_PLUGIN_CB_NO_REGS, counter);
	}
}

static bool list_read(const char *name)
{
	FILE *file = fopen(name, "r");
	uint64_t address;

	if (!file)
		return false;
	only = true;
	while (fscanf(file, "%" SCNx64, &address) == 1) {
		if (!counter_find(address))
			counter_add(address);
	}
	fclose(file);
	return true;
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
							       const void *info, int argc,
							       char **argv)
{
	bool listed = true;

	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "start=", 6) == 0)
			start = strtoull(argv[i] + 6, NULL, 16);
		else if (strncmp(argv[i], "stop=", 5) == 0)
			stop = strtoull(argv[i] + 5, NULL, 16);
		else if (strncmp(argv[i], "counts=", 7) == 0)
			counts = fopen(argv[i] + 7, "w");
		else if (strncmp(argv[i], "only=", 5) == 0)
			listed = list_read(argv[i] + 5);
	}
	if (!start || !stop || !counts || !listed) {
		fprintf(stderr, "executed: start=, stop= and counts= are wanted, "
				"files that can be opened\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
