/*
 * probe.h: is an address mapped? For readers that must not fault: a backtrace,
 * and tables at addresses that firmware gave.
 */
#pragma once

#include "lib/types.h"

/*
 * True if every byte of [address, address + size_bytes) can be read through
 * the root loaded on this CPU. Walks its tables by hand, through the direct
 * map; takes no lock, so it is certain only of what nobody unmaps meanwhile.
 */
bool probe_mapped(vaddr_t address, uint64_t size_bytes);
