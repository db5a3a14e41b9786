/*
 * file_internal.h: between the names of files (file.c) and the descriptors of
 * processes (descriptor.c).
 */
#pragma once

#include "kernel/fs/file.h"
#include "lib/types.h"

struct process;

/* Finds or makes the file as the flags say; its object with a reference. 0 or an error of open. */
int file_open_object(const char *name, int flags, struct object **object) MUST_CHECK;

/* Takes the name away. 0, -ENOENT, -EROFS. */
int file_remove(const char *name) MUST_CHECK;

/* A new process gets another's open files, at their offsets. 0 or -ENOMEM. */
int descriptors_inherit(struct process *child, struct process *parent) MUST_CHECK;

/* The process's open files are closed, and the table goes. */
void descriptors_close(struct process *process);
