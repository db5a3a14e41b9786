#!/usr/bin/env bash
# gdb's commands: `make debug` and `make attach` in batch mode, and what the commands of
# tests/tools/gdb print of a paused quire, beside what its own console has printed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap
unset CPUS APPEND RUN TRACE SEED QEMU_CPU ACCEL BIOS CDROM MAKEFLAGS
export KERNEL=${RELEASE_IMAGE:-${DEBUG_IMAGE:-build/quire.elf}}
export MEM=64M CPUS=2 TIMEOUT=60 QUIET=1
gdb=${GDB:-gdb}
if ! command -v "$gdb" >/dev/null; then
	echo "1..0 # SKIP without $gdb"
	exit 0
elif ! "$gdb" -nx -batch -ex 'python pass' >/dev/null 2>&1; then
	echo "1..0 # SKIP $gdb has no Python"
	exit 0
fi
mkdir -p build/test
files=$(mktemp -d build/test/gdb.XXXXXX)
trap 'rm -rf "$files"' EXIT

# ---- make debug: checks.py, inside gdb, prints a test a line ------------------------

cat >"$files/script" <<'END'
p = spawn worker
a = as $p malloc 64K
as $p fill $a 64K 7
limit 8
as $p load $a
b = as $p malloc 12K
policy lru-exact
as $p load $a+0x2000
as $p load $a+0x3000
q = spawn worker
c = as $q malloc 8K
pt $p $a
pt $p $a+0x1000
pt $p $a+0x2000
pt $p $b+0x1000
pt $p 0x400000
pt $p 0x123456789000
lru
policy clock
lru
swap
ps
frames
locks
poweroff 5
END

# gdb as `make debug` starts it, but in batch mode.
cat >"$files/gdb" <<END
#!/bin/sh
exec $gdb -nx "\$@" -batch -x tests/boot/gdb-checks.py
END
chmod +x "$files/gdb"

export QUIRE_LOG=$files/debug.log
GDB=$files/gdb SCRIPT=$files/script LOG=$QUIRE_LOG ICOUNT=1 \
	tests/tools/boot debug >"$files/said" 2>&1 </dev/null
grep -E '^((not )?ok |#  )' "$files/said"
count=$(grep -cE '^(not )?ok ' "$files/said")

grep -q '^# all checks ran' "$files/said"
verdict 'make debug: all checks ran' || tail -n 20 "$files/said" | sed 's/^/# /'

# ---- make attach: a quire that runs goes on when gdb leaves ---------------------------

join() { # join ELF GDB-ARGUMENT...: what gdb says in $said
	local elf=$1
	shift
	said=$(GDB=$gdb tests/tools/attach "$elf" "$files/gdb.sock" -nx -batch "$@" 2>&1 </dev/null)
}

mkfifo "$files/keys"
GDB_SOCKET=$files/gdb.sock LOG=$files/log tests/tools/boot run <"$files/keys" >/dev/null 2>&1 &
quire=$!
exec 8>"$files/keys"
printf 'spawn worker\n' >&8
for ((tries = 0; tries < 300; tries++)); do
	grep -qs '^pid 1' "$files/log" && break
	sleep 0.1
done
join "$KERNEL" -ex 'vm image' -ex 'vm ps' -ex 'break swap_write'
[[ $said == *"quire: symbols of ${KERNEL#./}."* ]] &&
	[[ $said == *$'\n    1 running       1 '*' worker'$'\n'* ]] && [[ $said == *detached* ]]
verdict 'make attach: joins a quire that runs' || printf '%s\n' "$said" | sed 's/^/# /'
cp "$KERNEL" "$files/other.elf"
printf '\220' | dd of="$files/other.elf" bs=1 seek=8192 conv=notrunc 2>/dev/null
join "$files/other.elf" -ex 'vm image'
[[ $said == *'quire: warning: the machine runs another image than '* ]]
verdict 'make attach: warns of another image' || printf '%s\n' "$said" | sed 's/^/# /'
printf 'limit 4\na = as 1 malloc 64K\nas 1 fill $a 64K 3\nas 1 verify $a 64K 3\npoweroff 9\n' >&8
exec 8>&-
wait $quire
[ $? = 9 ] && tail -n 2 "$files/log" | grep -q '^ok'
verdict 'make attach: quire goes on when gdb leaves' || tail -n 5 "$files/log" | sed 's/^/# /'

said=$(GDB=no-gdb tests/tools/attach 2>&1)
[[ $? = 2 && $said == 'quire: no-gdb is missing: run'* ]]
verdict 'make attach: says that gdb is missing'
echo "1..$count"
