/*
 * module.h: the modules that the loader brought, by name: constant bytes in
 * memory. Programs see them as files that cannot be written (file.h).
 *
 * A module labelled `trace NAME` has the name NAME and is a trace; any other
 * one has its label for a name, or `module3` without one.
 */
#pragma once

#include "arch/x86_64/boot_info.h"
#include "kernel/config.h"
#include "lib/types.h"

struct module {
	char name[FILE_NAME_BYTES];
	const char *data; /* in the direct map; no NUL at the end */
	uint64_t size_bytes;
	bool is_trace;
};

/* Boot: names the modules; what info points to must stay. */
void module_init(const struct boot_info *info);

/* The first module of that name, or NULL. */
const struct module *module_find(const char *name);

/* The module after `module`, the first one for NULL; NULL at the end. In the loader's order. */
const struct module *module_next(const struct module *module);
