#!/usr/bin/env bash
# A few seeds of each scenario, and what `make schedule` says to settings that make no sense.
# Seeds find planted bugs: boot/bugs.t. SEEDS=n and CPUS=n choose.
set -u
cd "$(dirname "$0")/../.." || exit 1
image=${DEBUG_IMAGE-build/debug/quire.elf}
if [ -z "$image" ]; then
	echo "1..0 # SKIP schedules need the debug build, which DEBUG=${DEBUG:-} leaves out"
	exit 0
fi
export KERNEL=$image SEEDS=${SEEDS:-4} CPUS=${CPUS:-4}
unset SEED SCENARIO BUG MAKEFLAGS
[ "$CPUS" != 1 ] || CPUS=2
. tests/tools/tap

# refused SETTING: one line says so, status 2, and nothing is started.
refused() {
	local said
	said=$(env "$1" tests/tools/schedule 2>&1)
	[ $? = 2 ] && [[ $said == "quire: ${1%%=*}="*wanted* || $said == *"is called so" ]]
	result "$1 is refused: $said"
}

for setting in SEEDS=0 SEEDS=1x SEED=-1 SEED=0x SEED=0xg SCENARIO=99 CPUS=1 CPUS=17 CPUS=two; do
	refused "$setting"
done
SEED=0x10 tests/tools/schedule check
result 'SEED=0x10 is a number'

while IFS= read -r line; do
	case $line in
	'schedule '*' seeds from '*) true && result "${line#schedule }" ;;
	'schedule '*) false || result "${line#schedule }" ;;
	*) echo "# $line" ;;
	esac
done < <(tests/tools/schedule 2>&1)
echo "1..$count"
