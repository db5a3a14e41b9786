/*
 * shared.c: the labs' small C library: what processes share: mapped memory and
 * semaphores, each a few lines around a service of the kernel. Its variables are
 * the process's own, and those of a child begin as its parent's.
 */
#include "kernel/fs/map.h"
#include "kernel/proc/semaphores.h"
#include "kernel/programs/labs/include/errno.h"
#include "kernel/programs/labs/include/fcntl.h"
#include "kernel/programs/labs/include/semaphore.h"
#include "kernel/programs/labs/include/sys/mman.h"
#include "lib/assert.h"

#include <stdarg.h>

STATIC_ASSERT(PROT_READ == MAP_PROTECTION_READ && PROT_WRITE == MAP_PROTECTION_WRITE);
STATIC_ASSERT(PROT_EXEC == MAP_PROTECTION_EXECUTE && MAP_SHARED == MAP_FLAG_SHARED);
STATIC_ASSERT(MAP_PRIVATE == MAP_FLAG_PRIVATE && MAP_ANONYMOUS == MAP_FLAG_ANONYMOUS);
STATIC_ASSERT(O_CREAT == SEMAPHORE_CREATE && O_EXCL == SEMAPHORE_EXCLUSIVE);

/* 0, or -1 with errno for a negative errno. */
static int answer(int64_t result)
{
	if (result >= 0)
		return 0;
	errno = (int)-result;
	return -1;
}

void *mmap(void *addr, size_t len, int prot, int flags, int fildes, off_t offset)
{
	return answer(map_memory(&addr, len, prot, flags, fildes, offset)) ? MAP_FAILED : addr;
}

int munmap(void *addr, size_t len)
{
	return answer(unmap_memory(addr, len));
}

/* Those that were opened by name: a handle's low half is its place. */
static sem_t opened[SEMAPHORES_MAX];

sem_t *sem_open(const char *name, int flags, ...)
{
	unsigned value = 0;
	int64_t handle;

	if (flags & O_CREAT) {
		va_list arguments;

		va_start(arguments, flags);
		(void)va_arg(arguments, mode_t);
		value = va_arg(arguments, unsigned);
		va_end(arguments);
	}
	handle = semaphore_open(name, flags, value);
	if (answer(handle))
		return SEM_FAILED;
	opened[handle % SEMAPHORES_MAX].handle = handle;
	return &opened[handle % SEMAPHORES_MAX];
}

int sem_close(sem_t *semaphore)
{
	return answer(semaphore_close(semaphore->handle));
}

int sem_unlink(const char *name)
{
	return answer(semaphore_unlink(name));
}

int sem_init(sem_t *semaphore, int shared, unsigned value)
{
	(void)shared;
	semaphore->handle = semaphore_make(value);
	return answer(semaphore->handle);
}

int sem_destroy(sem_t *semaphore)
{
	return answer(semaphore_end(semaphore->handle));
}

int sem_wait(sem_t *semaphore)
{
	return answer(semaphore_down(semaphore->handle));
}

int sem_trywait(sem_t *semaphore)
{
	return answer(semaphore_try_down(semaphore->handle));
}

int sem_post(sem_t *semaphore)
{
	return answer(semaphore_up(semaphore->handle));
}

int sem_getvalue(sem_t *semaphore, int *value)
{
	return answer(semaphore_count(semaphore->handle, value));
}
