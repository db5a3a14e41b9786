/*
 * copy.c: a memmove that may fault.
 */
#include "kernel/mm/copy.h"

#include "arch/x86_64/trap.h"
#include "kernel/mm/exact.h"
#include "kernel/mm/vmap.h"

/* In copy_bytes.S. */
int copy_bytes(void *to, const void *from, size_t size_bytes);
extern const char copy_bytes_end[], copy_bytes_fault[];

int copy_pages(struct VMap *vmap, void *to, const void *from, size_t size_bytes)
{
	struct thread *thread = thread_current();
	struct address_space *space = thread->space;
	uint64_t flags;
	int result;

	thread->copying = true;
	if (LIKELY(space == &vmap->space)) {
		result = copy_bytes(to, from, size_bytes);
		thread->copying = false;
		return result;
	}
	/* A kernel thread: it works in the address space for the time of the copy. */
	ASSERT(space == NULL);
	flags = irq_save();
	thread->space = &vmap->space;
	address_space_load(thread->space);
	irq_restore(flags);
	result = copy_bytes(to, from, size_bytes);
	if (UNLIKELY(thread->mapped_count))
		exact_rest();
	flags = irq_save();
	thread->space = NULL;
	address_space_load(NULL);
	irq_restore(flags);
	thread->copying = false;
	return result;
}

bool copy_fix_up(struct trap_frame *frame)
{
	if (frame->rip < (uint64_t)copy_bytes || frame->rip >= (uint64_t)copy_bytes_end)
		return false;
	frame->rip = (uint64_t)copy_bytes_fault;
	return true;
}
