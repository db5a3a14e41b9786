/*
 * map.c: mmap and munmap: looks at the arguments; kernel/mm/mapping.c maps.
 */
#include "kernel/fs/map.h"

#include "arch/x86_64/layout.h"
#include "kernel/fs/file.h"
#include "kernel/mm/mapping.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"

#define PROTECTIONS (MAP_PROTECTION_READ | MAP_PROTECTION_WRITE | MAP_PROTECTION_EXECUTE)
#define SHARES (MAP_FLAG_SHARED | MAP_FLAG_PRIVATE)
#define FLAGS (SHARES | MAP_FLAG_FIXED | MAP_FLAG_ANONYMOUS)

STATIC_ASSERT(MAP_PROTECTION_READ == MAPPING_READ && MAP_PROTECTION_WRITE == MAPPING_WRITE);

/* What does not need the file. */
static int arguments_check(vaddr_t hint, size_t size_bytes, int protection, int flags,
			   int64_t offset)
{
	int share = flags & SHARES;

	if (protection & ~PROTECTIONS || flags & ~FLAGS)
		return -EINVAL;
	if (protection & MAP_PROTECTION_EXECUTE || flags & MAP_FLAG_FIXED)
		return -ENOTSUP;
	if (share == 0 || share == SHARES || size_bytes == 0 || offset < 0 ||
	    hint % PAGE_SIZE != 0 || offset % (int64_t)PAGE_SIZE != 0)
		return -EINVAL;
	if (size_bytes > MAPPING_END - MAPPING_BASE)
		return -ENOMEM;
	return 0;
}

/* The open file's object, with a reference, if it may be mapped so. */
static int file_take(int descriptor, const struct mapping_request *request, struct object **object)
{
	int access = 0;

	*object = file_object(descriptor, &access);
	if (!*object)
		return -EBADF;
	if (access == FILE_WRITE || (access == FILE_READ && request->share == MAPPING_SHARED &&
				     request->protection & MAPPING_WRITE))
		return -EACCES;
	if ((*object)->constant)
		return -ENODEV;
	if (request->first > OBJECT_BYTES_MAX / PAGE_SIZE ||
	    request->page_count > OBJECT_BYTES_MAX / PAGE_SIZE - request->first)
		return -EOVERFLOW;
	return 0;
}

/* Memory of zeros that processes share: an object without a name. */
static int anonymous_make(const struct mapping_request *request, struct object **object)
{
	if (request->page_count > OBJECT_BYTES_MAX / PAGE_SIZE)
		return -ENOMEM;
	*object = object_create();
	return *object ? object_truncate(*object, request->page_count * PAGE_SIZE) : -ENOMEM;
}

static int map_inside(void **address, size_t size_bytes, int protection, int flags, int descriptor,
		      int64_t offset)
{
	struct mapping_request request = {
		.hint = (vaddr_t)*address,
		.page_count = DIV_ROUND_UP(size_bytes, PAGE_SIZE),
		.protection = (unsigned)protection,
		.share = flags & MAP_FLAG_SHARED ? MAPPING_SHARED : MAPPING_PRIVATE,
	};
	struct object *object = NULL;
	vaddr_t mapped = 0;
	int error = arguments_check(request.hint, size_bytes, protection, flags, offset);

	if (error)
		return error;
	if (!(flags & MAP_FLAG_ANONYMOUS)) {
		request.first = (uint64_t)offset / PAGE_SIZE;
		error = file_take(descriptor, &request, &object);
	} else if (request.share == MAPPING_SHARED) {
		error = anonymous_make(&request, &object);
	}
	if (error == 0) {
		request.object = object;
		error = mapping_create(vmap_current(), &request, &mapped);
	}
	if (object)
		object_release(object); /* the mapping has its own reference */
	if (error == 0)
		*address = (void *)mapped;
	return error;
}

static int unmap_inside(vaddr_t address, size_t size_bytes)
{
	if (size_bytes == 0 || address % PAGE_SIZE != 0 || address < MAPPING_BASE ||
	    address >= MAPPING_END || size_bytes > MAPPING_END - address)
		return -EINVAL;
	return mapping_remove(vmap_current(), address, DIV_ROUND_UP(size_bytes, PAGE_SIZE));
}

int map_memory(void **address, size_t size_bytes, int protection, int flags, int descriptor,
	       int64_t offset)
{
	int result;

	gate_enter();
	result = map_inside(address, size_bytes, protection, flags, descriptor, offset);
	gate_leave();
	return result;
}

int unmap_memory(void *address, size_t size_bytes)
{
	int result;

	gate_enter();
	result = unmap_inside((vaddr_t)address, size_bytes);
	gate_leave();
	return result;
}
