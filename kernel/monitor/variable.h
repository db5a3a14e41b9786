/*
 * variable.h: `NAME = COMMAND`, `$NAME`, `$NAME+OFFSET` and `$?`.
 */
#pragma once

#include "lib/types.h"

#define VARIABLE_NAME_BYTES 32
#define VARIABLE_MAX 256
#define VARIABLE_VALUE_BYTES 256

/* The length of the name that a text begins with: letters, digits and _, no digit first; or 0. */
size_t variable_name_length(const char *text);

/* 0, -ENOSPC for too many, -E2BIG for a name or value that is too long; then it is unset. */
int variable_set(const char *name, size_t name_length, const char *value) MUST_CHECK;
void variable_unset(const char *name, size_t name_length);

void variable_set_status(int status);

/*
 * Copies a line with every $NAME replaced. A $ that no name follows stands for
 * itself. 0; -EINVAL for a name that is unset, a value that is no number where an
 * offset follows, or a sum beyond 64 bits; -E2BIG if it does not fit. After an
 * error *problem is the place in the line.
 */
int variable_expand(const char *line, char *expanded, size_t size_bytes,
		    const char **problem) MUST_CHECK;
