/*
 * input.h: bytes from the serial line, Ctrl-C, and waiting for something to
 * happen.
 *
 * While a job runs (input_job_begin() to _end()), Ctrl-C is not a byte: it
 * throws away what was typed before it and sets the interrupt, which
 * whoever runs the job looks at.
 */
#pragma once

#include "kernel/sched/thread.h"
#include "lib/types.h"

/* Installs the handler of the serial line's interrupt and lets it come. Once, at boot. */
void input_init(void);

/* The next byte; waits for it. -EINTR if the thread is killed meanwhile. */
int input_byte(void);

void input_job_begin(void);
void input_job_end(void);

/* Was Ctrl-C typed since the job began or since input_interrupt_clear()? */
bool input_interrupted(void);
void input_interrupt_clear(void);

/*
 * Waiting without losing a wakeup:
 *	seen = input_changes(); if (what I wait for is there) ...; input_wait_change(seen);
 * returns when input_change() was called, or Ctrl-C typed, since `seen` was read.
 */
uint64_t input_changes(void);
void input_change(void);
/* 0, or -EINTR if the thread is killed (not for Ctrl-C). */
int input_wait_change(uint64_t seen);
