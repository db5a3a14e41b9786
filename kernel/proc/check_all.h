/*
 * check_all.h: the whole check.
 */
#pragma once

#include "kernel/mm/check.h"

/*
 * Closes the gates (services wait at their entry), waits until those inside
 * have left or sleep where nothing is in transit, and verifies every
 * invariant. Returns the one result structure, good until the next call; calls
 * are serialised. May sleep.
 */
const struct check *check_all(void);
