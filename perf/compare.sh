#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Side by side on one core, one after the other: Stentor with each engine, the loop that a good
# engineer writes in an afternoon, rtpengine, Janus and dpdk-testpmd, ramped until a copy is lost.
# compare/README.md has the method. What is not installed or fails is skipped with its reason.
#
# usage: perf/compare.sh [--quick] [--minutes M] [--counts N,N] [--seconds S] [--bisections N]
#                        [--repeats N] [--contenders NAME,NAME] [--install] [--lock FILE] [--json]
#        perf/compare.sh --report ROWS [--json]    what a run has measured that was cut off
# It ends in M minutes (33): who is slow gets fewer repeats, then fewer counts, and the report says so.
# Exit: 0 measured, 2 usage, 3 could not measure, or the report says why it is not valid.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 3
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

counts=100,1000,10000 far=100000,1000000 seconds=2 bisections=4 repeats=3 bench=4 minutes=33
contenders=testpmd,stentor-vaes,loop-evp,rtpengine,janus,loop-libsrtp,loop-none,stentor-ipsec_mb,rtpengine-cm80,stentor-libsrtp
lock="" json="" rows="" job="" interrupted=""
command="perf/compare.sh $*"
# Shares of the time; what somebody leaves over is for those after them.
declare -A weight=([testpmd]=3 [stentor-vaes]=14 [loop-evp]=10 [rtpengine]=20 [janus]=13 [loop-libsrtp]=9
	[loop-none]=8 [stentor-ipsec_mb]=11 [rtpengine-cm80]=9 [stentor-libsrtp]=6)
# Beyond its time somebody may end a step, then they are ended.
grace=30

usage() {
	sed -n '4,12s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
	case $1 in
	--counts | --seconds | --bisections | --repeats | --contenders | --lock | --minutes | --report)
		[[ $# -ge 2 && -n $2 ]] || { usage >&2; exit 2; }
		printf -v "${1#--}" %s "$2"
		[ "$1" != --report ] || rows=$2
		[ "$1" != --counts ] || far=""
		shift 2
		;;
	--quick) counts=100,1000 far=20000 seconds=2 bisections=2 repeats=1 bench=2 minutes=15; shift ;;
	--install) install=yes; shift ;;
	--json) json=yes; shift ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
[[ $counts =~ ^[0-9,]+$ && $seconds$bisections$repeats =~ ^[0-9.]+$ && $minutes =~ ^[0-9]+$ ]] ||
	{ usage >&2; exit 2; }
weights=0
for contender in ${contenders//,/ }; do
	[ -n "${weight[$contender]:-}" ] || { echo "compare: nobody is called $contender" >&2; exit 2; }
	weights=$((weights + weight[$contender]))
done

# shellcheck source=configs/packages.sh
. configs/packages.sh
[ -z "${install:-}" ] || packages_install compare >&2 || exit 3

LAB_PREFIX=${LAB_PREFIX:-stncmp}
largest=$(tr , '\n' <<<"$counts" | sort -n | tail -n 1)
# shellcheck disable=SC2034 # read by relay.sh
RELAY_LEGS_MAX=$((4 * largest + 1000))
# shellcheck source=configs/lab/lab.sh
. configs/lab/lab.sh
# shellcheck source=configs/lab/relay.sh
. configs/lab/relay.sh

say() {
	printf 'compare: [%d:%02d of at most %d:00] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$minutes" \
		"$*" >&2
}

# usage: report ROWS
report() {
	local code report
	report=$(mktemp) || exit 3
	python3 perf/compare/table.py report "$1" >"$report"
	code=$?
	if [ ! -s "$report" ]; then
		code=3
	elif [ -n "$json" ]; then
		cat "$report"
	else
		python3 perf/compare/table.py markdown "$report"
	fi
	rm -f "$report"
	return $code
}

# usage: note NAME LISTENERS PATH REASON     a row that says why there is none
note() {
	jq -nc --arg name "$1" --argjson count "$2" --arg path "$3" --arg reason "$4" \
		'{contender: $name, listeners: $count, path: $path, skipped: $reason}' >>"$rows"
}

# usage: look NAME     of the machine, while nothing of ours runs; NAME is who has just been measured
look() {
	python3 perf/compare/machine.py look $$ "$1" >>"$rows"
}

# usage: limited SECONDS COMMAND...     adds rows; ends with its deadline or with us
limited() {
	local code limit=$1
	shift
	timeout -k 5 "$limit" "$@" >>"$rows" </dev/null &
	job=$!
	wait "$job"
	code=$?
	while kill -0 "$job" 2>/dev/null; do
		wait "$job"
		code=$?
	done
	job=""
	return $code
}

# What a room that is closed leaves behind is not the next one's: both programs begin anew.
relay_down() {
	lab_stop controlplane
	lab_stop dataplane
	rm -f "$LAB_DIR"/stentor.db* "$LAB_DIR/index" "$LAB_DIR/pids"
}

# usage: contest NAME COUNTS SECONDS
contest() {
	local code options=()
	[ -z "$lock" ] || options=(--lock "$lock")
	limited $(($3 + grace)) ip netns exec "$LAB_PREFIX-relay" python3 perf/compare/contest.py \
		--contender "$1" --counts "$2" --prefix "$LAB_PREFIX" --folder "$LAB_DIR" \
		--build "$RELAY_BUILD" --seconds "$seconds" --bisections "$bisections" \
		--repeats "$repeats" --allotted "$3" "${options[@]}"
	code=$?
	[ $code = 0 ] || [ -n "$interrupted" ] || note "$1" null "" "broke off ($code)"
}

# usage: stentor NAME SECONDS
stentor() {
	local engine=${1#stentor-} count until=$((SECONDS + $2)) left
	local wanted
	IFS=, read -ra wanted <<<"$counts"
	# shellcheck disable=SC2086 # lock may be none
	limited $(($2 + grace)) python3 perf/compare/best.py "$engine" "$counts" "${far:--}" "$bench" \
		"$RELAY_BUILD" $lock || [ -n "$interrupted" ] || note "$1" null best "broke off"
	# shellcheck disable=SC2034 # read by relay.sh
	RELAY_DATAPLANE="engine = \"$engine\";"
	left=${#wanted[@]}
	for count in "${wanted[@]}"; do
		[ -z "$interrupted" ] || return
		# Beyond that a packet of libsrtp2 takes longer than a frame.
		[[ $engine != libsrtp || $count -le 1000 ]] || continue
		if [ "$SECONDS" -ge "$until" ]; then
			note "$1" "$count" veth "no time was left of its $2 s"
		elif relay_up 1 >&2; then
			echo "$(lab_pid dataplane) $(lab_pid controlplane)" >"$LAB_DIR/pids"
			contest "$1" "$count" $(((until - SECONDS) / left + 1))
		else
			note "$1" "$count" veth "the relay did not start"
		fi
		relay_down
		left=$((left - 1))
	done
}

if [ -n "$rows" ]; then
	report "$rows"
	exit
fi
SECONDS=0
lab_trap
trap 'interrupted=yes; [ -z "$job" ] || kill "$job" 2>/dev/null' INT TERM HUP
# Outlives a run that is killed: --report makes of it what there is.
rows=${COMPARE_ROWS:-$(mktemp "/tmp/$LAB_PREFIX-rows.XXXXXX")} || exit 3
echo "compare: rows go to $rows" >&2
jq -nc --arg commit "$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" \
	--arg command "$command" --arg counts "$counts${far:+,$far}" --argjson seconds "$seconds" \
	--argjson repeats "$repeats" --argjson bisections "$bisections" --argjson minutes "$minutes" \
	'{begun: {commit: $commit, command: ($command / " "), parameters: {payload: 100,
	suite: "gcm128", counts: $counts, seconds: $seconds, repeats: $repeats,
	bisections: $bisections, minutes: $minutes}}}' >"$rows" || exit 3
lab_up >&2 || exit 3
look "" || exit 3
for contender in ${contenders//,/ }; do
	[ -z "$interrupted" ] || break
	left=$((60 * minutes - SECONDS))
	share=$((left > 0 ? left * weight[$contender] / weights : 0))
	weights=$((weights - weight[$contender]))
	say "$contender has $((share / 60)):$(printf %02d $((share % 60)))"
	case $contender in
	stentor-*) stentor "$contender" "$share" ;;
	*) contest "$contender" "$counts" "$share" ;;
	esac
	look "$contender"
done
[ -z "$interrupted" ] || echo '{"interrupted": true}' >>"$rows"
say "all measured"
report "$rows"
code=$?
# Rows that were reported are not needed any more, unless somebody asked for them.
[ -n "${COMPARE_ROWS:-}" ] || rm -f "$rows"
exit $code
