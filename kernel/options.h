/*
 * options.h: the kernel's command line, as struct options: KEY=VALUE words,
 * quoted like a shell's (lib/words.h).
 *
 *   cpus=N          CPUs to start                    all there are
 *   frames=N        resident limit                   none
 *   swap=SIZE       bytes of swap                    three quarters of RAM
 *   policy=NAME     replacement policy               lru
 *   neighbours=N    pages that a first touch maps    16; 1: the touched one alone
 *   seed=N          of whatever is random            0: the built-in seeds
 *   run="PROGRAM ARGS"                               none
 *   script=MODULE   console commands to run          none
 *   bug=NAME        the planted bug to switch on     none
 *   then=console|poweroff  after run and script      poweroff after a script
 */
#pragma once

#include "kernel/config.h"
#include "lib/types.h"

#define OPTIONS_NAME_BYTES 64
#define OPTIONS_SWAP_DEFAULT UINT64_MAX

enum options_then { THEN_DEFAULT, THEN_CONSOLE, THEN_POWEROFF };

struct options {
	unsigned cpus;       /* 1 .. CPU_MAX */
	uint64_t frames;     /* UINT64_MAX: no limit */
	uint64_t swap_bytes; /* OPTIONS_SWAP_DEFAULT: not said */
	unsigned neighbours; /* 1 .. NEIGHBOURS_MAX */
	uint64_t seed;
	enum options_then then;
	char policy[OPTIONS_NAME_BYTES]; /* "" where not said; not looked up here */
	char bug[OPTIONS_NAME_BYTES];
	char script[OPTIONS_NAME_BYTES];
	char run[LINE_MAX_BYTES + 1];
	unsigned warning_count; /* all of them */
	/* The first ones, each a line "command line: ..." with its newline. */
	char warnings[OPTIONS_WARNING_BYTES];
};

/*
 * Reads a command line of any length and content; NULL is an empty one. What
 * cannot be used is named in a warning and has its default value; of a key
 * given twice the last good value counts. Pure: no memory beside *options is
 * written, nothing sleeps.
 */
void options_parse(struct options *options, const char *line, size_t line_bytes);

/* Adds a warning of the same form, for what turns out later (no such policy). */
void options_warn(struct options *options, const char *format, ...) PRINTF_LIKE(2, 3);
