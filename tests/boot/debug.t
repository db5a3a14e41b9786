#!/bin/sh
# The in-kernel tests, debug build. FILTER chooses among them.
exec "$(dirname "$0")/../tools/kernel-test" debug
