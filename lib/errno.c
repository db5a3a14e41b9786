/*
 * errno.c: names and sentences of the error numbers.
 */
#include "lib/errno.h"

#include "lib/types.h"

struct error_entry {
	int number;
	const char *name;
	const char *text;
};

static const struct error_entry errors[] = {
	{EPERM, "EPERM", "this belongs to another process, or to the kernel"},
	{ENOENT, "ENOENT", "nothing has that name"},
	{ESRCH, "ESRCH", "no such process"},
	{EINTR, "EINTR", "interrupted"},
	{EIO, "EIO", "the device could not read or write"},
	{E2BIG, "E2BIG", "too many arguments"},
	{ENOEXEC, "ENOEXEC", "this is no program"},
	{EBADF, "EBADF", "this is no open file"},
	{ECHILD, "ECHILD", "there is no child to wait for"},
	{EAGAIN, "EAGAIN", "a limit is reached, try again later"},
	{ENOMEM, "ENOMEM", "not enough memory is left to promise"},
	{EACCES, "EACCES", "this may not be accessed so"},
	{EFAULT, "EFAULT", "the address is not in mapped memory"},
	{EBUSY, "EBUSY", "this is in use"},
	{EEXIST, "EEXIST", "this exists already"},
	{ENODEV, "ENODEV", "no such device"},
	{EINVAL, "EINVAL", "an argument is missing, malformed or out of range"},
	{ENFILE, "ENFILE", "no place is left for one more"},
	{EMFILE, "EMFILE", "the process has too many files open"},
	{EFBIG, "EFBIG", "the file is too large"},
	{ENOSPC, "ENOSPC", "no space is left"},
	{ESPIPE, "ESPIPE", "this has no position to move"},
	{EROFS, "EROFS", "this file can only be read"},
	{ERANGE, "ERANGE", "the number is out of range"},
	{EDEADLK, "EDEADLK", "this would wait for itself"},
	{ENAMETOOLONG, "ENAMETOOLONG", "the name is too long"},
	{ENOSYS, "ENOSYS", "this is not implemented"},
	{EOVERFLOW, "EOVERFLOW", "the value would overflow"},
	{ENOTSUP, "ENOTSUP", "this is not supported"},
	{ETIMEDOUT, "ETIMEDOUT", "the time is over"},
};

static const struct error_entry *error_find(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (error == errors[i].number || error == -errors[i].number)
			return &errors[i];
	return NULL;
}

const char *errno_name(int error)
{
	const struct error_entry *entry = error_find(error);

	return entry == NULL ? "E?" : entry->name;
}

const char *errno_text(int error)
{
	const struct error_entry *entry = error_find(error);

	return entry == NULL ? "unknown error" : entry->text;
}
