/*
 * command_as.c: `as PID ...`: asks a worker, waits, prints.
 *
 *   as_run() --- work_submit() ---> worker --- print_answer() ---> console
 *      ^                                  \--- answer_done()
 *      +---------- input_change() ------------'
 *
 * Answers are printed in the worker's thread, because what was copied from
 * memory may lie in its process; errors of a request that the console waits
 * for are printed by the console.
 *
 * Locks: `lock`, of the semaphores' class, guards the use of pool entries;
 * `printing`, a mutex, the line in which a background answer is put together.
 */
#include "kernel/monitor/command_as.h"

#include "kernel/mm/vmap.h"
#include "kernel/monitor/as_request.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/console.h"
#include "kernel/monitor/input.h"
#include "kernel/proc/process.h"
#include "kernel/proc/work.h"
#include "lib/format.h"
#include "lib/string.h"

#define POOL_MAX 64       /* requests apart at once; the next one waits for a place */
#define PIECE_BYTES 128   /* of bytes copied from memory, printed at a time */
#define ESCAPED_BYTES 4   /* of one byte as \xNN */

static struct {
	struct spinlock lock;
	bool used[POOL_MAX];
	struct work pool[POOL_MAX];
	struct work awaited; /* the one that the console waits for */
	struct mutex printing;
	size_t line_count;
	char line[LINE_MAX_BYTES * ESCAPED_BYTES];
} as = { .lock = SPINLOCK(WAIT) };

/* ---- Printing. In the worker's thread. --------------------------------------- */

/* Adds to the answer of a request apart; a full line is printed. */
static void line_add(const struct work *work, const char *bytes, size_t count)
{
	if (as.line_count + count > sizeof(as.line)) {
		console_background(work->pid, as.line, as.line_count);
		as.line_count = 0;
	}
	memcpy(as.line + as.line_count, bytes, count);
	as.line_count += count;
}

static void answer_write(const struct work *work, const char *bytes, size_t count)
{
	if (work->apart)
		line_add(work, bytes, count);
	else
		console_write(bytes, count);
}

static PRINTF_LIKE(2, 3) void answer_print(const struct work *work, const char *fmt, ...)
{
	char text[192];
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = format_v(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	answer_write(work, text, MIN((size_t)length, sizeof(text) - 1));
}

static size_t escape(char *to, const char *bytes, size_t count)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		uint8_t byte = (uint8_t)bytes[i];

		if (byte == '\\')
			to[length++] = '\\';
		if (byte >= ' ' && byte <= '~')
			to[length++] = (char)byte;
		else
			length += (size_t)format(to + length, ESCAPED_BYTES + 1, "\\x%02x", byte);
	}
	return length;
}

/* The bytes lie in the request, or in memory of the worker's process: a copy reaches both. */
static void print_bytes(const struct work *work)
{
	char piece[PIECE_BYTES], text[PIECE_BYTES * ESCAPED_BYTES + 1];

	for (size_t at = 0; at < work->byte_count; at += PIECE_BYTES) {
		size_t count = MIN(work->byte_count - at, (size_t)PIECE_BYTES);

		if (work->data == work->bytes)
			memcpy(piece, work->bytes + at, count);
		else if (vmap_copy_from_memory(&process_current()->vmap, piece,
					       (void *)(work->data + at), (int)count) != 0)
			break;
		answer_write(work, text, escape(text, piece, count));
	}
}

/* The sentence of an error, without what command_fail() puts before it. */
static void error_text(const struct work *work, char *text, size_t size_bytes)
{
	pid_t owner = process_of_address(work->address);

	if (work->killed != FAULT_OK)
		(void)format(text, size_bytes, "pid %d died", work->pid);
	else if (work->error == -EPERM && work->other != 0)
		(void)format(text, size_bytes, "pid %d may not use the memory of pid %d",
			     work->pid, work->other);
	else if (work->error == -EPERM && owner != 0 && owner != work->pid)
		(void)format(text, size_bytes, "0x%016lx belongs to pid %d", work->address, owner);
	else if (work->error == -EINVAL && work->kind == WORK_FREE)
		(void)format(text, size_bytes, "no live block begins at 0x%016lx", work->address);
	else
		(void)string_copy(text, errno_text(work->error), size_bytes);
}

static void print_success(const struct work *work)
{
	switch (work->kind) {
	case WORK_MALLOC:
	case WORK_LOAD:
		answer_print(work, "0x%016lx", work->result);
		break;
	case WORK_COPY_FROM:
		print_bytes(work);
		break;
	default:
		if (work->mismatch)
			answer_print(work, "mismatch at 0x%016lx: read 0x%02x, expected 0x%02x",
				     work->result, work->read, work->expected);
		else
			answer_print(work, "ok");
		break;
	}
}

static void print_answer(struct work *work)
{
	char text[128];

	if (!work->apart) {
		if (work->error == 0) {
			print_success(work);
			answer_write(work, "\n", 1);
		}
		return;
	}
	mutex_lock(&as.printing);
	as.line_count = 0;
	if (work->error == 0) {
		print_success(work);
	} else {
		error_text(work, text, sizeof(text));
		answer_print(work, "error: %s: %s", errno_name(work->error), text);
	}
	console_background(work->pid, as.line, as.line_count);
	mutex_unlock(&as.printing);
}

/* The request that is awaited may be in use again by now: it is not looked into. */
static void answer_done(struct work *work)
{
	if (work != &as.awaited) {
		uint64_t flags = spin_lock_irq(&as.lock);

		as.used[work - as.pool] = false;
		spin_unlock_irq(&as.lock, flags);
	}
	input_change();
}

static void print_progress(const struct work *work, uint64_t done, uint64_t total)
{
	if (!work->apart)
		console_progress("%lu of %lu MiB", done >> 20, total >> 20);
}

void as_init(void)
{
	mutex_init(&as.printing, LOCK_CONSOLE);
	work_print_hook = print_answer;
	work_done_hook = answer_done;
	work_progress_hook = print_progress;
}

/* ---- Asking. In the console's thread. ----------------------------------------- */

static struct work *pool_take(void)
{
	uint64_t flags = spin_lock_irq(&as.lock);
	struct work *work = NULL;

	for (unsigned i = 0; i < POOL_MAX && !work; i++) {
		if (!as.used[i]) {
			as.used[i] = true;
			work = &as.pool[i];
		}
	}
	spin_unlock_irq(&as.lock, flags);
	return work;
}

/* Waits for a place in the pool; NULL after Ctrl-C. */
static struct work *pool_wait(void)
{
	struct work *work;
	uint64_t seen;

	while (seen = input_changes(), !(work = pool_take())) {
		if (input_interrupted() || input_wait_change(seen) != 0)
			return NULL;
	}
	return work;
}

static int submit(struct work *work)
{
	int error = work_submit(work);

	if (error == -EINVAL)
		return command_fail(EINVAL, "pid %d is not a worker", work->pid);
	return command_errno(error);
}

static int ask_apart(const struct work *request)
{
	struct work *work = pool_wait();
	int error;

	if (!work)
		return command_fail(EINTR, "nothing was asked");
	*work = *request;
	error = submit(work);
	if (error == 0)
		return command_ok();
	answer_done(work);
	return error;
}

static int ask(struct work *work)
{
	char text[128];
	int error = submit(work);

	if (error != 0)
		return error;
	for (;;) {
		uint64_t seen = input_changes();

		if (__atomic_load_n(&work->state, __ATOMIC_ACQUIRE) == WORK_DONE)
			break;
		if (input_interrupted() && !work_is_cancelled(work)) {
			console_interrupt();
			work_cancel(work);
		}
		(void)input_wait_change(seen);
	}
	if (work->error == 0)
		return 0;
	if (work->error == -EINTR)
		return command_fail(EINTR, "given up; the process goes on");
	error_text(work, text, sizeof(text));
	return command_fail(work->error, "%s", text);
}

static int as_run(char *rest)
{
	int error = as_request_parse(&as.awaited, rest);

	if (error != 0)
		return error;
	return as.awaited.apart ? ask_apart(&as.awaited) : ask(&as.awaited);
}

COMMAND(20, as, .name = "as", .arguments = "PID [of OTHER] COMMAND [ARG...] [&]",
	.summary = "has a thread of a worker do something", .run_line = as_run,
	.detail =
		"  malloc SIZE           vmap_malloc; prints the address\n"
		"  free ADDR             vmap_free\n"
		"  store ADDR VALUE      one store of 8 bytes\n"
		"  load ADDR             one load of 8 bytes\n"
		"  fill ADDR LEN SEED    stores bytes that follow from SEED and address\n"
		"  verify ADDR LEN SEED  loads them and compares\n"
		"  copyto ADDR TEXT      vmap_copy_to_memory; TEXT may have \\xNN and \\\\\n"
		"  copyfrom ADDR LEN     vmap_copy_from_memory; prints the bytes so\n"
		"PID is of a worker: `spawn worker`. With `of OTHER` the call is on OTHER's\n"
		"address space. With `&` nobody waits, and the answer comes after `[PID] `.\n");
