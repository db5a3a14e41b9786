/*
 * file.h: files: the modules that the loader brought, by name, read-only.
 *
 * A module labelled `trace NAME` is the file NAME and a trace; any other one is
 * the file of its label, or `module3` without one.
 */
#pragma once

#include "arch/x86_64/boot_info.h"
#include "lib/types.h"

#define FILE_NAME_BYTES 256

struct file {
	char name[FILE_NAME_BYTES];
	const char *data; /* in the direct map; no NUL at the end */
	uint64_t size_bytes;
	bool is_trace;
};

/* Boot: names the modules; what info points to must stay. */
void file_init(const struct boot_info *info);

/* The first file of that name, or NULL. */
const struct file *file_find(const char *name);

/* The file after `file`, the first one for NULL; NULL at the end. In the loader's order. */
const struct file *file_next(const struct file *file);
