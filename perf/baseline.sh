#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What a change cost: measures the fan-out as the committed baseline was measured and compares the
# two, figure by figure. --write makes today's the baseline; two files compare any two reports.
#
# usage: perf/baseline.sh [--seconds S] [--threshold PERCENT] [--write]
#        perf/baseline.sh OLD.json NEW.json [--threshold PERCENT]
# Exit: 0 nothing got worse, 1 something did beyond noise, 2 usage, 3 could not measure.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
here=$PWD
build=${RELAY_BUILD:-$top/build}
baseline=$top/perf/results/baseline/fanout.json
seconds=11 threshold=5 write="" files=()

usage() {
	sed -n '4,9s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
	case $1 in
	--seconds | --threshold)
		[[ $# -ge 2 && $2 =~ ^[0-9.]+$ ]] || { usage >&2; exit 2; }
		printf -v "${1#--}" %s "$2"
		shift 2
		;;
	--write) write=yes; shift ;;
	--help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) files+=("$1"); shift ;;
	esac
done

judge() {
	python3 -B "$top/perf/compare/baseline.py" "$1" "$2" --threshold "$threshold"
}

if [ ${#files[@]} -gt 0 ]; then
	[ ${#files[@]} = 2 ] || { usage >&2; exit 2; }
	cd "$here" || exit 3
	judge "${files[0]}" "${files[1]}"
	exit
fi

# An invalid report (exit code 3) is one nevertheless; it says itself that the machine was noisy.
measure() {
	local suite code
	for suite in gcm128 cm80 group; do
		"$build/perf/stentor-bench" fanout --suite "$suite" --listeners 20000 --payload 100 \
			--sink null --seconds "$seconds" --json
		code=$?
		[ $code = 0 ] || [ $code = 3 ] || return 1
	done
}

now=$(mktemp)
trap 'rm -f "$now"' EXIT
measure | jq -s . >"$now" || { echo "baseline: stentor-bench fanout failed" >&2; exit 3; }
if [ -n "$write" ]; then
	mkdir -p "${baseline%/*}"
	cp "$now" "$baseline"
	echo "written: ${baseline#"$top"/}"
	exit 0
fi
[ -s "$baseline" ] || { echo "baseline: no ${baseline#"$top"/} yet: --write makes one" >&2; exit 3; }
judge "$baseline" "$now"
