/*
 * jump.h: leaving several functions at once: setjmp and longjmp by other names.
 *
 *   if (jump_set(&point) == 0)
 *           ... jump_to(&point, 1) in here, or in what is called from here ...
 *   else
 *           ... goes on here
 *
 * Rules of use: the function that called jump_set() has not returned; locals
 * that it changed since are not to be trusted unless they are volatile; no
 * lock is held and no gate entered in between. A program's fault handler may
 * so leave the access that faulted (kernel/proc/signal.h).
 */
#pragma once

#include "lib/types.h"

/* What a called function must keep (System V AMD64 ABI, section 3.2), and where it returns to. */
struct jump_point {
	uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
};

/* 0; and again, with the value, each time that jump_to() comes here. */
int jump_set(struct jump_point *point) __attribute__((returns_twice));

/* jump_set() returns value, or 1 for 0. */
NORETURN void jump_to(const struct jump_point *point, int value);
