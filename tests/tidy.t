#!/bin/sh
# `make tidy` as a test: layers, sizes, words, headers.
cd "$(dirname "$0")/.." || exit 1
echo 1..1
if found=$(tests/tools/tidy); then
	echo "ok 1 - the sources are tidy"
else
	echo "not ok 1 - the sources are tidy"
fi
[ -z "$found" ] || printf '%s\n' "$found" | sed 's/^/# /'
