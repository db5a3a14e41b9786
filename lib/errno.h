/*
 * errno.h: error numbers, Linux's values. A fallible function returns 0 (or
 * something not negative) or the negative of one of these.
 */
#pragma once

#define EPERM 1
#define ENOENT 2
#define ESRCH 3
#define EINTR 4
#define EIO 5
#define E2BIG 7
#define ENOEXEC 8
#define EBADF 9
#define ECHILD 10
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define ENODEV 19
#define EINVAL 22
#define ENFILE 23
#define EMFILE 24
#define EFBIG 27
#define ENOSPC 28
#define ESPIPE 29
#define EROFS 30
#define ERANGE 34
#define EDEADLK 35
#define ENAMETOOLONG 36
#define ENOSYS 38
#define EOVERFLOW 75
#define ENOTSUP 95
#define ETIMEDOUT 110

/* "ENOMEM" for ENOMEM or -ENOMEM; "E?" for a number that is not above. */
const char *errno_name(int error);

/* A sentence without a full stop: "not enough memory is left to promise". */
const char *errno_text(int error);
