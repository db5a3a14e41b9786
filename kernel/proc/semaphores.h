/*
 * semaphores.h: semaphores of programs: what is behind sem_open() and sem_init().
 *
 *   name --semaphore_open()--> place in the table <--holds-- processes
 *
 * A program knows one by a handle, number and generation, that means the same in
 * every process. It may use those that it holds: because it opened or made them,
 * or inherited them by process_start(). One that nobody holds and that has no
 * name is gone; a name stays until it is unlinked.
 *
 * All return 0 or a negative errno, -EINVAL for a handle that the process does
 * not hold. Each passes the gate, but for a P and a V with nobody to wait for or
 * to wake.
 */
#pragma once

#include "kernel/config.h"
#include "lib/types.h"

struct process;

#define SEMAPHORE_CREATE 0100    /* makes it if there is none: O_CREAT */
#define SEMAPHORE_EXCLUSIVE 0200 /* with CREATE: there must be none: O_EXCL */

/*
 * The handle (not negative) of the semaphore with that name. value: its count, if it is
 * made. -EFAULT, -ENAMETOOLONG, -EINVAL (an empty name; a value above SEMAPHORE_MAX),
 * -ENOENT, -EEXIST, -ENFILE (no place).
 */
int64_t semaphore_open(const char *name, int flags, uint64_t value) MUST_CHECK;

/* The handle of a new one without a name: -EINVAL, -ENFILE. */
int64_t semaphore_make(uint64_t value) MUST_CHECK;

/* The process holds it no more. -EBUSY: another thread of it waits there, and nobody else holds it.
 */
int semaphore_close(int64_t handle) MUST_CHECK;

/* A semaphore without a name is gone for everybody. -EBUSY while threads wait. */
int semaphore_end(int64_t handle) MUST_CHECK;

/* Takes the name away. -EFAULT, -ENAMETOOLONG, -ENOENT. */
int semaphore_unlink(const char *name) MUST_CHECK;

/* P, waits: -EINTR; P or -EAGAIN; V: -EOVERFLOW; the count: -EFAULT. */
int semaphore_down(int64_t handle) MUST_CHECK;
int semaphore_try_down(int64_t handle) MUST_CHECK;
int semaphore_up(int64_t handle) MUST_CHECK;
int semaphore_count(int64_t handle, int *count) MUST_CHECK;

/* A new process holds what another does; one that ends holds nothing. */
void semaphores_inherit(struct process *child, const struct process *parent);
void semaphores_release(struct process *process);

/* Invariant 13. */
struct check;
void semaphores_check(struct check *check);
