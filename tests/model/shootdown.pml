/*
 * shootdown.pml - tlb_shootdown inside: two CPUs shoot at each other and switch address space.
 *
 * What is modelled, and the kernel function that each part stands for
 *
 *     remap, first half   a PTE changes from present to none, under the page table's lock
 *     tlb_shootdown       own flush, read the active mask, fill the request, send, spin for the ack
 *     shootdown_serve     flush what is asked, then acknowledge; from interrupt and spin
 *     remap, second half  the old frame is free and can be mapped again
 *     space_enter         set the CPU's bit in the active mask, then load the root (which flushes)
 *     space_leave         load the kernel's root (which flushes), then clear the bit
 *     cpu_load            a read: TLB, else page walk, else page fault, which maps a free frame
 *
 * Each CPU is one process. Where it can be interrupted it takes a pending interrupt or goes on;
 * inside remap interrupts are off. There is one request a CPU, enough because its initiator spins
 * with interrupts off.
 *
 * What is checked, apart from deadlock (two CPUs that wait for each other: an invalid end state)
 *     V1 a frame is freed only when no TLB maps it
 *     V2 a load never reaches a frame that is free or another page's
 *     V3 a request is never overwritten, and nobody acknowledges what was not asked
 *
 * Left out: more than two CPUs, batches of pages, the APIC, store buffers. The PTE change and the
 * mask change are locked read-modify-writes, so each is ordered against the read that follows;
 * BUG_MASK_READ_EARLY is what happens where that is forgotten. PCIDs and global pages are not used
 * by quire.
 *
 * Planted bugs (-DBUG_...): tests/model/run has the list.
 */
#define NO    7
#define PAGES 2
#define FRAMES 2

byte pte[PAGES] = NO;           /* the address space: frame, or NO */
bit  pt_lock;
bit  is_free[FRAMES] = 1;
byte used_by[FRAMES];           /* page */

bit  mask[2];                   /* the address space's mask: CPUs that may hold its translations */
bit  in_space[2];               /* the root that the CPU has loaded */
byte tlb[4] = NO;               /* [cpu * 2 + page]: frame */
#define TLB(c, p) tlb[(c) * 2 + (p)]

/* Request of CPU c, for the other CPU to serve */
byte request_page[2];
bit  request_pending[2];
bit  interrupt[2];              /* pending at CPU c */

#define OTHER     (1 - cpu)
#define MAPPED(f) (tlb[0] == f || tlb[1] == f || tlb[2] == f || tlb[3] == f)

inline lock()   { atomic { !pt_lock -> pt_lock = 1 } }
inline unlock() { pt_lock = 0 }

inline shootdown_serve() {
    if
    :: request_pending[OTHER] ->
#ifdef BUG_ACK_EARLY
        request_pending[OTHER] = 0;
        TLB(cpu, request_page[OTHER]) = NO
#else
        TLB(cpu, request_page[OTHER]) = NO;
        assert(request_pending[OTHER]);                                     /* V3 */
        request_pending[OTHER] = 0
#endif
    :: else                     /* the spin has served it before its interrupt came */
    fi
}

inline tlb_shootdown(p) {
    TLB(cpu, p) = NO;
#ifndef BUG_MASK_READ_EARLY
    other_active = mask[OTHER];
#endif
    if
    :: other_active ->
        assert(!request_pending[cpu]);                                      /* V3 */
        request_page[cpu] = p;
        request_pending[cpu] = 1;
        interrupt[OTHER] = 1;
        do
        :: !request_pending[cpu] -> break
#ifndef BUG_NO_SERVE
        :: request_pending[OTHER] -> shootdown_serve()
#endif
        od;
        request_page[cpu] = 0
    :: else
    fi;
    other_active = 0
}

/* Interrupts are off from the start to the end. */
inline remap(p) {
#ifdef BUG_MASK_READ_EARLY
    other_active = mask[OTHER];
#endif
    lock();
    f = pte[p]; pte[p] = NO;
#ifndef BUG_LOCK_HELD
    unlock();
#endif
    if
    :: f != NO ->
        tlb_shootdown(p);
        d_step { assert(!is_free[f] && !MAPPED(f)) /* V1 */; is_free[f] = 1; used_by[f] = 0 }
    :: else
    fi;
#ifdef BUG_LOCK_HELD
    unlock();
#endif
    f = NO
}

inline page_fault(p) {
    lock();
    d_step {
        if
        :: pte[p] == NO && is_free[0] -> pte[p] = 0; is_free[0] = 0; used_by[0] = p
        :: pte[p] == NO && !is_free[0] && is_free[1] -> pte[p] = 1; is_free[1] = 0; used_by[1] = p
        :: else                 /* mapped meanwhile, or no frame: the access comes again */
        fi
    };
    unlock()
}

/* An instruction is not cut by an interrupt. */
inline cpu_load(p) {
    d_step {
        if
        :: TLB(cpu, p) == NO -> TLB(cpu, p) = pte[p]
        :: else
        fi;
        faulted = (TLB(cpu, p) == NO);
        assert(faulted || !is_free[TLB(cpu, p)] && used_by[TLB(cpu, p)] == p)   /* V2 */
    };
    if :: faulted -> faulted = 0; page_fault(p) :: else fi
}

inline root_load(space) { d_step { in_space[cpu] = space; TLB(cpu, 0) = NO; TLB(cpu, 1) = NO } }

inline space_enter() { mask[cpu] = 1; root_load(1) }

inline space_leave() {
#ifdef BUG_CLEAR_BEFORE_LOAD
    mask[cpu] = 0; root_load(0)
#else
    root_load(0); mask[cpu] = 0
#endif
}

/* Between the steps of a switch interrupts are on: the harder case. */
active [2] proctype cpu_run() {
    byte p, f = NO, cpu = _pid;
    bit other_active, faulted;

end:
    do
    :: interrupt[cpu] -> interrupt[cpu] = 0; shootdown_serve()
    :: !in_space[cpu] -> space_enter()
    :: in_space[cpu] -> space_leave()
    :: in_space[cpu] -> if :: p = 0 :: p = 1 fi; cpu_load(p); p = 0
    :: if :: p = 0 :: p = 1 fi; remap(p); p = 0
    od
}
