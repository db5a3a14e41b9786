/*
 * file.c: see file.h. The table is filled at boot and constant afterwards; no
 * locks.
 */
#include "kernel/fs/file.h"

#include "arch/x86_64/direct.h"
#include "lib/format.h"
#include "lib/string.h"

#define TRACE_LABEL "trace "

static struct file files[BOOT_MODULE_MAX];
static unsigned file_count;

void file_init(const struct boot_info *info)
{
	file_count = info->module_count;
	for (unsigned i = 0; i < file_count; i++) {
		const struct boot_module *module = &info->modules[i];
		struct file *file = &files[i];
		const char *name = module->label;

		file->is_trace = strncmp(name, TRACE_LABEL, sizeof(TRACE_LABEL) - 1) == 0;
		if (file->is_trace)
			name += sizeof(TRACE_LABEL) - 1;
		if (*name != '\0')
			(void)string_copy(file->name, name, sizeof(file->name));
		else
			(void)format(file->name, sizeof(file->name), "module%u", i);
		file->data = direct_map(module->base);
		file->size_bytes = module->size_bytes;
	}
}

const struct file *file_find(const char *name)
{
	for (unsigned i = 0; i < file_count; i++)
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	return NULL;
}

const struct file *file_next(const struct file *file)
{
	unsigned next = file ? (unsigned)(file - files) + 1 : 0;

	return next < file_count ? &files[next] : NULL;
}
