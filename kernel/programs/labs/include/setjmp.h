/*
 * setjmp.h: of the labs' small C library: the jumps of arch/x86_64/jump.h, and
 * the mask of blocked signals with them if it is asked for.
 */
#pragma once

#include <stdbool.h>

#include "arch/x86_64/jump.h"
#include "kernel/programs/labs/include/signal.h"

typedef struct {
	struct jump_point point;
	bool has_mask;
	sigset_t mask;
} sigjmp_buf[1];

typedef sigjmp_buf jmp_buf;

/* Notes the mask, or that there is none to be set back. */
void sigsetjmp_mask(sigjmp_buf buffer, int save_mask);

/* Both are macros: a function that calls jump_set() must not return before the jump. */
#define sigsetjmp(buffer, save_mask) (sigsetjmp_mask(buffer, save_mask), jump_set(&(buffer)->point))
#define setjmp(buffer) sigsetjmp(buffer, 0)

void siglongjmp(sigjmp_buf buffer, int value) __attribute__((noreturn));
#define longjmp(buffer, value) siglongjmp(buffer, value)
