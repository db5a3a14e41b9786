#!/usr/bin/env bash
# The in-kernel tests of memory with other swaps than the default: none at all,
# one page, a small one; and one that is larger than the machine.
set -u
cd "$(dirname "$0")/../.." || exit 1
unset MEM APPEND RUN TRACE ICOUNT SEED QEMU_CPU
export KERNEL=${RELEASE_IMAGE:-${DEBUG_IMAGE:-build/quire.elf}} CPUS=${CPUS:-2}
export TIMEOUT=${TIMEOUT:-120} QUIET=1
mkdir -p build/test
export SCRIPT=build/test/swap.script LOG=build/test/swap.log
count=0

# boots NAME STATUS COMMAND-LINE SCRIPT PATTERN...: what is said has each pattern as a line
boots() {
	local name=$1 expected=$2 said status=0 missing='' pattern
	count=$((count + 1))
	printf '%b' "$4" >"$SCRIPT"
	said=$(APPEND=$3 tests/tools/boot run 2>&1 </dev/null | tr -d '\0')
	shift 4
	[[ $said =~ $'\n'quire:\ status\ ([0-9]+)$ ]] && status=${BASH_REMATCH[1]}
	for pattern; do
		grep -Eq "^($pattern)\$" <<<"$said" || missing+=" '$pattern'"
	done
	if [ "$status" = "$expected" ] && [ -z "$missing" ] && ! grep -q '^not ok' <<<"$said"; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name: status $status, not said:${missing:- nothing}"
		grep -v '^ok ' <<<"$said" | tail -n 30 | sed 's/^/# /'
	fi
}

memory='strict\ntest malloc.*\ntest free.*\ntest copy.*\ntest fault.*\n'
boots 'no swap' 0 swap=0 "${memory/strict/}"'p = spawn worker\nas $p malloc 1G\ncheck\n' \
	'swap: 0 slots, 0 MiB' 'error: ENOMEM: .*' 'check: ok .*'
boots 'a page of swap' 0 swap=4096 "${memory}check\n" 'swap: 1 slots, 0 MiB' 'check: ok .*'
boots 'a small swap that is full' 0 'swap=1M frames=16' \
	"${memory}test swap.*\ntest sweep.*\n"'test mmap.*\ncheck\n' \
	'swap: 256 slots, 1 MiB' 'check: ok .*'
boots 'a swap larger than RAM' 0 swap=64G 'check\n' \
	'command line: swap= is larger than fits: .*' 'check: ok .*'
boots 'a swap of nonsense' 0 swap=99999999999999999999 'check\n' \
	'command line: swap=9+ is ignored: .*' 'check: ok .*'
boots 'a negative swap' 0 swap=-1 'check\n' 'command line: swap=-1 is ignored: .*' 'check: ok .*'
echo "1..$count"
