/*
 * module.c: see module.h. The table is filled at boot and constant afterwards;
 * no locks.
 */
#include "kernel/fs/module.h"

#include "arch/x86_64/direct.h"
#include "lib/format.h"
#include "lib/string.h"

#define TRACE_LABEL "trace "

static struct module modules[BOOT_MODULE_MAX];
static unsigned module_count;

void module_init(const struct boot_info *info)
{
	module_count = info->module_count;
	for (unsigned i = 0; i < module_count; i++) {
		const struct boot_module *loaded = &info->modules[i];
		struct module *module = &modules[i];
		const char *name = loaded->label;

		module->is_trace = strncmp(name, TRACE_LABEL, sizeof(TRACE_LABEL) - 1) == 0;
		if (module->is_trace)
			name += sizeof(TRACE_LABEL) - 1;
		if (*name != '\0')
			(void)string_copy(module->name, name, sizeof(module->name));
		else
			(void)format(module->name, sizeof(module->name), "module%u", i);
		module->data = direct_map(loaded->base);
		module->size_bytes = loaded->size_bytes;
	}
}

const struct module *module_find(const char *name)
{
	for (unsigned i = 0; i < module_count; i++)
		if (strcmp(modules[i].name, name) == 0)
			return &modules[i];
	return NULL;
}

const struct module *module_next(const struct module *module)
{
	unsigned next = module ? (unsigned)(module - modules) + 1 : 0;

	return next < module_count ? &modules[next] : NULL;
}
