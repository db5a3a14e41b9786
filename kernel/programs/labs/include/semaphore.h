/*
 * semaphore.h: of the labs' small C library: kernel/proc/semaphores.h has the
 * rules. A process that process_start() starts may use its parent's. The mode
 * that O_CREAT wants is taken and ignored.
 */
#pragma once

#include "kernel/programs/labs/include/sys/types.h"

typedef struct {
	int64_t handle;
} sem_t;

#define SEM_FAILED ((sem_t *)0)
#define SEM_VALUE_MAX 0x7fffffff

sem_t *sem_open(const char *name, int flags, ...); /* mode_t mode, unsigned value */
int sem_close(sem_t *semaphore);
int sem_unlink(const char *name);

/* Where it lies decides who shares it, whatever is asked for. */
int sem_init(sem_t *semaphore, int shared, unsigned value);
int sem_destroy(sem_t *semaphore);

int sem_wait(sem_t *semaphore);
int sem_trywait(sem_t *semaphore);
int sem_post(sem_t *semaphore);
int sem_getvalue(sem_t *semaphore, int *value);
