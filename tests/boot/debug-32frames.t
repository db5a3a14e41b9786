#!/bin/sh
# The in-kernel tests, debug build, on 32 frames for all processes. FILTER chooses among them.
exec "$(dirname "$0")/../tools/kernel-test" debug frames=32
