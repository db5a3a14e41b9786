/*
 * file.h: files: shared memory objects with names, as in tmpfs.
 *
 *   name --file_open()--> object <--descriptor-- process
 *
 * There are no folders: a name is any text, slashes included. The modules that
 * the loader brought (module.h) are files too, to be read only. A file that is
 * removed while somebody has it open loses its name at once, and its bytes when
 * the last descriptor is closed.
 *
 * What a program calls, with the errors of POSIX as negative numbers. Each
 * passes the gate; the caller is a thread of a process. Descriptors belong to
 * the process and are closed at its end; one that process_start() starts inherits
 * them.
 * 1 and 2 are its output; 0, its input, is read by read_line() (program.h).
 */
#pragma once

#include "kernel/config.h"
#include "lib/types.h"

struct object;

/* Flags of file_open(), with Linux's values. */
#define FILE_READ 0 /* one of these three */
#define FILE_WRITE 01
#define FILE_READ_WRITE 02
#define FILE_ACCESS 03
#define FILE_CREATE 0100    /* makes it if there is none */
#define FILE_EXCLUSIVE 0200 /* with CREATE: there must be none */
#define FILE_TRUNCATE 01000 /* makes it empty; not with FILE_READ */

enum file_from { FILE_FROM_START, FILE_FROM_HERE, FILE_FROM_END, FILE_FROM_COUNT };

/*
 * Opens a file: the lowest free descriptor, from 3, or -EFAULT, -ENAMETOOLONG,
 * -ENOENT (or an empty name), -EEXIST, -EROFS (a module, to be written), -EMFILE,
 * -ENOSPC (FILE_MAX names), -ENOMEM, -EINVAL (other flags).
 */
int file_open(const char *name, int flags) MUST_CHECK;

/* 0 or -EBADF. */
int file_close(int descriptor);

/*
 * Reads or writes at the descriptor's offset and moves it: the count, 0 at the
 * end of the file. -EBADF (also: not opened for that), -EFAULT (and nothing was
 * done), -EFBIG, -ENOSPC. Others' reads and writes come between pieces of 512
 * bytes, not into one.
 */
int64_t file_read(int descriptor, void *buffer, size_t size_bytes) MUST_CHECK;
int64_t file_write(int descriptor, const void *buffer, size_t size_bytes) MUST_CHECK;

/* The new offset; it may lie beyond the end. -EBADF, -ESPIPE, -EINVAL, -EOVERFLOW. */
int64_t file_seek(int descriptor, int64_t offset, enum file_from from);

/* 0, -EBADF, -EINVAL (negative, or not opened for writing), -EFBIG. */
int file_truncate(int descriptor, int64_t size_bytes) MUST_CHECK;

/* 0, -EFAULT, -ENAMETOOLONG, -ENOENT, -EROFS (a module). */
int file_unlink(const char *name);

/*
 * The object behind a descriptor, with a reference for the caller, and its
 * access flags, for whoever maps it; NULL if it is no open file.
 */
struct object *file_object(int descriptor, int *access);

/* ---- For the console: these pass the gate, too --------------------------------- */

/* The object of a name, with a reference for the caller, or NULL. */
struct object *file_hold(const char *name);

struct file_info {
	char name[FILE_NAME_BYTES];
	uint64_t size_bytes;
	const char *kind; /* "module", "trace", "file" */
};

/* The file at *place (from 0), or the next there is, and *place moves on; false: no more. */
bool file_next(unsigned *place, struct file_info *info);

/* Boot, after module_init(). */
void file_init(void);
