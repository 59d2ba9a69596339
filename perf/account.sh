#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Where the nanoseconds of a copy go: samples stentor-bench fanout with perf(1), on the clock of its
# processor time, so that no counters are needed (virtual machines have none), and gives the samples
# to stages. With --flame also a flame graph.
#
# usage: perf/account.sh [--flame FILE.svg] [--frequency HZ] [--json] [OPTION OF FANOUT...]
# Exit: 0 valid, 1 could not measure, 2 usage, 3 the report says why it is not valid.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LC_ALL=C.UTF-8
bench=${BENCH_BUILD:-$top/build}/perf/stentor-bench

flame='' json='' frequency=499
options=()
while [ $# -gt 0 ]; do
	case $1 in
	--flame | --frequency)
		[ $# -ge 2 ] || { sed -n '4,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
		printf -v "${1#--}" %s "$2"
		shift 2
		;;
	--json) json=--json; shift ;;
	--help) sed -n '4,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) options+=("$1"); shift ;;
	esac
done
[[ $frequency =~ ^[0-9]{2,5}$ ]] || { echo "account.sh: --frequency $frequency" >&2; exit 2; }
command -v perf >/dev/null || { echo "account.sh: perf(1) is missing (linux-perf)" >&2; exit 1; }

folder=$(mktemp -d /tmp/account.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
# The library alone would be samples of something else. 8 KiB of stack reach the loop from anywhere
# in it. perf itself is no other process's load.
STENTOR_BENCH_ROOT=$$ perf record -q -e cpu-clock -F "$frequency" --call-graph dwarf,8192 \
	-o "$folder/perf.data" -- "$bench" fanout "${options[@]}" --reference off --json \
	>"$folder/report.json" 2>"$folder/log"
code=$?
if [ $code != 0 ] && [ $code != 3 ]; then
	cat "$folder/log" >&2
	[ $code = 2 ] && exit 2
	exit 1
fi
perf script -i "$folder/perf.data" -F comm,tid,ip,sym 2>/dev/null |
	"$top/perf/flame.py" fold >"$folder/folded" || exit 1
if [ -n "$flame" ]; then
	title=$(jq -r '"stentor-bench fanout: \(.suite), \(.engine), \(.listeners) listeners, " +
		"\(.ns_per_copy * 10 | round / 10) ns a copy, \(.commit)"' "$folder/report.json")
	"$top/perf/flame.py" draw --title "$title" <"$folder/folded" >"$flame" || exit 1
fi
"$bench" account --folded "$folder/folded" --report "$folder/report.json" $json
