#!/usr/bin/env bash
# What `make run` does with its variables: bad ones are one line of error and status 2.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap
unset CPUS MEM APPEND RUN SCRIPT TRACE ICOUNT SEED QEMU_CPU ACCEL TIMEOUT LOG
export KERNEL=${RELEASE_IMAGE:-${DEBUG_IMAGE:-build/quire.elf}}
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT

refuses() { # refuses MESSAGE-PATTERN SETTING...
	local pattern=$1 said status
	shift
	said=$(env "$@" tests/tools/boot run 2>&1 </dev/null)
	status=$?
	[ $status = 2 ] && [[ $said == quire:\ $pattern && $said != *$'\n'* ]]
	verdict "refuses $*" || printf '# status %s: %s\n' $status "$said"
}

# ends STATUS SCRIPT-TEXT SETTING...: the run's status, and its output in $said
ends() {
	local expected=$1 status
	printf '%b' "$2" >"$files/a script, with a comma"
	shift 2
	said=$(env QUIET=1 LOG="$files/log" SCRIPT="$files/a script, with a comma" TIMEOUT=60 "$@" \
		tests/tools/boot run 2>&1 </dev/null)
	status=$?
	[ $status = "$expected" ] && return
	printf '# status %s, not %s\n' $status "$expected"
	printf '%s\n' "$said" | tail -n 10 | sed 's/^/# /'
	return 1
}

refuses 'CPUS=0:*' CPUS=0
refuses 'CPUS=two:*' CPUS=two
refuses 'CPUS=-1:*' CPUS=-1
refuses 'MEM=12q:*' MEM=12q
refuses 'MEM=0:*' MEM=0
refuses 'MEM=99999999999999999999G:*' MEM=99999999999999999999G
refuses 'TIMEOUT=0:*' TIMEOUT=0
refuses 'TIMEOUT=1s:*' TIMEOUT=1s
refuses 'SEED=-1:*' SEED=-1
refuses 'ICOUNT=2:*' ICOUNT=2
refuses 'ICOUNT=1 needs*' ICOUNT=1 ACCEL=kvm
refuses 'SCRIPT=none:*' SCRIPT=none
refuses 'TRACE=none:*' TRACE=none
refuses 'TRACE=lib:*' TRACE=lib
refuses 'TRACE=none:*' "TRACE=Makefile,none"
refuses 'no-qemu is missing: run*' QEMU=no-qemu

ends 0 'meminfo\n'
verdict 'a script powers off at its end, whatever its path holds'
ends 0 'poweroff\n' CPUS=1 MEM=64M ICOUNT=1 SEED=0x7 QEMU_CPU=qemu64
verdict 'every setting at once'
ends 7 'poweroff 7\n' && [[ $said == *$'\n''quire: status 7' ]]
verdict "the guest's status is the last line"
ends 1 'strict\nno-such-command\n'
verdict 'strict ends with status 1'
said=$(sleep 9 | LOG="$files/log" TIMEOUT=1 tests/tools/boot run 2>&1)
# (On a busy machine the guest may not have said a word by then.)
[[ $'\n'$said == *$'\n''quire: status 124' ]]
verdict 'TIMEOUT ends it with status 124'
ends 125 '' QEMU_CPU=no-such-cpu
verdict 'a QEMU that cannot run is status 125'

programs="worker $(sed -n 's/^PROGRAM([a-z_]*, "\([^"]*\)".*/\1/p' kernel/programs/*.c \
	kernel/programs/labs/lib/*.c)"
# shellcheck disable=SC2086 # one word each
ends 0 "strict\n$(printf 'help %s\\n' $programs)" && [[ $programs == *mem-prod-cons* ]] &&
	[[ $said == *$'\n''demo: '* && $said == *$'\n''mem-prod-cons [producers=N]'* ]]
verdict 'help of each program'
ends 1 'strict\nhelp no-such-program\n'
verdict 'help of what there is not'

said=$(printf 'meminfo\n' | LOG="$files/log" TIMEOUT=60 tests/tools/boot run 2>&1; echo " $?")
[[ $said == *'quire> '*' 0' ]] && [ "$(printf %s "${said% *}")" = "$(cat "$files/log")" ]
verdict 'a pipe is typed in, its end powers off, and the log is what was printed' ||
	printf '%s\n' "$said" | tail -n 5 | sed 's/^/# /'
echo "1..$count"
