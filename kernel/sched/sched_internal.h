/*
 * sched_internal.h: sleeping and waking under the sched lock itself, for what
 * decides under it whether to: semaphores and mutexes.
 *
 * Their quick paths are one exchange of a word, which says whether somebody
 * waits. The word comes to say so, and no longer to say so, under the sched
 * lock only; so what is decided on it there stays true until the lock goes.
 */
#pragma once

#include "kernel/sched/thread.h"

extern struct spinlock sched_lock;

/*
 * As wait_queue_sleep(), with the sched lock held before and after. A caller of
 * an interruptible sleep looks again whether what it wants is there before it
 * sleeps once more, for a kill and a wakeup may both have come.
 */
int wait_queue_sleep_locked(struct wait_queue *queue, enum wait_kind kind) REQUIRES(sched_lock);

/* Wakes the thread that waits longest, if any; true if others still wait. */
bool wait_queue_wake_locked(struct wait_queue *queue) REQUIRES(sched_lock);
