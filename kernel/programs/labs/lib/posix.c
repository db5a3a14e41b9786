/*
 * posix.c: the labs' small C library: files, memory, signals and jumps, each a
 * few lines around a service of the kernel. Its variables are the process's own.
 */
#include "kernel/fs/file.h"
#include "kernel/proc/program.h"
#include "kernel/proc/signal.h"
#include "kernel/programs/labs/include/errno.h"
#include "kernel/programs/labs/include/fcntl.h"
#include "kernel/programs/labs/include/setjmp.h"
#include "kernel/programs/labs/include/stdlib.h"
#include "kernel/programs/labs/include/string.h"
#include "kernel/programs/labs/include/unistd.h"

STATIC_ASSERT(O_RDONLY == FILE_READ && O_WRONLY == FILE_WRITE && O_RDWR == FILE_READ_WRITE);
STATIC_ASSERT(O_CREAT == FILE_CREATE && O_EXCL == FILE_EXCLUSIVE && O_TRUNC == FILE_TRUNCATE);
STATIC_ASSERT(SEEK_SET == FILE_FROM_START && SEEK_CUR == FILE_FROM_HERE &&
	      SEEK_END == FILE_FROM_END);

/* A negative errno becomes -1, with errno set. */
static int64_t answer(int64_t result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* ---- Files -------------------------------------------------------------------- */

int open(const char *name, int flags, ...)
{
	return (int)answer(file_open(name, flags));
}

int close(int descriptor)
{
	return (int)answer(file_close(descriptor));
}

ssize_t read(int descriptor, void *buffer, size_t size_bytes)
{
	return answer(file_read(descriptor, buffer, size_bytes));
}

ssize_t write(int descriptor, const void *buffer, size_t size_bytes)
{
	return answer(file_write(descriptor, buffer, size_bytes));
}

off_t lseek(int descriptor, off_t offset, int whence)
{
	return answer(file_seek(descriptor, offset, (enum file_from)whence));
}

int ftruncate(int descriptor, off_t size_bytes)
{
	return (int)answer(file_truncate(descriptor, size_bytes));
}

int unlink(const char *name)
{
	return (int)answer(file_unlink(name));
}

/* ---- Memory, numbers, names ----------------------------------------------------- */

void *malloc(size_t size_bytes)
{
	if (size_bytes > INT32_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	return vmap_malloc(self_vmap(), MAX((int)size_bytes, 1));
}

void free(void *block)
{
	vmap_free(self_vmap(), block);
}

long strtol(const char *text, char **end, int base)
{
	const char *at = text;
	long value = 0;
	bool negative, overflow = false;

	(void)base;
	while (*at == ' ' || (*at >= '\t' && *at <= '\r'))
		at++;
	negative = *at == '-';
	if (*at == '-' || *at == '+')
		at++;
	if (*at < '0' || *at > '9')
		at = text; /* no number at all */
	for (; *at >= '0' && *at <= '9'; at++) {
		int digit = negative ? '0' - *at : *at - '0';

		overflow |= __builtin_mul_overflow(value, 10L, &value);
		overflow |= __builtin_add_overflow(value, (long)digit, &value);
	}
	if (overflow) {
		errno = ERANGE;
		value = negative ? INT64_MIN : INT64_MAX;
	}
	if (end)
		*end = (char *)at;
	return value;
}

int atoi(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

const char *strerror(int error)
{
	return errno_text(error);
}

pid_t getpid(void)
{
	return self_pid();
}

/* ---- Signals --------------------------------------------------------------------- */

static struct sigaction segv;

static void segv_deliver(const struct signal_info *info)
{
	siginfo_t shown = {
		.si_signo = info->number,
		.si_code = info->code,
		.si_addr = (void *)info->address,
	};

	if (segv.sa_flags & SA_SIGINFO)
		segv.sa_sigaction(info->number, &shown, NULL);
	else
		segv.sa_handler(info->number);
}

int sigaction(int signal, const struct sigaction *action, struct sigaction *before)
{
	struct sigaction old = segv;
	struct signal_action kernel = {.handler = NULL};

	if (signal != SIGSEGV ||
	    (action && action->sa_flags & ~(SA_SIGINFO | SA_RESTART | SA_NODEFER)))
		return (int)answer(-EINVAL);
	if (action) {
		segv = *action;
		if (segv.sa_handler != SIG_DFL && segv.sa_handler != SIG_IGN)
			kernel.handler = segv_deliver;
		kernel.stay_open = segv.sa_flags & SA_NODEFER;
		if (answer(signal_set_action(SIGNAL_SEGV, &kernel, NULL)) < 0)
			return -1;
	}
	if (before)
		*before = old;
	return 0;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
	sigset_t old = signal_blocked();

	if (set && how == SIG_BLOCK)
		signal_set_blocked(old | *set);
	else if (set && how == SIG_UNBLOCK)
		signal_set_blocked(old & ~*set);
	else if (set && how == SIG_SETMASK)
		signal_set_blocked(*set);
	else if (set)
		return (int)answer(-EINVAL);
	if (before)
		*before = old;
	return 0;
}

int sigemptyset(sigset_t *set)
{
	*set = 0;
	return 0;
}

int sigfillset(sigset_t *set)
{
	*set = ~0ull;
	return 0;
}

static bool is_signal(int signal)
{
	return signal >= 1 && signal <= 64;
}

int sigaddset(sigset_t *set, int signal)
{
	if (!is_signal(signal))
		return (int)answer(-EINVAL);
	*set |= SIGNAL_BIT(signal);
	return 0;
}

int sigdelset(sigset_t *set, int signal)
{
	if (!is_signal(signal))
		return (int)answer(-EINVAL);
	*set &= ~SIGNAL_BIT(signal);
	return 0;
}

int sigismember(const sigset_t *set, int signal)
{
	if (!is_signal(signal))
		return (int)answer(-EINVAL);
	return (*set & SIGNAL_BIT(signal)) != 0;
}

/* ---- Jumps ------------------------------------------------------------------------ */

void sigsetjmp_mask(sigjmp_buf buffer, int save_mask)
{
	buffer->has_mask = save_mask;
	buffer->mask = signal_blocked();
}

void siglongjmp(sigjmp_buf buffer, int value)
{
	if (buffer->has_mask)
		signal_set_blocked(buffer->mask);
	jump_to(&buffer->point, value);
}
