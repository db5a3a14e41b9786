#!/bin/sh
# The in-kernel tests, release build. FILTER chooses among them.
exec "$(dirname "$0")/../tools/kernel-test" release
