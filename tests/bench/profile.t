#!/usr/bin/env bash
# `make profile`: its sum is the figure of `make bench`, to the instruction, and it says so where
# it cannot count.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap
release_wanted
export TIMEOUT=120
if ! reason=$(tests/tools/executed "$KERNEL" build/profile.counts); then
	echo "1..0 # SKIP $reason"
	exit 0
fi

is_error() { # is_error STATUS TEXT: it failed, with this and no more
	[ "$1" != 0 ] && [[ $said == "quire: $2" && $said != *$'\n'* ]]
}

sum() { # sum NUMBER: of a measurement, over all instructions
	awk -v wanted="$1" '$1 == "measurement" { number = $2; next }
		number == wanted { sum += $2 } END { print sum + 0 }' build/profile.counts
}

# The second measurement is the loop alone, which bench takes off; and each of the faults is
# an instruction that begins twice and counts once.
export FILTER=first-touch
said=$(tests/tools/profile "$KERNEL" 2>&1)
status=$?
pages=$(sed -n 's/^one first-touch (of \([0-9]*\)) .*/\1/p' <<<"$said")
figure=$(sed -n 's/.*bench first-touch \([0-9]*\) instructions.*/\1/p' build/profile.log)
all=$(sum 1) loop=$(sum 2)
[ $status = 0 ] && [ "${pages:-0}" -gt 0 ] &&
	[ $(((all - pages - loop + pages / 2) / pages)) = "${figure:-0}" ]
result "the sum is bench's figure, the loop and a fault's second begin"
total=$(awk -v all="$all" -v pages="${pages:-1}" 'BEGIN { printf "%.1f", all / pages }')
rows=$(awk 'NR > 1 && !/^one / { sum += $2 } END { print int(sum) }' <<<"$said")
[[ $said == *"one first-touch (of $pages) "*" $total  100.0%" ]] &&
	[ "$rows" -le "${total%.*}" ] && [ "$rows" -gt $((${total%.*} * 9 / 10)) ]
result "its rows are functions, which make up nearly all of it"

by_function=${said##*) }
said=$(PER=fault_handle LINES=1 tests/tools/profile "$KERNEL" 2>&1)
[ $? = 0 ] && [[ $said == *$'\n'kernel/mm/fault*:*"one fault_handle (of $pages) "* &&
	$(echo ${said##*) }) == "$(echo $by_function)" ]]
result "by source line, and by the calls of a function, the sum is the same"

said=$(PER=no_such tests/tools/profile "$KERNEL" 2>&1)
is_error $? "PER=no_such: the image has no such function"
result "a function that does not exist is an error"
said=$(PER=lru_rest_oldest tests/tools/profile "$KERNEL" 2>&1)
is_error $? "PER=lru_rest_oldest: it was not called while 'first-touch' was measured"
result "so is one that was not called"
said=$(HOST_CC=false tests/tools/profile "$KERNEL" 2>&1)
is_error $? "instructions cannot be counted: false cannot build the plugin"
result "without a compiler for the plugin it is said"
said=$(QEMU=false tests/tools/profile "$KERNEL" 2>&1)
is_error $? "instructions cannot be counted: false does not tell its version"
result "so it is without a QEMU"
said=$(FILTER=nothing tests/tools/profile "$KERNEL" 2>&1)
is_error $? "the boot ended with status 1: error: ENOENT: no benchmark matches 'nothing'"
result "a name that no benchmark has is an error"
echo "1..$count"
