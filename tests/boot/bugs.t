#!/usr/bin/env bash
# The checkers can fail: each planted bug (kernel/bugs.h) is built and must be caught, by
# `check`, by a mismatch, by an assertion or by a test, in a script that the same kernel
# without the bug ends without complaint, or by a seeded schedule (what those say without a
# bug: schedule/seeds.t). The guest counts instructions: each run is the same every time. A
# bug's build compiles only the files it is in. BUGS="name name" chooses.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap
unset MEM APPEND RUN TRACE SEED QEMU_CPU ACCEL BIOS CDROM MAKEFLAGS BUG DEBUG
# The release build, or the debug build where only that is tested.
debug=
if [ -z "${RELEASE_IMAGE-release}" ]; then
	debug=1
fi
export ICOUNT=1 TIMEOUT=60 QUIET=1
mkdir -p build/test
[ -f build/${debug:+debug/}quire.elf ] || make -s -j2 DEBUG=$debug >&2
complaints='error:|mismatch at|mismatches [1-9]|panic:|fault:|check: [0-9]|not ok|quire: status'
chosen=" ${BUGS:-$(sed -n 's/^\tX("\([a-z-]*\)".*/\1/p' kernel/bugs.h | tr '\n' ' ')} "

boot() { # boot FOLDER [SETTING...]: the script's output
	KERNEL=$1/${debug:+debug/}quire.elf env SCRIPT="$script" LOG="$script.log" "${@:2}" \
		tests/tools/boot run 2>&1 </dev/null | tr -d '\0'
}

# caught BUG PATTERN [SETTING...]: the script on standard input must print a line that
# matches with the bug; without it, neither that nor any other complaint.
caught() {
	local bug=$1 pattern=$2 said
	script=build/test/bug-$bug.script
	cat >"$script"
	[[ $chosen == *" $bug "* ]] || return
	shift 2
	if said=$(make -s -j2 DEBUG=$debug BUG="$bug" 2>&1); then
		said=$(boot "build/bug-$bug" "$@")
		grep -Eq "^$pattern" <<<"$said"
	else
		false
	fi
	result "$bug is caught: ${pattern//\\/}" "$said"
	chosen=${chosen/ $bug / }
	said=$(boot build "$@")
	! grep -Eq "^($complaints|$pattern)" <<<"$said"
	result "without $bug nothing is" "$said"
}

# A program goes back to pages that left: one reference a line, 24 pages on 8 frames. The
# policy is fifo: where lru finds the accessed bit clear, the TLB does not have the page.
pages=build/test/bugs.trace
for round in 1 2 3 4; do
	for page in $(seq 0 23); do
		echo "$page"
		echo $((page * 7 % 24))
	done
done >$pages
caught no-shootdown 'mismatches [1-9]' CPUS=1 TRACE=$pages <<'END'
replay frames=8 policy=fifo
check
END

# A block is freed and taken again: its pages must be new.
caught no-free-shootdown 'not ok 1 work.fresh_pages_are_zero' CPUS=1 <<'END'
test work.fresh_pages_are_zero
END

caught lose-dirty 'mismatch at 0x' CPUS=1 <<'END'
p = spawn worker
a = as $p malloc 64K
limit 8
as $p fill $a 64K 7
as $p verify $a 64K 7
END

caught free-slot-early 'I8: slot [0-9]+ is held but not in use' CPUS=1 <<'END'
p = spawn worker
a = as $p malloc 64K
as $p fill $a 64K 7
limit 8
as $p load $a
check
END

caught lose-slot 'I8: slot [0-9]+ is in use but nobody holds it' CPUS=1 <<'END'
p = spawn worker
a = as $p malloc 64K
as $p fill $a 64K 7
limit 8
as $p free $a
check
END

caught wrong-owner 'I3: pid [0-9]+ 0x[0-9a-f]+ maps frame [0-9]+, which says' CPUS=1 <<'END'
p = spawn worker
a = as $p malloc 64K
as $p fill $a 64K 7
check
END

caught unlisted 'I7: policy lru, tail and ahead count' CPUS=1 <<'END'
p = spawn worker
a = as $p malloc 64K
as $p fill $a 64K 7
check
END

caught keep-promise 'I11: [0-9]+ pages are promised, processes have' CPUS=1 <<'END'
p = spawn worker
a = as $p malloc 64K
as $p fill $a 64K 7
as $p free $a
check
END

caught keep-tail 'not ok 1 object.what_is_cut_off_is_gone' CPUS=1 <<'END'
test object.what_is_cut_off_is_gone
END

caught keep-files 'not ok 1 file.as_many_as_may_be_open' CPUS=1 <<'END'
test file.as_many_as_may_be_open
END

caught unblocked-fault 'not ok 1 signal.fault_in_the_handler' CPUS=1 <<'END'
test signal.fault_in_the_handler
END

caught one-mapping 'panic.*map_count' CPUS=1 <<'END'
test mmap.one_slot_for_all
END

caught share-copy 'not ok 1 mmap.private_copies' CPUS=1 <<'END'
test mmap.private_copies
END

# These take two CPUs and the right moment: a seeded schedule finds it, and finds it again.
found() { # found BUG SCENARIO
	local bug=$1 scenario=$2 said again
	[[ $chosen == *" $bug "* ]] || return
	chosen=${chosen/ $bug / }
	[ -n "${DEBUG_IMAGE-debug}" ] || return # schedules need the debug build
	said=$(make -s -j2 schedule BUG="$bug" SCENARIO="$scenario" SEEDS=100 CPUS=4 2>&1)
	grep -Eq "^schedule $scenario: seed [0-9]+ fails" <<<"$said"
	result "$bug is found in $scenario" "$said"
	again=$(sed -n 's/^  again: //p' <<<"$said")
	again=$($again -s 2>&1)
	[ -n "$again" ] && [ "$(grep '^    ' <<<"$again")" = "$(grep '^    ' <<<"$said")" ]
	result "$bug fails in the same way again" "$said

$again"
}
found early-reuse 12.remap_against_read
found early-block 29.moved_block_against_read
found stale-pte 01.two_faults_on_one_page
found drop-lock 21.malloc_and_free_at_full_speed
found drop-swap-lock 03.eviction_against_free
found lose-wakeup 18.semaphore_storm

[ -z "${chosen// /}" ]
result 'each bug of kernel/bugs.h is tried' "not tried:$chosen"
echo "1..$count"
