#!/usr/bin/env bash
# What is a bug of the kernel's own is a panic that names it, and status 3.
# Debug builds have a command that provokes each.
set -u
cd "$(dirname "$0")/../.." || exit 1
unset MEM APPEND RUN TRACE ICOUNT SEED QEMU_CPU
export KERNEL=${DEBUG_IMAGE-build/debug/quire.elf} CPUS=${CPUS:-2} TIMEOUT=${TIMEOUT:-60} QUIET=1
if [ -z "$KERNEL" ]; then
	echo "1..0 # SKIP DEBUG=${DEBUG:-} leaves the debug build out"
	exit 0
fi
mkdir -p build/test
export SCRIPT=build/test/panic.script LOG=build/test/panic.log
count=0

panics() { # panics NAME PATTERN: of the line that begins with `panic: `
	local said status
	count=$((count + 1))
	printf 'provoke %s\n' "$1" >"$SCRIPT"
	said=$(tests/tools/boot run 2>&1 </dev/null | tr -d '\0')
	status=$(sed -n 's/^quire: status //p' <<<"$said")
	if [ "$status" = 3 ] && grep -Eq "^panic: $2\$" <<<"$said" &&
		grep -q '^#0 ' <<<"$said"; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1: expected status 3 and 'panic: $2'," \
			"observed status $status"
		tail -n 20 <<<"$said" | sed 's/^/# /'
	fi
}

panics frame_twice 'frame [0-9]+ is free, not .*'
panics frame_of_ramdisk 'frame [0-9]+ is ramdisk, not .*'
panics frame_reserved 'frame [0-9]+ is reserved, not .*'
panics frame_beyond_ram 'frame [0-9]+ is not RAM: .*'
panics slot_twice 'swap slot [0-9]+ is freed but not in use'
panics slot_beyond_swap 'swap slot 2147483647 is freed but not in use'
panics null_in_the_kernel 'page fault at 0x0000000000000008 in a kernel thread'
panics fault_with_a_lock 'page fault at 0x0000000000000008 with lock test held .*'
panics fault_with_interrupts_off 'page fault at 0x0000000000000008 with interrupts off'
panics write_to_text 'page fault at 0xffffffff[0-9a-f]+ in a kernel thread'
panics reserved_bit 'a reserved bit is set in the page-table entry [0-9a-f]{16} of 0x[0-9a-f]{16}'
panics fault_inside_a_service 'page fault at 0x0000000000000008 \(bad-address\) in the kernel'
panics lock_order 'lock test .* is taken inside lock swap .*: out of order'
panics lock_twice 'lock test .*(taken inside lock test|taken twice).*'
panics lock_not_held 'lock swap is released but was not held'
panics stack_overflow 'double fault, last page fault at 0xffffc0[0-9a-f]{10}'
panics canary 'assertion failed: .*canary.*'
panics bad_instruction 'invalid opcode in the kernel'
panics failed_assertion 'assertion failed: frame_limit == 0, .*provoke.*'
echo "1..$count"
