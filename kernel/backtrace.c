/*
 * backtrace.c: walks frames. Everything is compiled with
 * -fno-omit-frame-pointer, so a function's frame starts with its caller's
 * frame pointer and the address to return to:
 *
 *   frame -> [ caller's frame, return address ] -> ... -> 0 (context_prepare, boot.S)
 *
 * A trap's handler returns to trap_return; the struct trap_frame lies just above
 * that address on the stack and tells where the interrupted code was. The first handler
 * of a page fault returns to trap_first_return, and its frame lacks its beginning. A leaf
 * function without a frame of its own (-momit-leaf-frame-pointer) hides its caller.
 */
#include "kernel/backtrace.h"

#include "arch/x86_64/layout.h"
#include "arch/x86_64/probe.h"
#include "arch/x86_64/trap.h"
#include "kernel/symbols.h"
#include "lib/format.h"

#define LINE_BYTES 128

/*
 * Callers are named by their call, not by where it returns to: a call that never
 * returns may be the last instruction of its function. (A direct call's length.)
 */
#define CALL_BYTES 5

struct stack_frame {
	vaddr_t caller_frame;
	vaddr_t return_address;
};

extern const char trap_return[], trap_first_return[];
extern const char boot_stack[], boot_stack_top[];

static bool stack_readable(vaddr_t address, uint64_t size_bytes)
{
	vaddr_t end = address + size_bytes;
	bool boot = address >= (vaddr_t)boot_stack && end <= (vaddr_t)boot_stack_top;
	bool thread = address >= STACK_BASE && end <= STACK_END;

	return address % sizeof(uint64_t) == 0 && (boot || thread) &&
	       probe_mapped(address, size_bytes);
}

void backtrace_name(vaddr_t address, char *buffer, size_t size_bytes)
{
	uint64_t offset = 0;
	const char *name = symbol_find(address, &offset);

	if (name)
		format(buffer, size_bytes, "0x%016lx %s+0x%lx", address, name, offset);
	else
		format(buffer, size_bytes, "0x%016lx", address);
}

static void line_write(unsigned depth, vaddr_t address, const char *note, backtrace_line *line)
{
	char name[LINE_BYTES - 24], text[LINE_BYTES];

	backtrace_name(address, name, sizeof(name));
	format(text, sizeof(text), "#%-2u %s%s", depth, name, note);
	line(text);
}

/* The frame of the trap whose handler has this frame, or NULL: it is another function's. */
static const struct trap_frame *trap_above(const struct stack_frame *at)
{
	vaddr_t trap = (vaddr_t)(at + 1);

	if (at->return_address == (vaddr_t)trap_first_return)
		trap -= TRAP_FRAME_KEPT_BYTES;
	else if (at->return_address != (vaddr_t)trap_return)
		return NULL;
	return stack_readable(trap, sizeof(struct trap_frame)) ? (const struct trap_frame *)trap
							       : NULL;
}

static void callers_write(unsigned depth, vaddr_t frame, backtrace_line *line)
{
	while (depth < BACKTRACE_MAX && stack_readable(frame, sizeof(struct stack_frame))) {
		const struct stack_frame *at = (const struct stack_frame *)frame;
		const struct trap_frame *trap = trap_above(at);

		if (trap)
			line_write(depth++, trap->rip, " (interrupted)", line);
		else if (at->return_address)
			line_write(depth++, at->return_address - CALL_BYTES, "", line);
		if (at->caller_frame <= frame)
			break;
		frame = at->caller_frame;
	}
}

void backtrace(vaddr_t frame, backtrace_line *line)
{
	callers_write(0, frame, line);
}

void backtrace_trap(const struct trap_frame *trap, backtrace_line *line)
{
	uint64_t offset;
	unsigned depth = 0;

	line_write(depth++, trap->rip, "", line);
	/* A jump out of the image: what called is only on top of the stack. */
	if (!symbol_find(trap->rip, &offset) && stack_readable(trap->rsp, sizeof(vaddr_t)))
		line_write(depth++, *(const vaddr_t *)trap->rsp - CALL_BYTES, "", line);
	callers_write(depth, trap->rbp, line);
}
