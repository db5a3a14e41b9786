#!/bin/sh
# The in-kernel tests, release build, on 32 frames for all processes. FILTER chooses among them.
exec "$(dirname "$0")/../tools/kernel-test" release frames=32
