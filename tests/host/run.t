#!/bin/sh
# Builds the host tests into build/host/ (HOST_CC, by default gcc, with
# AddressSanitizer and UndefinedBehaviorSanitizer) and runs them: TAP.
# FILTER=glob chooses tests by "suite.name", SEED=n seeds the random ones.
cd "$(dirname "$0")/../.." || exit 1
out=build/host/tests
mkdir -p "$out" || exit 1

flags="-std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
	-fno-omit-frame-pointer -I. -include tests/host/rename.h -Wall -Wextra -Werror
	-Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wundef -Wvla"
sources="lib/*.c kernel/programs/replay_*.c kernel/options.c
	kernel/mm/memory_map.c kernel/mm/ghost.c
	kernel/monitor/line_editor.c kernel/monitor/script.c kernel/monitor/variable.c
	tests/host/pages.c tests/host/host_test.c tests/host/test_*.c"

compile='object=$1/$(echo "$2" | tr / -).o; shift; source=$1; shift
	exec ${HOST_CC:-gcc} "$@" -c "$source" -o "$object"'
rm -f "$out"/*.o
# shellcheck disable=SC2086 # words and globs are meant to be split
if ! printf '%s\n' $sources | xargs -P 4 -I '{}' sh -c "$compile" sh "$out" '{}' $flags >&2 ||
	! ${HOST_CC:-gcc} -fsanitize=address,undefined "$out"/*.o -o "$out/run" >&2
then
	echo "Bail out! the host tests do not compile"
	exit 1
fi
exec "$out/run"
