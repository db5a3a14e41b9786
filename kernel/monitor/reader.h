/*
 * reader.h: lines of input: from the script while there is one, else typed.
 */
#pragma once

#include "kernel/config.h"
#include "lib/types.h"

struct module;
struct process;

/* Once, at boot. */
void reader_init(void);

/* From now on lines come from the file; the console is in script mode until it ends. */
void reader_open_script(const struct module *script);

#define READER_END 1

/*
 * The next command line, at the prompt, into line[LINE_MAX_BYTES + 1]. 0; READER_END
 * at the end of the script or of the input; -EINTR for a line given up by
 * Ctrl-C; -E2BIG for one too long; -EINVAL for one with a control character.
 */
int reader_command(char *line) MUST_CHECK;

/* A line for the program in the foreground; as process_read_hook. */
int reader_program_line(struct process *process, char *line, size_t size_bytes) MUST_CHECK;
