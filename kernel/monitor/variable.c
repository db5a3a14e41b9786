/*
 * variable.c: see variable.h. A table in the order of first use. Only the
 * monitor's thread comes here; no locks.
 */
#include "kernel/monitor/variable.h"

#include "lib/errno.h"
#include "lib/format.h"
#include "lib/number.h"
#include "lib/string.h"

#define OFFSET_BYTES 32 /* of the digits behind a + */

struct variable {
	bool is_set;
	char name[VARIABLE_NAME_BYTES];
	char value[VARIABLE_VALUE_BYTES];
};

static struct variable variables[VARIABLE_MAX];
static unsigned variable_count;
static int last_status;

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

size_t variable_name_length(const char *text)
{
	size_t length = 0;

	if (is_digit(*text))
		return 0;
	while (is_name(text[length]))
		length++;
	return length;
}

static struct variable *find(const char *name, size_t name_length)
{
	for (unsigned i = 0; i < variable_count; i++)
		if (strncmp(variables[i].name, name, name_length) == 0 &&
		    variables[i].name[name_length] == '\0')
			return &variables[i];
	return NULL;
}

int variable_set(const char *name, size_t name_length, const char *value)
{
	struct variable *variable;

	if (name_length >= VARIABLE_NAME_BYTES)
		return -E2BIG;
	variable = find(name, name_length);
	if (!variable) {
		if (variable_count == VARIABLE_MAX)
			return -ENOSPC;
		variable = &variables[variable_count++];
		(void)string_copy(variable->name, name, name_length + 1);
	}
	variable->is_set = string_copy(variable->value, value, sizeof(variable->value)) <
			   sizeof(variable->value);
	return variable->is_set ? 0 : -E2BIG;
}

void variable_unset(const char *name, size_t name_length)
{
	struct variable *variable;

	if (name_length >= VARIABLE_NAME_BYTES)
		return;
	variable = find(name, name_length);
	if (variable)
		variable->is_set = false;
}

void variable_set_status(int status)
{
	last_status = status;
}

/* Where the text grows. */
struct output {
	char *at, *end;
};

static int put(struct output *output, const char *text, size_t count)
{
	if (count >= (size_t)(output->end - output->at))
		return -E2BIG;
	memcpy(output->at, text, count);
	output->at += count;
	return 0;
}

/* Puts value + OFFSET; *line stands behind the plus and is moved behind the offset. */
static int put_sum(struct output *output, const char *value, const char **line)
{
	char offset[OFFSET_BYTES], sum[24];
	uint64_t base, result;
	int64_t number;
	size_t length = **line == '-' ? 1 : 0;

	while (is_name((*line)[length]))
		length++;
	if (length >= sizeof(offset))
		return -EINVAL;
	(void)string_copy(offset, *line, length + 1);
	if (number_parse_u64(value, &base) != 0 ||
	    number_parse_size(offset, INT64_MIN, INT64_MAX, &number) != 0)
		return -EINVAL;
	if (number >= 0 ? __builtin_add_overflow(base, (uint64_t)number, &result)
			: __builtin_sub_overflow(base, -(uint64_t)number, &result))
		return -EINVAL;
	*line += length;
	return put(output, sum, (size_t)format(sum, sizeof(sum), "0x%lx", result));
}

/* +4 or +-4 or +0x10 */
static bool is_offset(const char *line)
{
	return line[0] == '+' && is_digit(line[1] == '-' ? line[2] : line[1]);
}

/* *line stands at a $ that something to be replaced follows; moved behind it. */
static int put_variable(struct output *output, const char **line)
{
	const char *name = *line + 1;
	size_t length = variable_name_length(name);
	const struct variable *variable;
	char status[16];

	if (*name == '?') {
		*line += 2;
		return put(output, status,
			   (size_t)format(status, sizeof(status), "%d", last_status));
	}
	variable = find(name, length);
	if (!variable || !variable->is_set)
		return -EINVAL;
	*line = name + length;
	if (is_offset(*line)) {
		(*line)++;
		return put_sum(output, variable->value, line);
	}
	return put(output, variable->value, strlen(variable->value));
}

int variable_expand(const char *line, char *expanded, size_t size_bytes, const char **problem)
{
	struct output output = { .at = expanded, .end = expanded + size_bytes };
	int error = 0;

	while (*line != '\0' && error == 0) {
		*problem = line;
		if (*line == '$' && (line[1] == '?' || variable_name_length(line + 1) > 0))
			error = put_variable(&output, &line);
		else
			error = put(&output, line++, 1);
	}
	*output.at = '\0';
	return error;
}
