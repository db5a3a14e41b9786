/*
 * semaphore.pml - a counting semaphore: sleep, wake-up and kill, on two CPUs.
 *
 * What is modelled, and the kernel function that each part stands for
 *
 *     semaphore_wait       takes a unit, or queues the thread and switches away; OK or EINTR
 *     semaphore_post       hands the unit to the oldest waiter, else adds it to the count
 *     thread_kill          marks a thread; an interruptible sleeper leaves its queue with EINTR
 *     thread_make_ready    sleeping -> ready, under the scheduler's lock
 *     thread_switch        gives the CPU away; the scheduler's lock is held until it has
 *
 * Locks: the semaphore's guards the count, and is taken first; the scheduler's guards thread
 * states, wait queues and kill marks. A thread that waits for a spinlock keeps its CPU; it is
 * preempted only between calls.
 *
 * The unit goes to the waiter itself ("hand-over"), so who removes a thread from the queue decides
 * its outcome, and decides it once. MESA models the other common way: post adds to the count and
 * wakes a waiter, who looks again. That is right only while a woken thread looks at the count first
 * and at its kill mark second: the other way round (BUG_EINTR_FIRST) a killed thread carries off
 * another waiter's wake-up.
 *
 * What is checked, apart from deadlock (an invalid end state)
 *     V1 at the end posts = units taken + count
 *     V2 a thread becomes ready once a sleep, and with one outcome
 *     V3 a thread runs on one CPU at a time; a killed thread never sleeps
 *     V4 at the end nobody sleeps while there is a unit (a lost wake-up)
 *
 * Left out: the run queue's order, timeouts, the gate (each wait here is interruptible).
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

byte count;
byte taken, posted;
bit  sem_lock, sched_lock;

byte queue[2] = NO;             /* oldest first */
byte state[2];
byte outcome[2];
bit  killed[2];
bit  on_cpu[2];
byte idle_cpus = 2;

byte done;

inline lock(l)   { atomic { !l -> l = 1 } }
inline unlock(l) { l = 0 }

/* Under sched_lock, as all that follows up to thread_switch. */
inline queue_remove(t) {
    if
    :: queue[0] == t -> queue[0] = queue[1]; queue[1] = NO
    :: queue[1] == t -> queue[1] = NO
    :: else
    fi
}

inline thread_make_ready(t) {
    assert(state[t] == SLEEPING);                                           /* V2 */
    state[t] = READY
}

inline outcome_set(t, result) {
    assert(outcome[t] == UNDECIDED);                                        /* V2 */
    outcome[t] = result
}

/* An idle CPU takes a ready thread, under sched_lock. */
#define DISPATCH(t) d_step { \
        state[t] == READY && idle_cpus > 0 && !sched_lock -> \
        assert(!on_cpu[t]); /* V3 */ \
        idle_cpus--; on_cpu[t] = 1; state[t] = RUNNING }

active proctype cpu_idle() {
end:
    do
    :: DISPATCH(0)
    :: DISPATCH(1)
    od
}

/* Enters with sched_lock; returns without it, when woken and given a CPU. */
inline thread_switch(t) {
#ifdef BUG_SWITCH_UNLOCKED
    unlock(sched_lock);
    d_step { on_cpu[t] = 0; idle_cpus++ };
#else
    d_step { on_cpu[t] = 0; idle_cpus++; unlock(sched_lock) };
#endif
endsleep:
    state[t] == RUNNING
}

inline semaphore_wait(t) {
    lock(sem_lock);
    do
#ifdef BUG_EINTR_FIRST
    :: killed[t] -> unlock(sem_lock); outcome_set(t, EINTR); break
    :: !killed[t] && count > 0 ->
#else
    :: count > 0 ->
#endif
        d_step { count--; outcome_set(t, OK) }; unlock(sem_lock); break
    :: else ->
#ifdef BUG_LOST_WAKEUP
        unlock(sem_lock);
#endif
        lock(sched_lock);
        if
        :: killed[t] ->
            d_step { outcome_set(t, EINTR); unlock(sched_lock); unlock(sem_lock) };
            break
        :: else
        fi;
        d_step {
            state[t] = SLEEPING;
            if :: queue[0] == NO -> queue[0] = t :: else -> assert(queue[1] == NO); queue[1] = t fi
        };
#ifndef BUG_LOST_WAKEUP
        unlock(sem_lock);
#endif
        thread_switch(t);
#ifdef MESA
        lock(sem_lock)          /* look again */
#else
        break                   /* who took us off the queue has decided */
#endif
    od
}

inline semaphore_post() {
    lock(sem_lock);
    lock(sched_lock);
    d_step {
        posted++;
        w = queue[0];
#ifdef MESA
        count++;
        if :: w != NO -> queue_remove(w); thread_make_ready(w) :: else fi;
#else
        if
        :: w != NO -> queue_remove(w); outcome_set(w, OK); thread_make_ready(w)
        :: else -> count++
        fi;
#endif
        w = 0
    };
    unlock(sched_lock);
    unlock(sem_lock)
}

inline thread_kill(t) {
#ifdef BUG_KILL_TWICE
    asleep = (state[t] == SLEEPING);            /* without the lock */
#endif
    lock(sched_lock);
    d_step {
        asleep = asleep || state[t] == SLEEPING;
        killed[t] = 1;
        if
        :: asleep ->
            queue_remove(t);
#ifndef MESA
            outcome_set(t, EINTR);
#endif
            thread_make_ready(t)
        :: else
        fi
    };
    assert(!(killed[t] && state[t] == SLEEPING));                           /* V3 */
    unlock(sched_lock)
}

proctype consumer(byte t) {
    byte i;

    do
    :: i < WAITS ->
        d_step { idle_cpus > 0 -> idle_cpus--; on_cpu[t] = 1 };
        semaphore_wait(t);
        assert(outcome[t] != UNDECIDED && on_cpu[t] && state[t] == RUNNING);
        d_step {
            taken = taken + (outcome[t] == OK);
            i = (outcome[t] == OK -> i + 1 : WAITS);    /* killed: ends */
            outcome[t] = UNDECIDED;
            on_cpu[t] = 0; idle_cpus++
        }
    :: else -> break
    od;
    done++
}

proctype producer(byte posts) {
    byte w;

    do
    :: posts > 0 ->
        d_step { idle_cpus > 0 -> idle_cpus-- };
        semaphore_post();
        d_step { idle_cpus++; posts-- }
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
    assert(!sem_lock && !sched_lock);
    assert(posted == taken + count);                                        /* V1 */
    assert(count == 0 || queue[0] == NO && queue[1] == NO)                  /* V4 */
}
