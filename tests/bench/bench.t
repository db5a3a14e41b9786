#!/usr/bin/env bash
# `make bench` prints the same each time (here some of it; see README), counts locked
# instructions, and says so where it cannot.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap
release_wanted
export TIMEOUT=120

for FILTER in 'major-fault-1000' 'queue-1*'; do
	export FILTER
	first=$(tests/tools/bench 2>&1)
	status=$?
	second=$(tests/tools/bench 2>&1)
	said=$(diff <(echo "$first") <(echo "$second"))
	[ $status = 0 ] && [[ $first == *"bench ${FILTER%\*}"*" instructions"* && -z $said ]]
	result "two runs of $FILTER print the same"
done

export FILTER=two-locked
said=$(tests/tools/bench 2>&1)
if [[ $said == *'no locked instructions: '*'takes no plugins'* ]]; then
	echo "ok $((++count)) - locked instructions are counted # SKIP QEMU takes no plugins"
else
	[[ $said == *$'\nbench two-locked '*$' instructions\nbench two-locked.locked 2.00 count' ]]
	result "locked instructions are counted, xchg too"
fi
said=$(HOST_CC=false tests/tools/bench 2>&1)
[ $? = 0 ] && [[ $said == *$'\n# no locked instructions: false cannot build'* &&
	$said == *$'\nbench two-locked '*' instructions' ]]
result "without a compiler for the plugin the rest goes on, and it is said"
said=$(OBJDUMP=false tests/tools/bench 2>&1)
[ $? = 0 ] && [[ $said == *$'\n# no locked instructions: false cannot read '* ]]
result "so it is without objdump"
said=$(tests/tools/locked count 2>&1)
[ $? = 2 ] && [[ $said == "usage: locked prepare IMAGE"* && $said != *$'\n'* ]]
result "a wrong word is one line, and status 2"
said=$(FILTER=nothing tests/tools/bench 2>&1)
[ $? = 1 ] && [[ $said == *$'\nerror: ENOENT: no benchmark matches '\''nothing'\'* ]]
result "a name that no benchmark has is an error"
echo "1..$count"
