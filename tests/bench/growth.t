#!/usr/bin/env bash
# `make bench-growth` with small numbers: its table, its verdict, which can be bad, its
# errors. QEMU counts instructions, so the figures are the same each time.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap
release_wanted
export TIMEOUT=120 QUICK=1

said=$(tests/tools/bench-growth 2>&1)
result "everything is flat, or the status would not be 0"
[ "$(grep -c ' flat$' <<<"$said")" = 8 ] && grep -q '^boot .* -$' <<<"$said" &&
	! grep -q '^#' <<<"$said"
result "eight lines, and boot, about which nothing is said, and nothing else"
if command -v gnuplot >/dev/null; then
	grep -qs '</svg>' build/growth.svg
	result "the picture is drawn"
else
	echo "ok $((++count)) - the picture is drawn # SKIP gnuplot is missing"
fi

mkdir -p build/test
fake=build/test/growth-qemu
cat >$fake <<'END'
#!/bin/sh
printf 'bench grow-process-%s instructions\n' '1 1000' '10 1000' '100 1101'
END
chmod +x $fake
said=$(QEMU=$fake FILTER=process tests/tools/bench-growth 2>&1)
[ $? = 1 ] && grep -q '^start and end .* 1,000 .* 1,101 .* 1.10  NOT FLAT$' <<<"$said" &&
	grep -q '^quire: bench-growth: 1 not flat within 10 %$' <<<"$said"
result "more than 10 % is not flat, and the status is 1"
sed -i 's/1101/1100/' $fake
said=$(QEMU=$fake FILTER=process tests/tools/bench-growth 2>&1)
result "10 % is"
sed -i 's/100 1100/10 1100/' $fake
said=$(QEMU=$fake FILTER=process tests/tools/bench-growth 2>&1)
[ $? = 2 ] && [[ $said == "quire: bench-growth: grow-process-100: no figure"* ]]
result "a figure that is not there is an error"
said=$(FILTER=nothing tests/tools/bench-growth 2>&1)
[ $? = 2 ] && [[ $said == "quire: bench-growth: FILTER=nothing: no line"* && $said != *$'\n'* ]]
result "a name that no line has is one line of error"
said=$(QEMU_CPU=nothing FILTER=process tests/tools/bench-growth 2>&1)
[ $? = 125 ]
result "what QEMU does not know ends with its status"
echo "1..$count"
