#!/usr/bin/env bash
# The breakpoints that README names for the lab mem-virtual-objects, in the order of one
# fault, and what gdb shows at each.
set -u
cd "$(dirname "$0")/../.." || exit 1
unset APPEND RUN TRACE SEED QEMU_CPU ACCEL BIOS CDROM MAKEFLAGS
gdb=${GDB:-gdb}
if ! command -v "$gdb" >/dev/null; then
	echo "1..0 # SKIP without $gdb"
	exit 0
fi
image=${DEBUG_IMAGE-build/debug/quire.elf}
if [ ! -f "$image" ]; then
	echo "1..0 # SKIP without the debug build, which README asks for"
	exit 0
fi
mkdir -p build/test
files=$(mktemp -d build/test/labs-gdb.XXXXXX)
trap 'rm -rf "$files"' EXIT

printf './mem-virtual-objects\n4\n4\n4\n^D\npoweroff 7\n' >"$files/script"
cat >"$files/commands" <<'END'
set width 0
echo \n
break modify_object
break signal_fault
break handle_obj_fault
break make_room
break jump_to
continue
print vir_obj_tab[vir_obj_id]
continue
print reason
continue
backtrace
continue
continue
delete
continue
END
printf '#!/bin/sh\nexec %s -nx "$@" -batch -x %s/commands\n' "$gdb" "$files" >"$files/gdb"
chmod +x "$files/gdb"
KERNEL=$image MEM=64M CPUS=2 TIMEOUT=60 QUIET=1 \
	ICOUNT=1 GDB=$files/gdb SCRIPT=$files/script LOG=$files/log \
	tests/tools/boot debug >"$files/said" 2>&1 </dev/null
status=$?
count=0

# follows NAME PATTERN: the next line that matches, after that of the test before
at=1
follows() {
	local line
	count=$((count + 1))
	line=$(tail -n +"$at" "$files/said" | grep -nEm 1 "$2" | cut -d: -f1)
	if [ -n "$line" ]; then
		at=$((at + line))
		echo "ok $count - $1"
	else
		echo "not ok $count - $1: no line like '$2' after line $at of:"
		sed 's/^/# /' "$files/said"
	fi
}

follows 'modify_object is called' '^Thread .* hit Breakpoint 1[,.]'
follows 'the object is absent' '^\$1 = .*0x0$'
follows 'the kernel asks for a handler' '^Thread .* hit Breakpoint 2[,.]'
follows 'of a bad address' '^\$2 = FAULT_BAD_ADDRESS'
follows 'the handler is called' '^Thread .* hit Breakpoint 3[,.]'
follows 'above the fault' '^#[0-9]+ +.*fault_handle'
follows 'above a trap' '^#[0-9]+ +<signal handler called>'
follows 'above the access' '^#[0-9]+ +.*(print|modify)_object'
follows 'a place is looked for' '^Thread .* hit Breakpoint 4[,.]'
follows 'it jumps back' '^Thread .* hit Breakpoint 5[,.]'
count=$((count + 1))
if grep -q '^vir_obj_tab\[4\] = (4, 4)' "$files/log" && [ $status = 7 ]; then
	echo "ok $count - and the session ends as ever"
else
	echo "not ok $count - status $status, the console's end:"
	tail -n 10 "$files/log" | sed 's/^/# /'
fi
echo "1..$count"
