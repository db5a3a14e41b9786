/*
 * as_request.h: reads what follows `as` into a request to a worker.
 */
#pragma once

#include "kernel/proc/work.h"

/*
 * Fills in the asker's fields of *work from the line, which is taken apart.
 * 0, or a negative errno after command_fail().
 */
int as_request_parse(struct work *work, char *line) MUST_CHECK;
