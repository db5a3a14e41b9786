#!/usr/bin/env bash
# `make bench-policy` on one trace: a row a share of memory, a column a policy, and figures
# that must be so. QEMU counts instructions, so they are the same each time.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap
release_wanted
export TIMEOUT=120

holds() { # holds CONDITION: awk's, of the rows; figures by column name, as v["lru"]
	printf '%s\n' "$said" | awk "
		/^trace / { for (i = 1; i <= NF; i++) name[i] = \$i }
		/^gzip / { for (i = 1; i <= NF; i++) v[name[i]] = \$i
			rows++
			if (!($1)) bad++ }
		END { exit !(rows == 3 && !bad) }"
}

said=$(FILTER='gz*p' tests/tools/bench-policy 2>&1)
result "it runs"
policies=$(ls kernel/mm/policy_*.c | wc -l) # a file each
holds "NF == 5 + $policies + 2"' && v["linux"] == "-" && v["mglru"] == "-"'
result "three rows, all policies, and Linux, which has no figures on so few frames"
holds 'v["lru-exact"] == 1'
result "lru-exact takes exact LRU's faults, to the last one"
holds 'v["fifo"] >= v["opt"] && v["lru"] >= v["opt"] && v["sieve"] >= v["opt"] &&
	v["s3fifo"] >= v["opt"] && v["clock"] >= v["opt"] && v["probation"] >= v["opt"]'
result "nobody is better than OPT"
holds 'v["lru"] <= 1.05 && v["probation"] <= 1.10'
result "lru is near exact LRU, probation is never much worse"
if command -v gnuplot >/dev/null; then
	grep -qs '</svg>' build/policies.svg
	result "the picture is drawn"
else
	echo "ok $((++count)) - the picture is drawn # SKIP gnuplot is missing"
fi

# What tests/peer has kept is not made again; Linux is not booted here.
export PEER_OUT=build/test/policy-peer
mkdir -p $PEER_OUT
echo 'bench policy-zipf-3845.classic 112080 count' >$PEER_OUT/policy
said=$(QUICK=1 FILTER=zipf tests/tools/bench-policy 2>&1)
grep -q '^zipf  *3845 .* 2\.000  *-$' <<<"$said"
result "Linux's faults are beside the others, a dash where there are none"
grep -q '^geometric mean  .* 2\.000  *-$' <<<"$said"
result "and in the mean"
rm $PEER_OUT/policy
said=$(QEMU=no-such-qemu tests/peer/run policy 2>&1)
[ $? = 2 ] && [[ $said == "quire: bench-peer: no-such-qemu is missing"* && $said != *$'\n'* ]]
result "what Linux lacks is one line, and status 2"
said=$(tests/peer/run nothing 2>&1)
[ $? = 2 ] && [[ $said == "quire: bench-peer: 'nothing': policy, or "* && $said != *$'\n'* ]]
result "so is a wrong word"

said=$(FILTER=nothing tests/tools/bench-policy 2>&1)
[ $? = 2 ] && [[ $said == "quire: FILTER=nothing: no trace"* && $said != *$'\n'* ]]
result "a name that no trace has is one line of error"
said=$(TRACE=/nowhere/x.trace tests/tools/bench-policy 2>&1)
[ $? = 2 ] && [[ $said == "quire: /nowhere/x.trace: "* && $said != *$'\n'* ]]
result "so is a file that is not there"
echo "1..$count"
