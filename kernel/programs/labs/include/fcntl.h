/*
 * fcntl.h: of the labs' small C library. The mode that O_CREAT wants is taken and
 * ignored: every file is everybody's.
 */
#pragma once

#include "kernel/programs/labs/include/sys/types.h"

/* As in kernel/fs/file.h. */
#define O_RDONLY 0
#define O_WRONLY 01
#define O_RDWR 02
#define O_CREAT 0100
#define O_EXCL 0200
#define O_TRUNC 01000

#define S_IRUSR 0400
#define S_IWUSR 0200

int open(const char *name, int flags, ...);
