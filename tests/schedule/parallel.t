#!/bin/sh
# The scenarios as tests, on CPUs that really are parallel: 2 and 8 of them (4: boot/debug.t).
case ${FILTER:-schedule.*} in
schedule.*) FILTER=${FILTER:-schedule.*} ;;
*)
	echo "1..0 # SKIP none of these is called $FILTER"
	exit 0
	;;
esac
export FILTER CPUS="${CPUS:-2 8}" MEM=32M
exec "$(dirname "$0")/../tools/kernel-test" debug swap=16M
