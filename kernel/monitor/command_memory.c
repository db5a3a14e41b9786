/*
 * command_memory.c: the limit, the policy, and the counters as NAME VALUE lines.
 */
#include "kernel/mm/commit.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/policy.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/swap.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/proc/process.h"
#include "kernel/sched/gate.h"
#include "lib/string.h"

static void print_value(const char *name, uint64_t value)
{
	console_print("%s %lu\n", name, value);
}

/* The resident limit; without one, what fits into RAM. */
static uint64_t limit_shown(void)
{
	uint64_t limit = reclaim_limit();

	return limit == UINT64_MAX ? commit_resident_max() : limit;
}

static int limit_run(int argc, char **argv)
{
	int64_t frame_count;
	int error;

	if (argc == 1) {
		console_print("%lu\n", limit_shown());
		return 0;
	}
	error = argument_size(argv[1], "FRAMES", RESIDENT_MIN, INT64_MAX, &frame_count);
	if (error != 0)
		return error;
	error = reclaim_set_limit((uint64_t)frame_count);
	if (error == -ENOMEM)
		return command_fail(ENOMEM, "so many frames and the swap do not hold what is "
					    "promised and the reserve");
	return error != 0 ? command_errno(error) : command_ok();
}

COMMAND(30, limit, .name = "limit", .arguments = "[FRAMES]",
	.summary = "shows or sets how many frames pages of processes may have", .max = 1,
	.run = limit_run);

static int policy_run(int argc, char **argv)
{
	struct policy *policy;

	if (argc == 2) {
		policy = policy_find(argv[1]);
		if (!policy)
			return command_fail(EINVAL,
					    "there is no policy '%s'; help policies lists "
					    "them",
					    argv[1]);
		gate_enter(); /* check wants the lists as they are */
		lru_set_policy(policy);
		gate_leave();
	}
	console_print("%s\n", lru_policy()->name);
	return 0;
}

COMMAND(31, policy, .name = "policy", .arguments = "[NAME]",
	.summary = "shows or sets who leaves memory first", .max = 1, .run = policy_run);

static int neighbours_run(int argc, char **argv)
{
	int64_t pages;
	int error;

	if (argc == 1) {
		console_print("%u\n", READ_ONCE(fault_neighbours));
		return 0;
	}
	error = argument_size(argv[1], "PAGES", 1, NEIGHBOURS_MAX, &pages);
	if (error != 0)
		return error;
	WRITE_ONCE(fault_neighbours, (unsigned)pages);
	return command_ok();
}

COMMAND(31, neighbours, .name = "neighbours", .arguments = "[PAGES]",
	.summary = "shows or sets how many pages a first touch maps (processes to come)", .max = 1,
	.run = neighbours_run);

static int meminfo_run(int argc, char **argv)
{
	uint64_t counts[FRAME_STATE_COUNT];
	struct commit_state commit = commit_read();

	(void)argc, (void)argv;
	frame_census(counts);
	print_value("ram", frame_memory.ram_pages);
	print_value("free", counts[FRAME_FREE]);
	print_value("kernel", counts[FRAME_KERNEL]);
	print_value("page-table", counts[FRAME_PAGE_TABLE]);
	print_value("private", counts[FRAME_PRIVATE]);
	print_value("shared", counts[FRAME_SHARED]);
	print_value("ramdisk", counts[FRAME_RAMDISK]);
	print_value("resident", reclaim_resident());
	print_value("limit", limit_shown());
	print_value("committed", commit.committed);
	print_value("available", commit.available > 0 ? (uint64_t)commit.available : 0);
	print_value("reserve", commit.reserve);
	print_value("processes", process_count());
	return 0;
}

COMMAND(32, meminfo, .name = "meminfo", .arguments = "", .summary = "where memory is, in pages",
	.run = meminfo_run,
	.detail = "committed: pages promised to processes; available: pages that may still be.\n");

static int vmstat_run(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (enum counter counter = 0; counter < COUNTER_COUNT; counter++)
		print_value(counter_name(counter), counter_read(counter));
	return 0;
}

COMMAND(33, vmstat, .name = "vmstat", .arguments = "",
	.summary = "what has happened since boot, all CPUs together", .run = vmstat_run);

static int swap_run(int argc, char **argv)
{
	struct swap_counts counts = swap_read_counts();

	(void)argc, (void)argv;
	print_value("slots", counts.slots);
	print_value("used", counts.used);
	print_value("free", counts.slots - counts.used - counts.bad);
	print_value("bad", counts.bad);
	print_value("pswpin", counter_read(COUNTER_PSWPIN));
	print_value("pswpout", counter_read(COUNTER_PSWPOUT));
	print_value("read-errors", counter_read(COUNTER_SWAP_READ_ERROR));
	print_value("write-errors", counter_read(COUNTER_SWAP_WRITE_ERROR));
	return 0;
}

COMMAND(34, swap, .name = "swap", .arguments = "", .summary = "slots of the swap disk",
	.run = swap_run);

static int locks_run(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (unsigned i = 0; i < LOCK_CLASS_COUNT; i++)
		console_print("lock.%s.contended %lu\n", lock_class_name(i),
			      READ_ONCE(lock_contended[i]));
	return 0;
}

COMMAND(35, locks, .name = "locks", .arguments = "",
	.summary = "how often somebody had to wait for a lock", .run = locks_run,
	.detail = "From the outermost lock to the innermost: the order in which they are taken.\n");

static int cpus_run(int argc, char **argv)
{
	(void)argc, (void)argv;
	print_value("cpus", cpu_count);
	print_value("ready", sched_ready_count());
	for (unsigned id = 0; id < cpu_count; id++) {
		const struct cpu *cpu = &cpus[id];

		if (command_interrupted())
			return -EINTR;
		console_print("cpu%u.apic %u\n", id, cpu->apic_id);
		for (enum counter counter = 0; counter < COUNTER_COUNT; counter++)
			console_print("cpu%u.%s %lu\n", id, counter_name(counter),
				      READ_ONCE(cpu->counters[counter]));
	}
	return 0;
}

COMMAND(36, cpus, .name = "cpus", .arguments = "", .summary = "what has happened on each CPU",
	.run = cpus_run);
