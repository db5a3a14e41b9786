/*
 * signal.h: of the labs' small C library: SIGSEGV alone. The contract of a
 * handler is in kernel/proc/signal.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SIGSEGV 11

typedef uint64_t sigset_t;

typedef struct {
	int si_signo;
	int si_code;
	void *si_addr; /* touched */
} siginfo_t;

#define SEGV_MAPERR 1
#define SEGV_ACCERR 2

struct sigaction {
	union {
		void (*sa_handler)(int signal);
		void (*sa_sigaction)(int signal, siginfo_t *info,
				     void *context); /* context: NULL */
	};
	sigset_t sa_mask;
	int sa_flags;
};

#define SA_SIGINFO 0x00000004
#define SA_RESTART 0x10000000 /* no call is ever interrupted by a handler */
#define SA_NODEFER 0x40000000

#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1) /* a fault is not ignored: it ends the process */

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

int sigaction(int signal, const struct sigaction *action, struct sigaction *before);
int sigprocmask(int how, const sigset_t *set, sigset_t *before);

int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigaddset(sigset_t *set, int signal);
int sigdelset(sigset_t *set, int signal);
int sigismember(const sigset_t *set, int signal);
