/*
 * glob.h: a shell's patterns: * for any text, ? for any character, [abc],
 * [a-z] and [!abc] for one of a set (or none of it). A [ that nothing closes
 * stands for itself. There is no escape.
 */
#pragma once

#include "lib/types.h"

/* Whether the whole text matches. At worst the product of both lengths, no recursion. */
bool glob_match(const char *pattern, const char *text);
