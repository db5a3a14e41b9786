/*
 * descriptor.c: a process's open files, and the services on them.
 *
 *                file_open                  file_close, descriptors_close
 *   no object -------------> open (object, offset) -----------------> no object
 *
 * The table is made, a page, when the process first opens a file.
 *
 * Invariants:
 *  1. An open file holds one reference to its object. A reserved descriptor is not open.
 *  2. Bytes go through a small buffer on the kernel's side: the program's
 *     memory is touched outside the object's lock, so a fault there needs none.
 * Lock: `descriptors`, a mutex, one a table: it is held through a whole read or
 * write, so that each of a process's threads moves the offset as one step.
 */
#include "kernel/bugs.h"
#include "kernel/fs/file_internal.h"
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/object.h"
#include "kernel/mm/vmap.h"
#include "kernel/proc/process.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"
#include "lib/string.h"

#define PIECE_BYTES 512 /* at a time; on the thread's stack */
#define FIRST 3         /* input, output and errors come before */

struct open_file {
	struct object *object; /* NULL: not open ... */
	bool reserved;         /* ... but about to be */
	uint64_t offset;
	int access; /* FILE_READ, FILE_WRITE or FILE_READ_WRITE */
};

struct descriptors {
	struct mutex mutex;
	struct open_file files[OPEN_MAX] GUARDED_BY(mutex);
};
STATIC_ASSERT(sizeof(struct descriptors) <= PAGE_SIZE);

/* As the analysis of locks knows it. */
#define TABLE_MUTEX process_current()->descriptors->mutex

/* The process's table, made if missing; NULL if there is no memory. */
static struct descriptors *table_make(struct process *process)
{
	struct descriptors *table = __atomic_load_n(&process->descriptors, __ATOMIC_ACQUIRE);
	struct descriptors *made;

	if (table)
		return table;
	made = kernel_page_alloc();
	if (!made)
		return NULL;
	mutex_init(&made->mutex, LOCK_DESCRIPTORS);
	if (__atomic_compare_exchange_n(&process->descriptors, &table, made, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return made;
	kernel_page_free(made); /* another thread was quicker */
	return table;
}

void descriptors_close(struct process *process)
{
	struct descriptors *table = process->descriptors;

	if (!table)
		return;
	mutex_taken(&table->mutex); /* nobody else is left to take it */
	for (unsigned i = 0; i < OPEN_MAX; i++)
		if (table->files[i].object && !BUG_PLANTED(BUG_KEEP_FILES))
			object_release(table->files[i].object);
	process->descriptors = NULL;
	kernel_page_free(table);
}

int descriptors_inherit(struct process *child, struct process *parent)
{
	struct descriptors *from = __atomic_load_n(&parent->descriptors, __ATOMIC_ACQUIRE);
	struct descriptors *table = from ? table_make(child) : NULL;

	if (!table)
		return from ? -ENOMEM : 0;
	mutex_lock(&from->mutex);
	memcpy(table->files, from->files, sizeof(table->files));
	for (unsigned i = 0; i < OPEN_MAX; i++)
		if (table->files[i].object)
			object_hold(table->files[i].object);
	mutex_unlock(&from->mutex);
	return 0;
}

/* ---- With the table locked --------------------------------------------------- */

/*
 * The open file, and the table it is in locked; NULL and nothing locked if
 * there is none. release() unlocks.
 */
static struct open_file *acquire(int descriptor) TRY_ACQUIRES(true, TABLE_MUTEX)
{
	struct descriptors *table =
		__atomic_load_n(&process_current()->descriptors, __ATOMIC_ACQUIRE);

	COUNT(FILE_CALL);
	if (!table || descriptor < FIRST || descriptor >= OPEN_MAX)
		return NULL;
	mutex_lock(&table->mutex);
	if (table->files[descriptor].object)
		return &table->files[descriptor];
	mutex_unlock(&table->mutex);
	return NULL;
}

static void release(void) RELEASES(TABLE_MUTEX)
{
	mutex_unlock(&process_current()->descriptors->mutex);
}

/* A descriptor that nobody else gets, or -EMFILE. */
static int reserve(struct descriptors *table)
{
	int result = -EMFILE;

	mutex_lock(&table->mutex);
	for (int i = FIRST; i < OPEN_MAX; i++) {
		if (table->files[i].object || table->files[i].reserved)
			continue;
		table->files[i].reserved = true;
		result = i;
		break;
	}
	mutex_unlock(&table->mutex);
	return result;
}

/* Gives the object, with its reference, the reserved descriptor; NULL: it is free again. */
static void install(struct descriptors *table, int descriptor, struct object *object, int access)
{
	mutex_lock(&table->mutex);
	table->files[descriptor] = (struct open_file){.object = object, .access = access};
	mutex_unlock(&table->mutex);
}

static int64_t read_pieces(struct open_file *file, char *buffer, size_t size_bytes)
{
	char piece[PIECE_BYTES];
	size_t done = 0;

	while (done < size_bytes) {
		int64_t count = object_read(file->object, file->offset, piece,
					    MIN(size_bytes - done, sizeof(piece)));

		if (count > 0 && vmap_buffer_write(buffer + done, piece, (size_t)count))
			count = -EFAULT;
		if (count <= 0)
			return done ? (int64_t)done : count;
		file->offset += (uint64_t)count;
		done += (size_t)count;
	}
	return (int64_t)done;
}

static int64_t write_pieces(struct open_file *file, const char *buffer, size_t size_bytes)
{
	char piece[PIECE_BYTES];
	size_t done = 0;

	while (done < size_bytes) {
		size_t wanted = MIN(size_bytes - done, sizeof(piece));
		int64_t count = vmap_buffer_read(piece, buffer + done, wanted);

		if (count == 0)
			count = object_write(file->object, file->offset, piece, wanted);
		if (count < 0)
			return done ? (int64_t)done : count;
		file->offset += (uint64_t)count;
		done += (size_t)count;
		if ((size_t)count < wanted)
			break;
	}
	return (int64_t)done;
}

/* To the console. */
static int64_t output_pieces(const char *buffer, size_t size_bytes)
{
	char piece[PIECE_BYTES];

	for (size_t done = 0; done < size_bytes; done += sizeof(piece)) {
		size_t count = MIN(size_bytes - done, sizeof(piece));

		if (vmap_buffer_read(piece, buffer + done, count))
			return done ? (int64_t)done : -EFAULT;
		if (process_write_hook)
			process_write_hook(process_current(), piece, count);
	}
	return (int64_t)size_bytes;
}

static int64_t seek(struct open_file *file, int64_t offset, enum file_from from)
{
	int64_t base = 0, sum;

	if (from == FILE_FROM_HERE)
		base = (int64_t)file->offset;
	else if (from == FILE_FROM_END)
		base = (int64_t)object_size(file->object);
	if (__builtin_add_overflow(base, offset, &sum))
		return -EOVERFLOW;
	if (sum < 0)
		return -EINVAL;
	file->offset = (uint64_t)sum;
	return sum;
}

/* ---- Inside the gate ---------------------------------------------------------- */

static int open_inside(const char *user_name, int flags)
{
	char name[FILE_NAME_BYTES];
	struct descriptors *table;
	struct object *object = NULL;
	int result, descriptor;

	COUNT(FILE_CALL);
	if (flags & ~(FILE_ACCESS | FILE_CREATE | FILE_EXCLUSIVE | FILE_TRUNCATE) ||
	    (flags & FILE_ACCESS) == FILE_ACCESS ||
	    (flags & FILE_TRUNCATE && (flags & FILE_ACCESS) == FILE_READ))
		return -EINVAL;
	result = vmap_buffer_text(name, user_name, sizeof(name));
	if (result < 0)
		return result;
	table = table_make(process_current());
	if (!table)
		return -ENOMEM;
	/* First, as opening may make or empty the file. */
	descriptor = reserve(table);
	if (descriptor < 0)
		return descriptor;
	result = file_open_object(name, flags, &object);
	install(table, descriptor, object, flags & FILE_ACCESS);
	return result ? result : descriptor;
}

static int close_inside(int descriptor)
{
	struct open_file *file = acquire(descriptor);
	struct object *object;

	if (!file)
		return -EBADF;
	object = file->object;
	file->object = NULL;
	release();
	object_release(object);
	return 0;
}

static int64_t read_inside(int descriptor, void *buffer, size_t size_bytes)
{
	struct open_file *file = acquire(descriptor);
	int64_t result = -EBADF;

	if (!file)
		return result;
	if (file->access != FILE_WRITE) {
		result = vmap_buffer_check(buffer, size_bytes, BUFFER_WRITE);
		if (result == 0)
			result = read_pieces(file, buffer, size_bytes);
	}
	release();
	return result;
}

static int64_t write_inside(int descriptor, const void *buffer, size_t size_bytes)
{
	struct open_file *file;
	int64_t result;

	if (descriptor == 1 || descriptor == 2) {
		result = vmap_buffer_check(buffer, size_bytes, BUFFER_READ);
		return result ? result : output_pieces(buffer, size_bytes);
	}
	file = acquire(descriptor);
	if (!file)
		return -EBADF;
	result = -EBADF;
	if (file->access != FILE_READ) {
		result = vmap_buffer_check(buffer, size_bytes, BUFFER_READ);
		if (result == 0)
			result = write_pieces(file, buffer, size_bytes);
	}
	release();
	return result;
}

static int64_t seek_inside(int descriptor, int64_t offset, enum file_from from)
{
	struct open_file *file;
	int64_t result;

	if (descriptor >= 0 && descriptor < FIRST)
		return -ESPIPE;
	if (from >= FILE_FROM_COUNT)
		return -EINVAL;
	file = acquire(descriptor);
	if (!file)
		return -EBADF;
	result = seek(file, offset, from);
	release();
	return result;
}

static int truncate_inside(int descriptor, int64_t size_bytes)
{
	struct open_file *file;
	int result = -EINVAL;

	file = acquire(descriptor);
	if (!file)
		return -EBADF;
	if (size_bytes >= 0 && file->access != FILE_READ)
		result = object_truncate(file->object, (uint64_t)size_bytes);
	release();
	return result;
}

static int unlink_inside(const char *user_name)
{
	char name[FILE_NAME_BYTES];
	int result = vmap_buffer_text(name, user_name, sizeof(name));

	COUNT(FILE_CALL);
	return result < 0 ? result : file_remove(name);
}

static struct object *object_inside(int descriptor, int *access)
{
	struct open_file *file = acquire(descriptor);
	struct object *object;

	if (!file)
		return NULL;
	object = file->object;
	object_hold(object);
	*access = file->access;
	release();
	return object;
}

/* ---- The services ------------------------------------------------------------- */

int file_open(const char *name, int flags)
{
	return INSIDE_GATE(open_inside(name, flags));
}

int file_close(int descriptor)
{
	return INSIDE_GATE(close_inside(descriptor));
}

int64_t file_read(int descriptor, void *buffer, size_t size_bytes)
{
	return INSIDE_GATE(read_inside(descriptor, buffer, size_bytes));
}

int64_t file_write(int descriptor, const void *buffer, size_t size_bytes)
{
	return INSIDE_GATE(write_inside(descriptor, buffer, size_bytes));
}

int64_t file_seek(int descriptor, int64_t offset, enum file_from from)
{
	return INSIDE_GATE(seek_inside(descriptor, offset, from));
}

int file_truncate(int descriptor, int64_t size_bytes)
{
	return INSIDE_GATE(truncate_inside(descriptor, size_bytes));
}

int file_unlink(const char *name)
{
	return INSIDE_GATE(unlink_inside(name));
}

struct object *file_object(int descriptor, int *access)
{
	return INSIDE_GATE(object_inside(descriptor, access));
}
