/*
 * worker.c: the program that does what the console's `as PID ...` says.
 *
 * Its first thread takes requests (kernel/proc/work.h) and does them, one
 * after the other; a request `apart` gets a thread of its own. Stores and
 * loads happen here, in the program's text and outside of any gate, so a bad
 * one is this process's own fault. It has no globals: a worker at rest
 * touches no page of its process.
 */
#include "kernel/mm/vmap.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "kernel/proc/work.h"
#include "kernel/sched/gate.h"
#include "lib/random.h"

#define PROGRESS_BYTES MIB(16)

/*
 * The byte that `fill` stores at an address, for a seed: byte (address mod 8) of
 * splitmix64's mix of seed + (address rounded down to 8). This gives all eight.
 */
static uint64_t fill_word(uint64_t seed, uint64_t address)
{
	return splitmix64_mix(seed + address);
}

static uint8_t fill_byte(uint64_t seed, uint64_t address)
{
	return (uint8_t)(fill_word(seed, address & ~7ull) >> 8 * (address & 7));
}

/* ---- Loads and stores ------------------------------------------------------- */

/* Functions of their own, so that a fault report names them. */
static __attribute__((noinline)) void worker_store(uint64_t address, uint64_t value)
{
	*(volatile uint64_t *)address = value;
}

static __attribute__((noinline)) uint64_t worker_load(uint64_t address)
{
	return *(volatile uint64_t *)address;
}

static bool verify_byte(struct work *work, uint64_t address)
{
	uint8_t read = *(volatile uint8_t *)address;
	uint8_t expected = fill_byte(work->value, address);

	if (read == expected)
		return true;
	work->mismatch = true;
	work->result = address;
	work->read = read;
	work->expected = expected;
	return false;
}

static void store_range(const struct work *work, uint64_t address, uint64_t end)
{
	while (address < end) {
		if (address % 8 == 0 && end - address >= 8) {
			*(volatile uint64_t *)address = fill_word(work->value, address);
			address += 8;
		} else {
			*(volatile uint8_t *)address = fill_byte(work->value, address);
			address++;
		}
	}
}

/* False at the first byte that differs. */
static bool verify_range(struct work *work, uint64_t address, uint64_t end)
{
	while (address < end) {
		if (address % 8 == 0 && end - address >= 8 &&
		    *(volatile uint64_t *)address == fill_word(work->value, address)) {
			address += 8;
			continue;
		}
		if (!verify_byte(work, address))
			return false;
		address++;
	}
	return true;
}

/* By pages, so that it can be cancelled between two. */
static void do_range(struct work *work)
{
	uint64_t address = work->address;
	uint64_t end = address + (uint64_t)work->size;

	while (address < end && !work->mismatch) {
		uint64_t stop = MIN(end, (address | (PAGE_SIZE - 1)) + 1);

		if (work->kind == WORK_FILL)
			store_range(work, address, stop);
		else
			(void)verify_range(work, address, stop);
		address = stop;
		if (work_is_cancelled(work)) {
			work->error = -EINTR;
			return;
		}
		if (address % PROGRESS_BYTES == 0) {
			gate_enter();
			work_progress_hook(work, address - work->address, (uint64_t)work->size);
			gate_leave();
		}
	}
}

/* ---- Calls of the lab's functions ------------------------------------------- */

static void do_malloc(struct work *work, struct VMap *vmap)
{
	work->result = (uint64_t)vmap_malloc(vmap, (int)work->size);
	work->error = work->result ? 0 : -*vmap_errno();
}

static void do_free(struct work *work, struct VMap *vmap)
{
	vmap_free(vmap, (void *)work->address);
	work->error = -*vmap_errno();
}

static void do_copy_from(struct work *work, struct VMap *vmap)
{
	int size = (int)work->size;
	char *data = work->bytes;

	/* One call, whatever the size: a range over two blocks must fail. */
	if (size > (int)sizeof(work->bytes)) {
		data = vmap_malloc(self_vmap(), size);
		if (!data) {
			work->error = -*vmap_errno();
			return;
		}
	}
	work->error = vmap_copy_from_memory(vmap, data, (void *)work->address, size);
	work->data = data;
	work->byte_count = work->error == 0 ? (size_t)size : 0;
}

static void do_call(struct work *work, struct VMap *vmap)
{
	switch (work->kind) {
	case WORK_MALLOC:
		do_malloc(work, vmap);
		break;
	case WORK_FREE:
		do_free(work, vmap);
		break;
	case WORK_COPY_TO:
		work->error = vmap_copy_to_memory(vmap, (void *)work->address, work->bytes,
						  (int)work->byte_count);
		break;
	default:
		do_copy_from(work, vmap);
		break;
	}
}

static void do_call_on(struct process *process, void *context)
{
	do_call(context, &process->vmap);
}

/* The call on another process's VMap, which stays meanwhile. */
static void do_call_on_other(struct work *work)
{
	int error;

	gate_enter();
	error = process_with(work->other, do_call_on, work);
	gate_leave();
	if (error != 0)
		work->error = error;
}

/* ---- Requests ---------------------------------------------------------------- */

static void do_work(void *argument)
{
	struct work *work = argument;
	char *data;

	work->error = 0;
	work->mismatch = false;
	work->data = NULL;
	switch (work->kind) {
	case WORK_STORE:
		worker_store(work->address, work->value);
		break;
	case WORK_LOAD:
		work->result = worker_load(work->address);
		break;
	case WORK_FILL:
	case WORK_VERIFY:
		do_range(work);
		break;
	default:
		if (work->other != 0)
			do_call_on_other(work);
		else
			do_call(work, self_vmap());
		break;
	}
	data = work->data == work->bytes ? NULL : (char *)work->data;
	gate_enter();
	work_finish(work);
	gate_leave();
	if (data)
		vmap_free(self_vmap(), data);
}

/* The next request; false when the process is killed. */
static bool take(struct work **work)
{
	int error;

	gate_enter();
	error = work_take(work);
	gate_leave();
	return error == 0;
}

static int worker_main(int argc, char **argv)
{
	struct work *work;

	(void)argc, (void)argv;
	/* Who drives it access by access wants to see each page come. */
	self_vmap()->neighbours = 1;
	while (take(&work)) {
		tid_t tid;
		int error;

		if (!work->apart) {
			do_work(work);
			continue;
		}
		error = thread_start(do_work, work, &tid);
		if (error != 0) {
			gate_enter();
			work->error = error;
			work_finish(work);
			gate_leave();
		}
	}
	return 0;
}

PROGRAM(worker, WORKER_NAME, "", "waits for the console's `as PID ...` and does it", worker_main);
