#!/usr/bin/env bash
# Short runs of `make stress`, by a count of operations and with counted instructions, so that
# each is the same every time: one without complaint, twice alike; one that must find a
# planted bug; and settings that must be refused.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap
unset MEM APPEND RUN TRACE SCRIPT QEMU_CPU ACCEL MAKEFLAGS BUG DEBUG MINUTES FRAMES CPUS SEED
debug=
if [ -z "${RELEASE_IMAGE-release}" ]; then
	debug=1
fi
export ICOUNT=1 OPERATIONS=8000 TIMEOUT=300 QUIET=1
mkdir -p build/test
[ -f build/${debug:+debug/}quire.elf ] || make -s -j2 DEBUG=$debug >&2

run() { # run FOLDER [SETTING...]: sets $said and $status
	said=$(KERNEL=$1/${debug:+debug/}quire.elf env LOG=build/test/stress.log "${@:2}" \
		tests/tools/stress 2>&1)
	status=$?
}

refused() { # refused SETTING
	run build "$1"
	[ $status = 2 ] && [[ $said == "quire: $1: "* && $said != *$'\n'* ]]
	result "$1 is refused"
}

run build SEED=1
[ $status = 0 ] && [[ $said == *$'\n''check: ok '* ]]
result '8,000 operations on 4 CPUs'
first=$said
run build SEED=1
[ "$said" = "$first" ]
result 'the same seed, the same run'
run build SEED=2
[ $status = 0 ] && [ "$(grep ^digest <<<"$said")" != "$(grep ^digest <<<"$first")" ]
result 'another seed, another run'

if [ -z "$debug" ] && [ -n "${DEBUG_IMAGE-}" ]; then
	debug=1
	run build SEED=3
	debug=
	[ $status = 0 ] && [[ $said == *$'\n''check: ok '* ]]
	result 'lock ranks and assertions of the debug build hold'
fi

if said=$(make -s -j2 DEBUG=$debug BUG=lose-dirty 2>&1); then
	run build/bug-lose-dirty
	[ $status = 1 ] && grep -q '^mismatch: seed 1 operation' <<<"$said"
fi
result 'lose-dirty is found'

refused SEED=x
refused CPUS=17
OPERATIONS='' refused MINUTES=0
OPERATIONS='' refused MINUTES=1.5
refused OPERATIONS=0
echo "1..$count"
