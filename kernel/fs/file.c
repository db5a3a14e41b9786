/*
 * file.c: the names of files.
 *
 *              file_open_object(CREATE)
 *   free entry -----------------------> name and object
 *              <-----------------------
 *                    file_remove
 *
 * Invariants:
 *  1. An entry with an object holds one reference to it; names are unique.
 *  2. Modules come first, as constant objects, and stay.
 * Lock: `files`, a mutex, guards the table; an object's own is taken inside it.
 */
#include "kernel/fs/file.h"

#include "kernel/fs/file_internal.h"
#include "kernel/fs/module.h"
#include "kernel/mm/object.h"
#include "kernel/proc/process.h"
#include "kernel/sched/gate.h"
#include "lib/errno.h"
#include "lib/string.h"

struct file_entry {
	struct object *object; /* NULL: free */
	const char *kind;
	char name[FILE_NAME_BYTES];
};

static struct {
	struct mutex mutex;
	struct file_entry entries[BOOT_MODULE_MAX + FILE_MAX] GUARDED_BY(mutex);
	struct object modules[BOOT_MODULE_MAX];
} files;

void file_init(void)
{
	unsigned i = 0;

	mutex_init(&files.mutex, LOCK_FILES);
	for (const struct module *module = module_next(NULL); module;
	     module = module_next(module), i++) {
		struct file_entry *entry = &files.entries[i];

		object_init_constant(&files.modules[i], module->data, module->size_bytes);
		entry->object = &files.modules[i];
		entry->kind = module->is_trace ? "trace" : "module";
		(void)string_copy(entry->name, module->name, sizeof(entry->name));
	}
	process_close_hook = descriptors_close;
	process_inherit_hook = descriptors_inherit;
}

static struct file_entry *entry_find_locked(const char *name) REQUIRES(files.mutex)
{
	for (unsigned i = 0; i < ARRAY_SIZE(files.entries); i++)
		if (files.entries[i].object && strcmp(files.entries[i].name, name) == 0)
			return &files.entries[i];
	return NULL;
}

/* A new, empty file. 0, -ENOSPC or -ENOMEM. */
static int entry_make_locked(const char *name, struct file_entry **made) REQUIRES(files.mutex)
{
	struct file_entry *entry = files.entries + BOOT_MODULE_MAX;

	while (entry < files.entries + ARRAY_SIZE(files.entries) && entry->object)
		entry++;
	if (entry == files.entries + ARRAY_SIZE(files.entries))
		return -ENOSPC;
	entry->object = object_create();
	if (!entry->object)
		return -ENOMEM;
	entry->kind = "file";
	(void)string_copy(entry->name, name, sizeof(entry->name));
	*made = entry;
	return 0;
}

static int open_locked(const char *name, int flags, struct object **object) REQUIRES(files.mutex)
{
	struct file_entry *entry = entry_find_locked(name);
	int error = 0;

	if (!entry && !(flags & FILE_CREATE))
		return -ENOENT;
	if (entry && (flags & (FILE_CREATE | FILE_EXCLUSIVE)) == (FILE_CREATE | FILE_EXCLUSIVE))
		return -EEXIST;
	if (!entry)
		error = entry_make_locked(name, &entry);
	else if ((flags & FILE_ACCESS) != FILE_READ && entry->object->constant)
		error = -EROFS;
	else if (flags & FILE_TRUNCATE)
		error = object_truncate(entry->object, 0);
	if (error)
		return error;
	*object = entry->object;
	object_hold(*object);
	return 0;
}

int file_open_object(const char *name, int flags, struct object **object)
{
	int error;

	if (name[0] == '\0')
		return -ENOENT;
	mutex_lock(&files.mutex);
	error = open_locked(name, flags, object);
	mutex_unlock(&files.mutex);
	return error;
}

int file_remove(const char *name)
{
	struct object *object = NULL;
	struct file_entry *entry;
	int error = -ENOENT;

	mutex_lock(&files.mutex);
	entry = entry_find_locked(name);
	if (entry)
		error = entry->object->constant ? -EROFS : 0;
	if (error == 0) {
		object = entry->object;
		entry->object = NULL;
	}
	mutex_unlock(&files.mutex);
	if (object)
		object_release(object);
	return error;
}

struct object *file_hold(const char *name)
{
	struct object *object = NULL;
	int error;

	gate_enter();
	error = file_open_object(name, FILE_READ, &object);
	gate_leave();
	return error ? NULL : object;
}

bool file_next(unsigned *place, struct file_info *info)
{
	bool found = false;

	gate_enter();
	mutex_lock(&files.mutex);
	while (!found && *place < ARRAY_SIZE(files.entries)) {
		const struct file_entry *entry = &files.entries[(*place)++];

		if (!entry->object)
			continue;
		found = true;
		(void)string_copy(info->name, entry->name, sizeof(info->name));
		info->size_bytes = object_size(entry->object);
		info->kind = entry->kind;
	}
	mutex_unlock(&files.mutex);
	gate_leave();
	return found;
}
