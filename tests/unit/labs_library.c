/*
 * labs_library.c: the labs' small C library: what it answers where a lab would
 * not see it. Its variables are those of the test's process.
 */
#include "kernel/programs/labs/include/errno.h"
#include "kernel/programs/labs/include/fcntl.h"
#include "kernel/programs/labs/include/setjmp.h"
#include "kernel/programs/labs/include/signal.h"
#include "kernel/programs/labs/include/stdio.h"
#include "kernel/programs/labs/include/stdlib.h"
#include "kernel/programs/labs/include/string.h"
#include "kernel/programs/labs/include/unistd.h"
#include "tests/unit/ktap.h"

#define NAME "library test"

/* -1 and the error in errno. */
#define CHECK_FAILS(error, call)           \
	do {                               \
		errno = 0;                 \
		CHECK_EQUAL(-1, call);     \
		CHECK_EQUAL(error, errno); \
	} while (0)

PROCESS_TEST(labs, files_set_errno)
{
	char byte;
	int file;

	CHECK_FAILS(ENOENT, open("no such file", O_RDONLY));
	CHECK_FAILS(EINVAL, open(NAME, O_RDONLY | O_TRUNC));
	CHECK_FAILS(EFAULT, open(NULL, O_RDONLY));
	CHECK_FAILS(EBADF, read(77, &byte, 1));
	CHECK_FAILS(EBADF, write(-1, "a", 1));
	CHECK_FAILS(EBADF, close(3));
	CHECK_FAILS(ENOENT, unlink(NAME));
	file = open(NAME, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
	CHECK_EQUAL(3, file);
	CHECK_FAILS(EEXIST, open(NAME, O_RDWR | O_CREAT | O_EXCL, 0));
	CHECK_FAILS(EINVAL, lseek(file, -1, SEEK_CUR));
	CHECK_FAILS(EINVAL, lseek(file, 0, 9));
	CHECK_FAILS(ESPIPE, lseek(STDIN_FILENO, 0, SEEK_SET));
	CHECK_FAILS(EINVAL, ftruncate(file, -1));
	CHECK_EQUAL(0, ftruncate(file, 4097));
	CHECK_EQUAL(4097, lseek(file, 0, SEEK_END));
	CHECK_EQUAL(0, unlink(NAME));
	CHECK_EQUAL(0, close(file));
}

/* ---- Numbers and texts ----------------------------------------------------------- */

PROCESS_TEST(labs, strtol_takes_decimal_numbers)
{
	static const struct {
		const char *text;
		long value;
		int used, error;
	} cases[] = {
		{"0", 0, 1, 0},
		{" \t\n42x", 42, 5, 0},
		{"-7", -7, 2, 0},
		{"+7", 7, 2, 0},
		{"", 0, 0, 0},
		{"-", 0, 0, 0},
		{" x", 0, 0, 0},
		{"9223372036854775807", INT64_MAX, 19, 0},
		{"9223372036854775808", INT64_MAX, 19, ERANGE},
		{"-9223372036854775808", INT64_MIN, 20, 0},
		{"-9223372036854775809", INT64_MIN, 20, ERANGE},
		{"99999999999999999999999", INT64_MAX, 23, ERANGE},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		char *end;

		errno = 0;
		CHECK_EQUAL(cases[i].value, strtol(cases[i].text, &end, 10));
		CHECK_EQUAL(cases[i].used, end - cases[i].text);
		CHECK_EQUAL(cases[i].error, errno);
	}
	CHECK_EQUAL(-12, atoi("-12.5"));
}

/* It is in the background: it has no input. */
PROCESS_TEST(labs, input_at_its_end)
{
	char line[8];
	long number = 5;

	CHECK_EQUAL(EOF, scanf("%ld", &number));
	CHECK_EQUAL(5, number);
	CHECK_EQUAL(EOF, getchar());
	CHECK(fgets(line, sizeof(line), stdin) == NULL);
}

PROCESS_TEST(labs, malloc_and_free)
{
	char *block = malloc(100);

	CHECK(block != NULL);
	if (block)
		memset(block, 1, 100);
	free(block);
	free(NULL);
	errno = 0;
	block = malloc(SIZE_MAX);
	CHECK(block == NULL);
	CHECK_EQUAL(ENOMEM, errno);
	free(block);
}

static int prints_nothing_there(int argc, char **argv)
{
	(void)argc, (void)argv;
	printf("%s", (const char *)16);
	return 0;
}

/* The text is made in the program, so the fault is the program's. */
TEST(labs, printf_of_a_bad_address)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, prints_nothing_there);
}

/* ---- Signals and jumps -------------------------------------------------------------- */

static sigjmp_buf recovery;
static volatile int calls;
static void *volatile address;

static void handles(int signal)
{
	calls += signal;
	siglongjmp(recovery, 3);
}

static void handles_with_info(int signal, siginfo_t *info, void *context)
{
	CHECK(context == NULL);
	CHECK_EQUAL(SEGV_MAPERR, info->si_code);
	address = info->si_addr;
	handles(signal);
}

PROCESS_TEST(labs, handler_and_jump)
{
	struct sigaction action = {.sa_handler = handles}, before;
	sigset_t blocked;

	calls = 0;
	CHECK_EQUAL(0, sigaction(SIGSEGV, &action, &before));
	CHECK(before.sa_handler == SIG_DFL);
	for (volatile int i = 0; i < 3; i++)
		if (sigsetjmp(recovery, 1) == 0)
			(void)test_load(8);
	CHECK_EQUAL(3 * SIGSEGV, calls);
	action.sa_sigaction = handles_with_info;
	action.sa_flags = SA_SIGINFO;
	CHECK_EQUAL(0, sigaction(SIGSEGV, &action, &before));
	CHECK(before.sa_handler == handles);
	if (sigsetjmp(recovery, 1) == 0)
		(void)test_load(24);
	CHECK_EQUAL(24, (uint64_t)address);
	/* A jump that does not set the mask back leaves the signal blocked. */
	if (setjmp(recovery) == 0)
		(void)test_load(8);
	CHECK_EQUAL(0, sigprocmask(SIG_BLOCK, NULL, &blocked));
	CHECK_EQUAL(1, sigismember(&blocked, SIGSEGV));
}

PROCESS_TEST(labs, errors_of_signals)
{
	struct sigaction action = {.sa_handler = handles};
	sigset_t set, before;

	CHECK_FAILS(EINVAL, sigaction(2, &action, NULL));
	action.sa_flags = 1;
	CHECK_FAILS(EINVAL, sigaction(SIGSEGV, &action, NULL));
	CHECK_EQUAL(0, sigemptyset(&set));
	CHECK_FAILS(EINVAL, sigaddset(&set, 0));
	CHECK_FAILS(EINVAL, sigdelset(&set, 65));
	CHECK_FAILS(EINVAL, sigismember(&set, -1));
	CHECK_EQUAL(0, sigaddset(&set, SIGSEGV));
	CHECK_EQUAL(0, sigprocmask(SIG_SETMASK, &set, &before));
	CHECK_EQUAL(0, before);
	CHECK_EQUAL(0, sigprocmask(SIG_UNBLOCK, &set, &before));
	CHECK_EQUAL(1, sigismember(&before, SIGSEGV));
	CHECK_FAILS(EINVAL, sigprocmask(7, &set, NULL));
	CHECK_EQUAL(0, sigprocmask(SIG_BLOCK, NULL, &before));
	CHECK_EQUAL(0, before);
}

static int ignores(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = SIG_IGN};

	(void)argc, (void)argv;
	return sigaction(SIGSEGV, &action, NULL) ? 1 : (int)test_load(8);
}

TEST(labs, a_fault_is_not_ignored)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, ignores);
}
