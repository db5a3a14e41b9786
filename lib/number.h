/*
 * number.h: numbers as a person types them: decimal (perhaps negative) or 0x
 * hexadecimal. The whole text must be the number; nothing wraps, ever.
 *
 * Each returns 0 and sets *value, or leaves *value alone and returns -EINVAL for
 * what is no number or -ERANGE for one outside [min, max] (a NULL text is
 * -EINVAL). Never sleeps, takes no lock.
 */
#pragma once

#include "lib/types.h"

MUST_CHECK int number_parse(const char *text, int64_t min, int64_t max, int64_t *value);

/* Also takes one suffix K, M or G, upper or lower case: times 1024, 1024^2, 1024^3. */
MUST_CHECK int number_parse_size(const char *text, int64_t min, int64_t max, int64_t *value);

/* All of 64 bits, for addresses and values; a negative number is -ERANGE. */
MUST_CHECK int number_parse_u64(const char *text, uint64_t *value);
