/*
 * semaphore.pml - a counting semaphore: quick ways, sleep, wake-up and kill, on two CPUs.
 *
 * What is modelled, and the kernel function that each part stands for
 *
 *     semaphore_wait       takes one by an exchange of the word, or goes the long way
 *     semaphore_wait_slow  takes one, or marks the word, queues the thread, switches away, and
 *                          looks again once woken; OK or EINTR
 *     semaphore_post       adds one by an exchange of an unmarked word, or goes the long way
 *     semaphore_post_slow  wakes the oldest waiter, adds one; the last waiter's wake-up takes the
 *                          mark away
 *     thread_kill          marks a thread; an interruptible sleeper leaves its queue with EINTR
 *     unblock_locked       sleeping -> ready, under the scheduler's lock
 *     sched_switch         gives the CPU away; the scheduler's lock is held until it has
 *
 * The word is the count and the mark `waited`. A look at it is one step and an exchange another,
 * which fails if the word is no longer what was seen. The scheduler's lock guards thread states,
 * the wait queue, kill marks, and each change of `waited`. A thread that waits for a spinlock keeps
 * its CPU; it is preempted only between calls.
 *
 * A post adds to the count and wakes a waiter, who was promised nothing and looks again. That is
 * right only while a woken thread looks at the count first and at its kill mark second: the other
 * way round (BUG_EINTR_FIRST) a killed thread carries off another waiter's wake-up.
 *
 * What is checked, apart from deadlock (an invalid end state)
 *     V1 at the end posts = units taken + count
 *     V2 a thread becomes ready once a sleep, and with one outcome
 *     V3 a thread runs on one CPU at a time; a killed thread never sleeps
 *     V4 at the end nobody sleeps while there is a unit (a lost wake-up)
 *     V5 while somebody is in the queue and the lock is free, the word is marked
 *
 * Left out: the run queue's order, timeouts, the gate (each wait here is interruptible), and posts
 * at the greatest count.
 *
 * Planted bugs (-DBUG_...): tests/model/run has the list.
 */
#define WAITS 2                 /* of each consumer, 0 and 1; 0 is killed at any moment */
#define POSTS 3                 /* too few for all, so that each unit matters */

#define NO 7

/* thread states */
#define RUNNING  0              /* or about to be: not in semaphore_wait */
#define SLEEPING 1
#define READY    2

/* outcomes */
#define UNDECIDED 0
#define OK        1
#define EINTR     2

byte count;                     /* the word: this ... */
bit  waited;                    /* ... and this */
byte taken, posted;
bit  sched_lock;

byte queue[2] = NO;             /* oldest first */
byte state[2];
byte outcome[2];
bit  killed[2];
bit  woken_by_kill[2];
bit  on_cpu[2];
byte idle_cpus = 2;

byte done;

inline lock() {
    atomic { !sched_lock -> sched_lock = 1 }
}

inline unlock() {
    assert(queue[0] == NO || waited);                                       /* V5 */
    sched_lock = 0
}

/* Under sched_lock, as all that follows up to sched_switch. */
inline queue_remove(t) {
    if
    :: queue[0] == t -> queue[0] = queue[1]; queue[1] = NO
    :: queue[1] == t -> queue[1] = NO
    :: else
    fi
}

inline unblock_locked(t) {
    assert(state[t] == SLEEPING);                                           /* V2 */
    state[t] = READY
}

inline outcome_set(t, result) {
    assert(outcome[t] == UNDECIDED);                                        /* V2 */
    outcome[t] = result
}

/* An idle CPU takes a ready thread, and leaves it sched_lock. */
#define DISPATCH(t) d_step { \
        state[t] == READY && idle_cpus > 0 && !sched_lock -> \
        assert(!on_cpu[t]); /* V3 */ \
        sched_lock = 1; idle_cpus--; on_cpu[t] = 1; state[t] = RUNNING }

active proctype cpu_idle() {
end:
    do
    :: DISPATCH(0)
    :: DISPATCH(1)
    od
}

/* With sched_lock; returns, with it again, when woken and given a CPU. */
inline sched_switch(t) {
#ifdef BUG_SWITCH_UNLOCKED
    unlock();
    d_step { on_cpu[t] = 0; idle_cpus++ };
#else
    d_step { on_cpu[t] = 0; idle_cpus++; unlock() };
#endif
endsleep:
    state[t] == RUNNING
}

/* Exchanges the word as it was seen for one with `change` more: the step after the look. */
inline exchange(seen_count, seen_waited, change, done) {
#ifdef BUG_NO_EXCHANGE
    d_step { count = seen_count + change; done = 1 }
#else
    d_step {
        done = (count == seen_count && waited == seen_waited);
        count = (done -> count + change : count)
    }
#endif
}

inline semaphore_wait_slow(t) {
    lock();
    do
    /* Look and exchange in one: a loop of both ends with an exchange that succeeds. */
#ifdef BUG_EINTR_FIRST
    :: killed[t] -> unlock(); outcome_set(t, EINTR); break
    :: d_step { !killed[t] && count > 0 -> count--; outcome_set(t, OK) }; unlock(); break
#else
    :: d_step { count > 0 -> count--; outcome_set(t, OK) }; unlock(); break
#endif
#ifdef BUG_NO_MARK
    :: count == 0 ->
#else
    :: d_step { count == 0 -> waited = 1 };
#endif
#ifdef BUG_LOST_WAKEUP
        unlock();
        lock();
#endif
        if
        :: killed[t] -> d_step { outcome_set(t, EINTR); unlock() }; break
        :: else
        fi;
        d_step {
            state[t] = SLEEPING;
            woken_by_kill[t] = 0;
            if :: queue[0] == NO -> queue[0] = t :: else -> assert(queue[1] == NO); queue[1] = t fi
        };
        sched_switch(t);
        if
        :: woken_by_kill[t] -> d_step { outcome_set(t, EINTR); unlock() }; break
        :: else                 /* look again */
        fi
    od
}

inline semaphore_wait(t) {
    d_step { seen_count = count; seen_waited = waited; done_quickly = 0 };
    if
    :: seen_count > 0 -> exchange(seen_count, seen_waited, -1, done_quickly)
    :: else
    fi;
    if
    :: done_quickly -> outcome_set(t, OK)
    :: else -> semaphore_wait_slow(t)
    fi
}

inline semaphore_post_slow() {
    lock();
    d_step {
        clear = 0;
        if
        :: waited ->
            w = queue[0];
            if :: w != NO -> queue_remove(w); unblock_locked(w) :: else fi;
#ifdef BUG_CLEAR_EARLY
            clear = 1;
#else
            clear = (queue[0] == NO);
#endif
            w = 0
        :: else
        fi
    };
    d_step { count++; posted++; waited = waited && !clear };
    unlock()
}

inline semaphore_post() {
    d_step { seen_count = count; seen_waited = waited; done_quickly = 0 };
    if
#ifdef BUG_QUICK_BLIND
    :: true -> seen_waited = waited;
#else
    :: !seen_waited ->
#endif
        exchange(seen_count, seen_waited, 1, done_quickly)
    :: else
    fi;
    if
    :: done_quickly -> posted++
    :: else -> semaphore_post_slow()
    fi
}

inline thread_kill(t) {
#ifdef BUG_KILL_TWICE
    asleep = (state[t] == SLEEPING);            /* without the lock */
#endif
    lock();
    d_step {
        asleep = asleep || state[t] == SLEEPING;
        killed[t] = 1;
        if
        :: asleep ->
            queue_remove(t);
            woken_by_kill[t] = 1;
            unblock_locked(t)
        :: else
        fi
    };
    assert(!(killed[t] && state[t] == SLEEPING));                           /* V3 */
    unlock()
}

proctype consumer(byte t) {
    byte i, seen_count;
    bit seen_waited, done_quickly;

    do
    :: i < WAITS ->
        d_step { idle_cpus > 0 -> idle_cpus--; on_cpu[t] = 1 };
        semaphore_wait(t);
        assert(outcome[t] != UNDECIDED && on_cpu[t] && state[t] == RUNNING);
        d_step {
            taken = taken + (outcome[t] == OK);
            i = (outcome[t] == OK -> i + 1 : WAITS);    /* killed: ends */
            outcome[t] = UNDECIDED; woken_by_kill[t] = 0;
            seen_count = 0; seen_waited = 0; done_quickly = 0;
            on_cpu[t] = 0; idle_cpus++
        }
    :: else -> break
    od;
    done++
}

proctype producer(byte posts) {
    byte w, seen_count;
    bit seen_waited, done_quickly, clear;

    do
    :: posts > 0 ->
        d_step { idle_cpus > 0 -> idle_cpus-- };
        semaphore_post();
        d_step {
            seen_count = 0; seen_waited = 0; done_quickly = 0; clear = 0;
            idle_cpus++; posts--
        }
    :: else -> break
    od;
    done++
}

proctype killer() {
    bit asleep;

    d_step { idle_cpus > 0 -> idle_cpus-- };
    thread_kill(0);
    d_step { idle_cpus++; done++ }
}

init {
    atomic {
        run consumer(0); run consumer(1);
        run producer(2); run producer(POSTS - 2);
        run killer()
    };
    /* Nothing moves any more: each has ended, but for consumers that sleep. */
    done + (state[0] == SLEEPING) + (state[1] == SLEEPING) == 5 && idle_cpus == 2;
    assert(!sched_lock);
    assert(posted == taken + count);                                        /* V1 */
    assert(count == 0 || queue[0] == NO && queue[1] == NO)                  /* V4 */
}
