#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Side by side on one core, one after the other: Stentor with each engine, the loop that a good
# engineer writes in an afternoon, rtpengine, Janus and dpdk-testpmd, ramped until a copy is lost.
# compare/README.md has the method. What is not installed or fails is skipped with its reason.
#
# usage: perf/compare.sh [--quick] [--counts N,N] [--seconds S] [--bisections N] [--repeats N]
#                        [--contenders NAME,NAME] [--install] [--lock FILE] [--json]
# Exit: 0 measured, 2 usage, 3 could not measure, or the report says why it is not valid.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 3
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

counts=100,1000,5000,20000,50000 far=100000,1000000 seconds=3 bisections=4 repeats=3 bench=6
contenders=testpmd,loop-none,loop-evp,loop-libsrtp,rtpengine,janus,stentor-vaes,stentor-ipsec_mb,stentor-libsrtp
lock="" json=""
command="perf/compare.sh $*"

usage() {
	sed -n '4,10s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
	case $1 in
	--counts | --seconds | --bisections | --repeats | --contenders | --lock)
		[[ $# -ge 2 && -n $2 ]] || { usage >&2; exit 2; }
		printf -v "${1#--}" %s "$2"
		[ "$1" != --counts ] || far=""
		shift 2
		;;
	--quick) counts=100,1000 far=20000 seconds=2 bisections=2 repeats=1 bench=3; shift ;;
	--install) install=yes; shift ;;
	--json) json=yes; shift ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
[[ $counts =~ ^[0-9,]+$ && $seconds$bisections$repeats =~ ^[0-9.]+$ ]] || { usage >&2; exit 2; }

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
	echo "compare: $*" >&2
}

# What a room that is closed leaves behind is not the next one's: both programs begin anew.
relay_down() {
	lab_stop controlplane
	lab_stop dataplane
	rm -f "$LAB_DIR"/stentor.db* "$LAB_DIR/index" "$LAB_DIR/pids"
}

# usage: contest NAME COUNTS
contest() {
	local options=()
	[ -z "$lock" ] || options=(--lock "$lock")
	lab_in relay python3 perf/compare/contest.py --contender "$1" --counts "$2" \
		--prefix "$LAB_PREFIX" --folder "$LAB_DIR" --build "$RELAY_BUILD" --seconds "$seconds" \
		--bisections "$bisections" --repeats "$repeats" "${options[@]}" >>"$LAB_DIR/rows" ||
		say "$1 broke off"
}

stentor() {
	local engine=${1#stentor-} count
	local all=$counts${far:+,$far}
	# shellcheck disable=SC2086 # lock may be none
	for ((count = 0; count < repeats; count++)); do
		python3 perf/compare/best.py "$engine" "$all" "$bench" "$RELAY_BUILD" $lock \
			>>"$LAB_DIR/rows"
	done
	# shellcheck disable=SC2034 # read by relay.sh
	RELAY_DATAPLANE="engine = \"$engine\";"
	for count in ${counts//,/ }; do
		# Beyond that a packet of libsrtp2 takes longer than a frame.
		[[ $engine != libsrtp || $count -le 1000 ]] || continue
		if relay_up 1 >&2; then
			echo "$(lab_pid dataplane) $(lab_pid controlplane)" >"$LAB_DIR/pids"
			contest "$1" "$count"
		else
			jq -nc --arg name "$1" --argjson count "$count" '{contender: $name,
				listeners: $count, path: "veth", skipped: "the relay did not start"}' \
				>>"$LAB_DIR/rows"
		fi
		relay_down
	done
}

before=$(python3 perf/compare/machine.py look) || exit 3
lab_trap
lab_up >&2 || exit 3
: >"$LAB_DIR/rows"
for contender in ${contenders//,/ }; do
	case $contender in
	stentor-*) stentor "$contender" ;;
	*) contest "$contender" "$counts" ;;
	esac
done
[ -s "$LAB_DIR/rows" ] || exit 3

python3 perf/compare/machine.py facts "$before" "$(python3 perf/compare/machine.py look)" \
	"$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" "$command" \
	payload=100 suite=gcm128 counts="$counts${far:+,$far}" seconds="$seconds" repeats="$repeats" \
	bisections="$bisections" >"$LAB_DIR/facts" || exit 3
[ -z "${COMPARE_ROWS:-}" ] || cp "$LAB_DIR/rows" "$COMPARE_ROWS"
python3 perf/compare/table.py report "$LAB_DIR/rows" "$LAB_DIR/facts" >"$LAB_DIR/report.json"
code=$?
if [ -n "$json" ]; then
	cat "$LAB_DIR/report.json"
else
	python3 perf/compare/table.py markdown "$LAB_DIR/report.json"
fi
exit $code
