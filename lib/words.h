/*
 * words.h: cuts a line into words, in place. Blanks (space, tab, CR, LF)
 * separate words. Never sleeps, takes no lock.
 */
#pragma once

#include "lib/types.h"

/*
 * With a shell's quoting: "..." keeps blanks, and in it a backslash quotes only
 * " \ $ and `; '...' keeps everything; a backslash outside quotes any character;
 * quotes may begin inside a word (run="a b"), and "" alone is an empty word.
 * Returns the count of words, -E2BIG for more than max, or -EINVAL for a quote
 * (or a backslash at the end) that nothing follows. After an error the line's
 * text is in pieces.
 */
MUST_CHECK int words_split(char *line, char **words, unsigned max);

/*
 * Without quoting, one word at a time: ends the next word of *rest with a NUL,
 * moves *rest to the first non-blank behind it, and returns the word; NULL when
 * there is none. What follows a few words can so be kept as it was typed.
 */
char *word_next(char **rest);
