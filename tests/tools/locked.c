/*
 * locked.c: a plugin of QEMU's TCG that counts the locked instructions of each measurement
 * of `bench`. tests/tools/locked builds it and makes the list of addresses.
 *
 *     -plugin locked.so,addresses=FILE,counts=FILE
 *
 * `addresses` has lines "start ADDRESS", "stop ADDRESS", "locked ADDRESS", hexadecimal: where a
 * measurement begins and ends, and where the locked instructions are. At each end a line
 * "NUMBER COUNT" goes to `counts`, NUMBER from 1 on as in bench_start(). Exact on one CPU;
 * nothing of the guest is changed, only these instructions cost QEMU a call.
 *
 * The declarations below are the few that it needs of QEMU's interface ("QEMU TCG Plugins" in
 * QEMU's developer documentation), whose header distributions do not package.
 */
#include <inttypes.h>
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

#define PLACES_MAX 65536u

enum what { START, STOP, LOCKED };
struct place {
	uint64_t address;
	enum what what;
};

static struct place places[PLACES_MAX]; /* by address */
static size_t place_count;
static FILE *counts;
static uint64_t number, count; /* of this measurement */
static bool measuring;

static void start(unsigned int cpu, void *context)
{
	(void)cpu, (void)context;
	number++;
	count = 0;
	measuring = true;
}

static void stop(unsigned int cpu, void *context)
{
	(void)cpu, (void)context;
	if (measuring)
		fprintf(counts, "%" PRIu64 " %" PRIu64 "\n", number, count);
	fflush(counts);
	measuring = false;
}

static void locked(unsigned int cpu, void *context)
{
	(void)cpu, (void)context;
	__atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
}

static int compare(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	return (a->address > b->address) - (a->address < b->address);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	static qemu_plugin_executed *const calls[] = {start, stop, locked};

	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct place wanted = {.address = qemu_plugin_insn_vaddr(insn)};
		const struct place *place =
			bsearch(&wanted, places, place_count, sizeof(wanted), compare);

		if (place)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, calls[place->what],
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

static bool places_read(const char *name)
{
	FILE *file = fopen(name, "r");
	char word[16];

	if (!file)
		return false;
	while (place_count < PLACES_MAX &&
	       fscanf(file, "%15s %" SCNx64, word, &places[place_count].address) == 2) {
		places[place_count].what = strcmp(word, "start") == 0  ? START
					   : strcmp(word, "stop") == 0 ? STOP
								       : LOCKED;
		place_count++;
	}
	fclose(file);
	qsort(places, place_count, sizeof(places[0]), compare);
	return place_count > 0;
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
							       const void *info, int argc,
							       char **argv)
{
	bool read = false;

	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "addresses=", 10) == 0)
			read = places_read(argv[i] + 10);
		else if (strncmp(argv[i], "counts=", 7) == 0)
			counts = fopen(argv[i] + 7, "w");
	}
	if (!read || !counts) {
		fprintf(stderr, "locked: addresses=FILE,counts=FILE are wanted\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
