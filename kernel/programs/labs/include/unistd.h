/*
 * unistd.h: of the labs' small C library: files (kernel/fs/file.h), errors in errno.
 */
#pragma once

#include "kernel/programs/labs/include/sys/types.h"

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2

ssize_t read(int descriptor, void *buffer, size_t size_bytes);
ssize_t write(int descriptor, const void *buffer, size_t size_bytes);
off_t lseek(int descriptor, off_t offset, int whence);
int ftruncate(int descriptor, off_t size_bytes);
int unlink(const char *name);
int close(int descriptor);
pid_t getpid(void);
