#!/usr/bin/env bash
# What `make bench-peer` does without QEMU: its table, its archive, the bounds of its
# patterns, and what it says where something is missing.
set -u
cd "$(dirname "$0")/../.." || exit 1

number=0 failed=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

check() { # check NAME EXPECTED OBSERVED
	number=$((number + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $number - $1"
	else
		failed=1
		printf 'not ok %s - %s\n# expected %q\n# observed %q\n' "$number" "$1" "$2" "$3"
	fi
}

# ---- The table ---------------------------------------------------------------------------

printf 'bench %s\n' 'first-touch 3000 instructions' 'copy-on-write 9 instructions' \
	'major-fault-zipf.mglru.faults 3000 count' >"$scratch/linux"
printf 'bench %s\n' 'first-touch 400 instructions' 'major-fault-zipf.faults 1500 count' \
	>"$scratch/quire"
printf 'bench zipf.%s count\n' 'lru 14468' 'opt 4894' >"$scratch/bounds"
table=$(tests/peer/table "$scratch/bounds" max "$scratch/linux" "$scratch/quire")
words() { grep -m 1 "^$1" <<<"$table" | tr -s ' '; }
check "a ratio is Linux's figure over quire's" \
	"first touch of a page 3,000 400 7.5 a" "$(words 'first touch')"
check "a figure that is not there is a dash" \
	"copy-on-write fault 9 - - ai" "$(words 'copy-on-write')"
check "so are both" "null system call - - - e" "$(words 'null system')"
check "faults are compared too" "zipf, MGLRU 3,000 1,500 2.000 gh" \
	"$(grep '^zipf, MGLRU' <<<"$table" | sed -n 2p | tr -s ' ')"
check "the bounds are told" 1 "$(paste -sd' ' <<<"$table" | tr -s ' ' |
	grep -c 'zipf 14,468 and 4,894')"

# ---- The patterns ------------------------------------------------------------------------

# shellcheck disable=SC2046 # a word each
bounds=$(tests/peer/model $(tests/peer/table --patterns))
check "sweeps: LRU misses each time, OPT every second time" \
	"bench sequential.lru 49152 count bench sequential.opt 24576 count" \
	"$(head -n 2 <<<"$bounds" | paste -sd' ')"
check "uniform: half of the references miss, give or take a hundredth" yes \
	"$(awk '$2 == "uniform.lru" && $3 > 32440 && $3 < 33096 { print "yes" }' <<<"$bounds")"
check "Zipf: the head is what it is to be, the 128 first pages of 16,384 have half" yes \
	"$(build/peer/pattern-trace zipf | tail -n +16385 | sort | uniq -c | sort -rn |
		awk '{ all += $1 } NR <= 128 { head += $1 }
			END { if (head > .50 * all && head < .55 * all) print "yes"
			      else print head / all }')"

# ---- The archive -------------------------------------------------------------------------

printf 'five\n' >"$scratch/file"
tests/peer/archive "init=$scratch/file" >"$scratch/archive"
check "the archive ends where its last entry does" 0 $(($(wc -c <"$scratch/archive") % 4))
if command -v cpio >/dev/null; then
	check "cpio reads it" "dev dev/console init" \
		"$(cpio -t <"$scratch/archive" 2>/dev/null | paste -sd' ')"
else
	number=$((number + 1))
	echo "ok $number - cpio reads it # SKIP cpio is missing"
fi
tests/peer/archive init >/dev/null 2>"$scratch/said"
check "an argument that is none is an error" \
	"quire: archive: NAME=FILE, not 'init'" "$(cat "$scratch/said")"

# ---- What is missing ---------------------------------------------------------------------

said=$(QEMU=no-such-qemu tests/peer/run 2>&1)
check "without QEMU, status 2" 2 $?
check "and one line" "quire: bench-peer: no-such-qemu is missing: run 'make setup' (package \
qemu-system-x86)" "$said"

for setting in MEM=banana MEM=64M ICOUNT=2; do
	said=$(env "$setting" tests/peer/run 2>&1)
	check "$setting, status 2" 2 $?
	check "and one line" "1 quire: bench-peer: $setting: " \
		"$(wc -l <<<"$said") ${said%%"${said#*"$setting: "}"}"
done

mkdir "$scratch/bin"
for tool in bash dirname mkdir perl gcc cat sed head rm; do
	ln -s "$(command -v $tool)" "$scratch/bin/$tool"
done
ln -s /bin/true "$scratch/bin/qemu"
printf '#!/bin/sh\nexit 0\n' >"$scratch/bin/dpkg-deb"
chmod +x "$scratch/bin/dpkg-deb"
said=$(PATH=$scratch/bin QEMU=qemu CC=gcc PEER_OUT=$scratch/out tests/peer/run 2>&1)
check "without apt, status 2" 2 $?
check "and one line" \
	"quire: bench-peer: apt-get is missing, which fetches Debian's linux-image-cloud-amd64" \
	"$said"
printf '#!/bin/sh\nexit 0\n' >"$scratch/bin/apt-get"
cp "$scratch/bin/apt-get" "$scratch/bin/apt-cache"
chmod +x "$scratch/bin/apt-get" "$scratch/bin/apt-cache"
said=$(PATH=$scratch/bin QEMU=qemu CC=gcc PEER_OUT=$scratch/out tests/peer/run 2>&1)
check "without the package, status 2" 2 $?
check "and one line" "quire: bench-peer: apt knows no package linux-image-cloud-amd64: this needs \
Debian, and 'apt-get update' before" "$said"
printf '#!/bin/sh\necho "  Depends: linux-image-6.1.0-1"\n' >"$scratch/bin/apt-cache"
printf '#!/bin/sh\necho Err:1\necho "E: no network"; exit 100\n' >"$scratch/bin/apt-get"
said=$(PATH=$scratch/bin QEMU=qemu CC=gcc PEER_OUT=$scratch/out tests/peer/run 2>&1)
check "without a network, status 2" 2 $?
check "and one line" \
	"quire: bench-peer: linux-image-6.1.0-1 cannot be fetched: E: no network" "$said"

echo "1..$number"
exit $failed
