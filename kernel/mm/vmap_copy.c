/*
 * vmap_copy.c: the lab's two copies, and those of services that a program
 * gives a buffer of its own.
 *
 * Both ranges are looked at before the first byte is written, and the VMap's
 * mutex is held throughout, so no block can go away meanwhile; pages may, and
 * come back by the fault they cause. Only a page lost in swap can stop a copy
 * in the middle; its process ends at the gate.
 */
#include "kernel/mm/copy.h"
#include "kernel/mm/mapping.h"
#include "kernel/mm/vmap_internal.h"
#include "kernel/sched/gate.h"

bool vmap_range_valid(struct VMap *vmap, vaddr_t address, uint64_t size_bytes)
{
	struct block_place place;
	struct block *block;

	if (address + size_bytes < address)
		return false;
	if (address >= PROGRAM_BASE && address + size_bytes <= program_end())
		return true;
	block = block_live(vmap, address, &place);
	if (UNLIKELY(!block))
		return mapping_range_valid(vmap, address, size_bytes);
	return address + size_bytes <= place.address + block->size_bytes;
}

/* Is [address, address + size) memory of the kernel that is mapped and plain? Writable, if asked.
 */
static bool kernel_range_valid(vaddr_t address, uint64_t size_bytes, uint64_t needed)
{
	vaddr_t at = address & PAGE_MASK;

	if (address < DIRECT_BASE || address + size_bytes < address)
		return false;
	for (; at < address + size_bytes; at += PAGE_SIZE) {
		const pte_t *table = direct_map(tlb_kernel_root);
		pte_t entry = PTE_NONE;

		for (int level = 4; level >= 1; level--) {
			entry = pte_read(&table[pte_index(at, level)]);
			if (!pte_is_present(entry) || (entry.bits & needed) != needed)
				return false;
			if (level > 1 && entry.bits & PTE_LARGE)
				break;
			table = direct_map(entry.bits & PTE_FRAME_MASK);
		}
		if (entry.bits & PTE_CACHE_DISABLE)
			return false; /* a device, not memory */
		if (at + PAGE_SIZE < at)
			break;
	}
	return true;
}

/* The caller's own buffer: the kernel's, or of its process, which has this VMap. */
static bool data_valid(struct VMap *vmap, vaddr_t address, uint64_t size_bytes, uint64_t needed)
{
	if (address >= PROCESS_END)
		return kernel_range_valid(address, size_bytes, needed);
	return thread_current()->space == &vmap->space &&
	       vmap_range_valid(vmap, address, size_bytes);
}

enum direction { TO_MEMORY, FROM_MEMORY };

static int copy(struct VMap *vmap, vaddr_t mem, vaddr_t data, int size, enum direction direction)
{
	int result = vmap_caller_check(vmap);

	if (size < 0)
		return -EINVAL;
	if (result || size == 0)
		return result;
	result = -EFAULT;
	mutex_lock(&vmap->mutex);
	if (vmap_range_valid(vmap, mem, (uint64_t)size) &&
	    data_valid(vmap, data, (uint64_t)size, direction == FROM_MEMORY ? PTE_WRITABLE : 0))
		result = direction == TO_MEMORY
				 ? copy_pages(vmap, (void *)mem, (void *)data, (size_t)size)
				 : copy_pages(vmap, (void *)data, (void *)mem, (size_t)size);
	mutex_unlock(&vmap->mutex);
	return result;
}

int vmap_copy_to_memory(struct VMap *vmap, void *mem, void *data, int size)
{
	int result;

	gate_enter();
	result = copy(vmap, (vaddr_t)mem, (vaddr_t)data, size, TO_MEMORY);
	gate_leave();
	return result;
}

int vmap_copy_from_memory(struct VMap *vmap, void *data, void *mem, int size)
{
	int result;

	gate_enter();
	result = copy(vmap, (vaddr_t)mem, (vaddr_t)data, size, FROM_MEMORY);
	gate_leave();
	return result;
}

/* ---- Buffers of a program ---------------------------------------------------- */

static bool buffer_valid(vaddr_t buffer, uint64_t size_bytes, enum buffer_use use)
{
	return size_bytes == 0 || data_valid(vmap_current(), buffer, size_bytes,
					     use == BUFFER_WRITE ? PTE_WRITABLE : 0);
}

/* `buffer` is one of the two ends. */
static int buffer_copy(void *to, const void *from, vaddr_t buffer, size_t size_bytes,
		       enum buffer_use use)
{
	struct VMap *vmap = vmap_current();
	int result = -EFAULT;

	ASSERT(vmap);
	mutex_lock(&vmap->mutex);
	if (buffer_valid(buffer, size_bytes, use))
		result = copy_pages(vmap, to, from, size_bytes);
	mutex_unlock(&vmap->mutex);
	return result;
}

int vmap_buffer_read(void *to, const void *buffer, size_t size_bytes)
{
	return buffer_copy(to, buffer, (vaddr_t)buffer, size_bytes, BUFFER_READ);
}

int vmap_buffer_write(void *buffer, const void *from, size_t size_bytes)
{
	return buffer_copy(buffer, from, (vaddr_t)buffer, size_bytes, BUFFER_WRITE);
}

int vmap_buffer_check(const void *buffer, size_t size_bytes, enum buffer_use use)
{
	struct VMap *vmap = vmap_current();
	bool valid;

	ASSERT(vmap);
	mutex_lock(&vmap->mutex);
	valid = buffer_valid((vaddr_t)buffer, size_bytes, use);
	mutex_unlock(&vmap->mutex);
	return valid ? 0 : -EFAULT;
}

int vmap_buffer_text(char *to, const char *text, size_t size_bytes)
{
	/* A byte at a time: what follows the text need not be mapped. */
	for (size_t i = 0; i < size_bytes; i++) {
		int error = vmap_buffer_read(to + i, text + i, 1);

		if (error)
			return error;
		if (to[i] == '\0')
			return (int)i;
	}
	return -ENAMETOOLONG;
}
