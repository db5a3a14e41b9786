/*
 * page.pml - the life of a private page: fault, eviction, free, reallocation and exit, on two CPUs.
 *
 * What is modelled, and the kernel function that each part stands for
 *
 *     hw_access                    the MMU: TLB, page walk, D bit, the load or store itself
 *     fault_handle                 a thread's page fault                         kernel/mm/fault.c
 *     lru_rest_oldest              the tail is filled, one shootdown for all   kernel/mm/lru_tail.c
 *     reclaim_evict                one eviction, LRU to free frame              kernel/mm/reclaim.c
 *     entry_release, released_free     vmap_free, and exit, for one page      kernel/mm/release.c
 *     map_again                    vmap_malloc of a block just freed         kernel/mm/vmap_rest.c
 *     swap_read, swap_write, slot_alloc, slot_free                               kernel/mm/swap.c
 *     frame_alloc, frame_free                                                    kernel/mm/frame.c
 *     tlb_shootdown                (its inside is shootdown.pml)                 arch/x86_64/
 *
 *                         fault_handle
 *         UNTOUCHED ------------------------> PRESENT <---------------- TRANSIT
 *             ^                               |     ^    fault_handle      ^
 *             |               lru_rest_oldest |     | fault_handle         | fault_handle
 *             |              or reclaim_evict v     |                      |
 *             +----------------------------- RESTING ----------------> SWAPPED
 *               reclaim_evict (never written)          reclaim_evict
 *
 *     vmap_free takes each of them but TRANSIT to NONE, vmap_malloc takes NONE to UNTOUCHED, or to
 *     PRESENT with the frame that it had.
 *
 * Locks
 *     Page table: the MMU and a fault's first look do not take it. Under it each section does one
 *     thing that those two can see, so the section is one atomic step (Lipton's reduction). LRU,
 *     slots and frames: leaf locks, each section one atomic step.
 *     A section that sets a PTE and then lists, touches or puts back its frame is one step too:
 *     whoever looks at the frame in between has only the LRU lock, does not look at the PTE, and
 *     so could as well have looked before. (An evictor or the filler comes to the PTE later.)
 *     `dirty` and `slot` belong to the page table's lock while the frame is on the LRU; while it
 *     is not, to the one who took it off (evictor or vmap_free) or has not put it on yet (fault).
 *     Inboxes: a fault puts the frame in its CPU's inbox, without the LRU lock, inside the table's
 *     section. Everybody who takes the LRU lock empties all inboxes first. So that is the step
 *     in which the frame is on the LRU: those who have the lock just then count as earlier, all
 *     others find it there. entry_release, which insists on it, has the page table's lock, and so
 *     takes the LRU's afterwards. Hence on_lru is set in one step; inboxes are not modelled.
 *
 * The tail
 *     The filler marks frames on the LRU on_tail, unmaps each, if the table's lock is free, and
 *     marks it flushed; sends one shootdown; and has filled then. A touch takes off the tail, or if
 *     an evictor has the frame tells it by `touched`. An evictor sends no shootdown for one that is
 *     flushed, unless it took it while the tail was being filled.
 *
 * What is checked, apart from deadlock (an invalid end state)
 *     V1 a load returns the last value stored; a fresh page reads zero, also after free and malloc
 *     V2 a frame or slot is freed once, and while no PTE names it
 *     V3 a frame is freed only when no TLB maps it
 *     V4 the page table is not touched after exit has freed it
 *     V5 at the end no frame, slot or LRU entry is left
 *     V6 a frame on the tail that is flushed rests, and no TLB maps it unless it is being filled
 *
 * More than the kernel does: the evictor takes any page at any time, not only the oldest under
 * pressure, nor those on the tail first; so does the filler, which is an evictor in the kernel and
 * runs beside all of them here; all loops may go on for ever.
 *
 * Left out: lru-exact, which lets pages rest that an evictor has; shared pages, accessed bits, the
 * LRU's order, policies, gates, zero-page detection, weak memory order (each hand-over goes through
 * a lock or a locked instruction), and liveness (that a thread keeps its page long enough to retire
 * its instruction). To wait is a blocking condition: that wake-ups are not lost is semaphore.pml's
 * matter. TLB fills come only from loads and stores.
 *
 * Sizes (-D): PAGES and FRAMES 1..2, SLOTS 1..3, THREADS and EVICTORS 1..2.
 * TAIL (1): with the filler.
 * STEAL: with no free slot the evictor takes one from a clean resident page, which becomes dirty.
 * Planted bugs (-DBUG_...): tests/model/run has the list.
 */
#ifndef PAGES
#define PAGES 1
#endif
#ifndef FRAMES
#define FRAMES 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef THREADS
#define THREADS 2
#endif
#ifndef EVICTORS
#define EVICTORS 1
#endif
#ifndef TAIL
#define TAIL 1
#endif

#define NO      7               /* no frame, no slot */
#define GARBAGE 2               /* content that nobody may read */

/* PTE states */
#define NONE      0
#define UNTOUCHED 1
#define PRESENT   2             /* pte_arg: frame */
#define RESTING   3             /* pte_arg: frame */
#define TRANSIT   4             /* pte_arg: frame */
#define SWAPPED   5             /* pte_arg: slot */

byte pte[2];
byte pte_arg[2] = NO;
bit  pte_d[2];                  /* hardware dirty bit */
bit  table_freed;               /* exit has freed the page table */
byte evictor_refs;              /* evictors that may still touch the page table */

/* Frame descriptors */
bit  is_free[2];
byte content[2] = GARBAGE;
byte owner[2];                  /* page */
byte slot[2] = NO;              /* slot kept */
bit  dirty[2];                  /* sticky */
bit  on_lru[2];                 /* listed: with the policy, or on its tail */
bit  on_tail[2];
bit  flushed[2];
bit  filling;                   /* some CPU fills the tail: what rests there may not be flushed */
bit  evicting[2];
bit  touched[2];                /* mapped again while evicting */
bit  disowned[2];

bit  slot_is_free[3];
byte slot_content[3] = GARBAGE;

byte tlb[4] = NO;               /* [cpu * 2 + page]: frame */
bit  tlb_d[4];

/* What the program believes */
bit  value[2];                  /* last value stored: each store another; fresh: 0 */
bit  live[2];                   /* block is allocated */
byte threads;

#define TLB(c, p)   tlb[(c) * 2 + (p)]
#define TLB_D(c, p) tlb_d[(c) * 2 + (p)]
#define OTHER       (1 - cpu)
#define MAPPED(f)   (tlb[0] == f || tlb[1] == f || tlb[2] == f || tlb[3] == f)
#define HOLDS(p, f) (pte[p] >= PRESENT && pte[p] <= TRANSIT && pte_arg[p] == f)
#define NAMES(p, s) (pte[p] == SWAPPED && pte_arg[p] == s)

inline pte_set(p, state, arg) { pte[p] = state; pte_arg[p] = arg; pte_d[p] = 0 }

/* Opens each section under the page table's lock: whoever takes it touches the table. */
inline pte_lock() { assert(!table_freed) /* V4 */ }

/* Waits until there is a frame: strict commit promises that there will be one. */
inline frame_alloc(f, fill) {
    d_step {
        is_free[0] || is_free[1] ->
        f = (is_free[0] -> 0 : 1);
        assert(slot[f] == NO && !dirty[f] && !on_lru[f] && !evicting[f] && !disowned[f]);
        assert(!on_tail[f] && !flushed[f] && !touched[f]);
        is_free[f] = 0; content[f] = fill
    }
}

inline frame_free(f) {
    assert(!is_free[f] && !on_lru[f]);              /* V2 */
    assert(!HOLDS(0, f) && !HOLDS(1, f));           /* V2 */
    assert(!MAPPED(f));                             /* V3 */
    is_free[f] = 1; content[f] = GARBAGE;
    slot[f] = NO; dirty[f] = 0; evicting[f] = 0; disowned[f] = 0; touched[f] = 0; owner[f] = 0;
    flushed[f] = 0;
    f = NO
}

inline slot_free(s) {
    if
    :: s != NO ->
        assert(!slot_is_free[s] && !NAMES(0, s) && !NAMES(1, s));       /* V2 */
        slot_is_free[s] = 1; slot_content[s] = GARBAGE; s = NO
    :: else
    fi
}

/* A clean frame on the LRU may lose its slot, if it becomes dirty. Under the LRU lock. */
#define HAS_SPARE(v) (on_lru[v] && !dirty[v] && slot[v] != NO)

inline slot_alloc(s) {          /* NO if there is none */
    if
    :: slot_is_free[0] -> s = 0
    :: !slot_is_free[0] && slot_is_free[1] -> s = 1
    :: !slot_is_free[0] && !slot_is_free[1] && slot_is_free[2] -> s = 2
#ifdef STEAL
    :: !slot_is_free[0] && !slot_is_free[1] && !slot_is_free[2] && HAS_SPARE(0) ->
        s = slot[0]; slot[0] = NO; dirty[0] = 1
    :: !slot_is_free[0] && !slot_is_free[1] && !slot_is_free[2] && HAS_SPARE(1) ->
        s = slot[1]; slot[1] = NO; dirty[1] = 1
#endif
    :: else -> s = NO
    fi;
    if :: s != NO -> slot_is_free[s] = 0 :: else fi
}

inline swap_write(f) { assert(!slot_is_free[slot[f]]); slot_content[slot[f]] = content[f] }
inline swap_read(f)  { assert(!slot_is_free[slot[f]]); content[f] = slot_content[slot[f]] }

/*
 * Interrupts are off from the section that takes a translation away to the acknowledgement, so
 * nothing loads or stores on the own CPU meanwhile: its flush is part of the section. The
 * initiator does nothing between sending and the acknowledgement, so the other CPU's flush can
 * stand here: it happens at any later moment, then we go on. The interrupt never cuts an
 * instruction, so a load or store is one step.
 */
#ifdef BUG_NO_SHOOTDOWN
#define tlb_flush(c, p) skip
#else
#define tlb_flush(c, p) TLB(c, p) = NO; TLB_D(c, p) = 0
#endif

inline tlb_shootdown(p) { d_step { tlb_flush(OTHER, p) } }

/*
 * One load or store; op says which it was, or FAULT. A TLB entry is used if it is there, or has
 * been lost and is walked for again. A store through an entry whose D is clear walks again and sets
 * D in the PTE in one locked operation, which faults if the PTE is no longer present. A fault drops
 * the entry.
 */
#define LOAD  0
#define STORE 1
#define FAULT 2

inline hw_access(p, op) {
    if :: op = LOAD :: op = STORE fi;
    if
    :: TLB(cpu, p) != NO && (op == LOAD || TLB_D(cpu, p))
    :: pte[p] == PRESENT ->
        assert(!table_freed);                                               /* V4 */
        pte_d[p] = pte_d[p] | op;
        TLB(cpu, p) = pte_arg[p]; TLB_D(cpu, p) = pte_d[p]
    :: pte[p] != PRESENT -> TLB(cpu, p) = NO; TLB_D(cpu, p) = 0; op = FAULT
    fi;
    assert(op == FAULT || !is_free[TLB(cpu, p)]);                           /* V3 */
    if
    :: op == STORE && live[p] ->
        value[p] = 1 - value[p];
        content[TLB(cpu, p)] = value[p]
    :: op == STORE && !live[p] -> content[TLB(cpu, p)] = GARBAGE            /* freed meanwhile */
    :: op == LOAD -> assert(!live[p] || content[TLB(cpu, p)] == value[p])   /* V1 */
    :: else
    fi
}

/* Under the page table's lock, and inside it the LRU's. */
inline map_new(p, f) {
    assert(!on_lru[f] && !evicting[f]);
    pte_set(p, PRESENT, f);
    dirty[f] = 0; owner[f] = p;
#ifdef BUG_INSERT_LATE
    late = f;
#else
    on_lru[f] = 1;
#endif
    f = NO
}

inline unlist(f) { on_lru[f] = 0; on_tail[f] = 0 }

/* A resting page was mapped again: it is young, or its evictor is told. */
inline lru_touch(g) {
    if
#if TAIL && !defined(BUG_TOUCHED_ON_TAIL)
    :: on_tail[g] -> on_tail[g] = 0; flushed[g] = 0
#endif
    :: evicting[g] -> touched[g] = 1
    :: else
    fi
}

#ifdef BUG_PTE_READ_TWICE
#define STILL(state) true
#else
#define STILL(state) (pte[p] == state)
#endif

/* `seen` is the PTE as it was without the lock; in transit or mapped meanwhile: try again. */
inline fault_handle(p) {
    if
    :: seen == RESTING ->
        atomic {
            pte_lock();
            /* The frame may be evicting: dirty and slot are left alone. */
            if :: STILL(RESTING) -> pte[p] = PRESENT; lru_touch(pte_arg[p]) :: else fi
        }
    :: seen == UNTOUCHED ->
        frame_alloc(f, 0);
        atomic { pte_lock(); if :: STILL(UNTOUCHED) -> map_new(p, f) :: else fi }
    :: seen == SWAPPED ->
        frame_alloc(f, GARBAGE);
        atomic {
            pte_lock();
            if
            :: STILL(SWAPPED) ->
                slot[f] = pte_arg[p];
                pte_set(p, TRANSIT, f);
#ifdef BUG_SLOT_EARLY
                s = slot[f]; slot_free(s);
#endif
                reading = 1
            :: else
            fi
        };
        if
        :: reading ->
            atomic {                            /* nobody else sees the copy: with what follows */
                swap_read(f);
                pte_lock();
                assert(pte[p] == TRANSIT && pte_arg[p] == f);
                map_new(p, f);
                reading = 0
            }
        :: else
        fi
    :: else
    fi;
#ifdef BUG_INSERT_LATE
    atomic { if :: late != NO -> on_lru[late] = 1; late = NO :: else fi };
#endif
    atomic { if :: f != NO -> frame_free(f) :: else fi; seen = NO; p = 0 }
}

proctype thread(byte cpu) {
    byte p, op, f = NO, seen = NO;
    bit reading;
#ifdef BUG_SLOT_EARLY
    byte s;
#endif
#ifdef BUG_INSERT_LATE
    byte late = NO;
#endif

    do
    :: atomic {
            if :: p = 0 :: PAGES > 1 -> p = 1 fi;
            hw_access(p, op);
            if
            :: op == FAULT && pte[p] == NONE -> p = 0; op = 0; goto gone            /* killed */
            :: op == FAULT && pte[p] != NONE && pte[p] != TRANSIT -> seen = pte[p]
            :: else -> p = 0
            fi;
            op = 0
        }
        if :: seen != NO -> fault_handle(p) :: else fi
    :: goto gone
    od;
gone:
    threads--
}

/*
 * A frame found off the LRU is in an evictor's hands, who sees `disowned` and frees frame and slot.
 * The frame is reused, and the address allocated again, after the shootdown (the quarantine).
 */
inline entry_release(p) {       /* one step: under the page table's lock */
    pte_lock();
    if
    :: pte[p] == PRESENT || pte[p] == RESTING ->
        f = pte_arg[p]; content[f] = GARBAGE; tlb_flush(cpu, p);
        if                                      /* LRU lock */
        :: on_lru[f] -> unlist(f); flushed[f] = 0; mine = 1
        :: else -> assert(evicting[f]);
#ifndef BUG_NO_DISOWN
            disowned[f] = 1;
#endif
        fi;
        pte_set(p, NONE, NO)
    :: pte[p] == SWAPPED -> s = pte_arg[p]; pte_set(p, NONE, NO); slot_free(s)
    :: else -> assert(pte[p] != TRANSIT); pte_set(p, NONE, NO)
    fi
}

inline released_free(p) {
    if
    :: f != NO ->
        tlb_shootdown(p);
        atomic { if :: mine -> slot_free(slot[f]); frame_free(f) :: else fi; f = NO; mine = 0 }
    :: else
    fi
}

/*
 * The same block is allocated again with its frame, and nobody is told: the other CPU may still
 * store by what it has seen, and sets no D bit then.
 */
inline map_again(p) {           /* one step: a store before it is to a block that was freed */
    pte_lock();
    assert(pte[p] == NONE);
    slot_free(slot[f]);
    content[f] = 0; dirty[f] = 0;
    pte_set(p, PRESENT, f);
#ifndef BUG_AGAIN_CLEAN
    pte_d[p] = 1;
#endif
    on_lru[f] = 1;
    live[p] = 1; f = NO; mine = 0; p = 0
}

/* The thread that frees and allocates (the VMap mutex lets in one), and in the end exits. */
proctype freer(byte cpu) {
    byte p, f = NO, s = NO;
    bit mine;

    do
    :: atomic {                                 /* who finds it in transit waits first */
            if :: pte[0] != TRANSIT -> p = 0 :: PAGES > 1 && pte[1] != TRANSIT -> p = 1 fi;
            live[p] = 0; value[p] = 0;
            entry_release(p)
        }
        if
        :: true ->
            released_free(p);
            d_step { assert(pte[p] == NONE); pte_set(p, UNTOUCHED, NO); live[p] = 1; p = 0 }
        :: mine -> atomic { map_again(p) }
        fi
    :: threads == 0 -> break
    od;
    atomic { live[0] = 0; live[1] = 0; value[0] = 0; value[1] = 0 };
    do
    :: p < PAGES -> atomic { entry_release(p) } released_free(p); p++
    :: else -> break
    od;
#ifndef BUG_NO_EVICTOR_REF
    evictor_refs == 0;
#endif
    table_freed = 1;
#ifndef BUG_NO_EVICTOR_REF
    assert(!on_lru[0] && !on_lru[1]);                                           /* V5 */
    assert(is_free[0] && is_free[1] == (FRAMES > 1));                           /* V5 */
    assert(slot_is_free[0] && slot_is_free[1] == (SLOTS > 1) && slot_is_free[2] == (SLOTS > 2))
#endif
}

#ifdef BUG_RESTING_IS_FLUSHED
#define FLUSHED(f) (flushed[f] || pte[p] == RESTING)
#else
#define FLUSHED(f) flushed[f]
#endif

#ifdef BUG_LOST_DIRTY
bit d;
#define D_SEEN d
#else
#define D_SEEN pte_d[p]
#endif

#if TAIL
/*
 * The policy's next victims, here all, go on the tail, rest there, and are flushed together: one
 * step under the LRU's lock, and the page table's, which is only tried. The filler is an evictor;
 * there is one at a time.
 */
inline rest(p, g) {
    pte_lock();
    assert((pte[p] == PRESENT || pte[p] == RESTING) && pte_arg[p] == g);
    dirty[g] = dirty[g] | pte_d[p];
    pte[p] = RESTING; pte_d[p] = 0;             /* one exchange */
    tlb_flush(cpu, p);
    stale[p] = 1;
    flushed[g] = 1                              /* which counts when the filling is over */
}

inline filling_take(g) {
    on_tail[g] = 1;
#ifdef BUG_REST_LATE
    took[g] = 1; entry[g] = owner[g]
#else
    if
    :: rest(owner[g], g)
    :: skip                                     /* somebody has the page table's lock */
    fi
#endif
}

proctype lru_rest_oldest(byte cpu) {
    byte g;                                     /* a frame */
    bit stale[2];                               /* pages to flush */
#ifdef BUG_REST_LATE
    bit took[2];
    byte entry[2];
#endif

end:
    do
    :: atomic {                                 /* LRU lock */
            !on_tail[0] && !on_tail[1] && (on_lru[0] || on_lru[1]) ->
            filling = 1;
            do
            :: g < FRAMES && on_lru[g] -> filling_take(g); g++
            :: g < FRAMES && !on_lru[g] -> g++
            :: g == FRAMES -> break
            od;
            g = 0
        }
#ifdef BUG_REST_LATE
        do
        :: atomic { g < FRAMES -> if :: took[g] -> rest(entry[g], g) :: else fi; took[g] = 0; g++ }
        :: g == FRAMES -> break
        od;
#endif
#ifdef BUG_FLUSHED_EARLY
        filling = 0;
#endif
        atomic {
            if :: stale[0] -> tlb_flush(OTHER, 0) :: else fi;
#if PAGES > 1
            if :: stale[1] -> tlb_flush(OTHER, 1) :: else fi;
#endif
            stale[0] = 0; stale[1] = 0; g = 0
        }
        filling = 0                             /* LRU lock */
    od
}
#endif

/* One eviction after the other. evictor_refs goes down last: exit may free the table then. */
proctype reclaim_evict(byte cpu) {
    byte f = NO, p;
    bit resting, stale, noslot;
#ifdef BUG_PUT_BACK_LATE
    byte late = NO;
#endif

end:
    do
    :: atomic {                                 /* LRU lock */
            if :: on_lru[0] -> f = 0 :: on_lru[1] -> f = 1 fi;
            p = owner[f];
#if TAIL
            assert(!flushed[f] || on_tail[f] && pte[p] == RESTING);                 /* V6 */
            assert(!flushed[f] || filling || !MAPPED(f));                           /* V6 */
#ifndef BUG_FILLING_UNSEEN
            if :: filling -> flushed[f] = 0 :: else fi;
#endif
#endif
            unlist(f); evicting[f] = 1; evictor_refs++
        }
#ifdef BUG_LOST_DIRTY
        d = pte_d[p];                           /* a read, later a write */
#endif
        atomic {
            if
#if TAIL
            :: FLUSHED(f) -> resting = 1        /* no section: all that was done before */
#endif
            :: !FLUSHED(f) && disowned[f] -> pte_lock()
            :: !FLUSHED(f) && !disowned[f] && !touched[f] ->
                pte_lock();
                assert((pte[p] == PRESENT || pte[p] == RESTING) && pte_arg[p] == f);
                dirty[f] = dirty[f] | D_SEEN;
                pte[p] = RESTING; pte_d[p] = 0; /* one exchange */
                tlb_flush(cpu, p);
                stale = 1;
                resting = 1
            :: else -> pte_lock()               /* mapped again already: it stays */
            fi
        };
        if
        :: stale ->
#ifndef BUG_FREE_BEFORE_ACK                      /* the other CPU's flush comes later, or never */
            tlb_shootdown(p);
#endif
            stale = 0
        :: else
        fi;
        if
        :: resting && dirty[f] ->               /* may be mapped and stored into again by now */
            d_step {
                if :: slot[f] == NO -> slot_alloc(slot[f]) :: else fi;
                if :: slot[f] != NO -> swap_write(f) :: else -> noslot = 1 fi
            }
        :: else
        fi;
        atomic {
            pte_lock();
            if
            :: disowned[f] -> tlb_flush(cpu, p)
            :: !disowned[f] && pte[p] == RESTING && !touched[f] && !noslot ->
                assert(pte_arg[p] == f);
                if
                :: slot[f] != NO -> pte_set(p, SWAPPED, slot[f]); slot[f] = NO
                :: else -> pte_set(p, UNTOUCHED, NO)            /* never written */
                fi;
                frame_free(f)
            :: else ->                          /* touched meanwhile, or no slot: stays */
                assert((pte[p] == PRESENT || pte[p] == RESTING) && pte_arg[p] == f);
                if :: dirty[f] -> slot_free(slot[f]) :: else fi;
#ifdef BUG_PUT_BACK_LATE
                late = f;
#else
                evicting[f] = 0; touched[f] = 0; flushed[f] = 0;
                on_lru[f] = 1;                  /* LRU lock, inside the table's */
#endif
                f = NO
            fi;
            noslot = 0; resting = 0;
            if :: f == NO -> evictor_refs--; p = 0 :: else fi
        }
#ifdef BUG_PUT_BACK_LATE
        ;
        atomic {
            if
            :: late != NO ->
                evicting[late] = 0; touched[late] = 0; flushed[late] = 0; on_lru[late] = 1;
                late = NO
            :: else
            fi
        }
#endif
        ;
        if
        :: f != NO ->                           /* disowned: frame and slot are ours to free */
#ifndef BUG_DISOWNED_NO_SHOOTDOWN
            tlb_shootdown(p);                   /* vmap_free's own may still be under way */
#endif
            atomic { slot_free(slot[f]); frame_free(f); evictor_refs--; p = 0 }
        :: else
        fi
    od
}

/* With one thread, which is on CPU 0, all shootdowns are asked for by CPU 1. */
#define BESIDE (THREADS > 1 -> 0 : 1)

init {
    atomic {
        is_free[0] = 1; is_free[1] = (FRAMES > 1);
        slot_is_free[0] = 1; slot_is_free[1] = (SLOTS > 1); slot_is_free[2] = (SLOTS > 2);
        pte[0] = UNTOUCHED; live[0] = 1;
        if :: PAGES > 1 -> pte[1] = UNTOUCHED; live[1] = 1 :: else fi;
        threads = THREADS;
        run thread(0);
        if :: THREADS > 1 -> run thread(1) :: else fi;
        run freer(1);
        run reclaim_evict(1);
#if TAIL
        run lru_rest_oldest(BESIDE);
#endif
        if :: EVICTORS > 1 -> run reclaim_evict(BESIDE) :: else fi
    }
}
