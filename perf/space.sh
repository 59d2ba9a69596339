#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Measures real processes over AF_XDP on veth: one speaker, N listeners with a key each, every copy
# counted per listener by an XDP program at their end. README.md has the method. Several workers run
# over af_packet instead, since DPDK 22.11 sees one AF_XDP queue on a veth.
#
# usage: perf/space.sh [--listeners N] [--seconds S] [--mutes N] [--suite S] [--payload BYTES]
#                      [--workers N] [--engine NAME] [--json]
# Exit: 0 measured, 1 the measurement is not valid, 2 usage, 3 could not measure.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 3
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8

listeners=20000 seconds=10 mutes=50 suite=gcm128 payload=100 workers=1 engine=auto json=
command="perf/space.sh $*"

usage() {
	sed -n '4,10s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
	case $1 in
	--listeners | --seconds | --mutes | --suite | --payload | --workers | --engine)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		printf -v "${1#--}" %s "$2"
		shift 2
		;;
	--json) json=yes; shift ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
for number in "$listeners" "$seconds" "$mutes" "$payload" "$workers"; do
	[[ $number =~ ^[0-9]{1,7}$ ]] || { usage >&2; exit 2; }
done

LAB_PREFIX=${LAB_PREFIX:-stnspace} LAB_QUEUES=$workers RELAY_LEGS_MAX=$((listeners + 1000))
# shellcheck disable=SC2034 # read by relay.sh
RELAY_DATAPLANE="engine = \"$engine\";"
# shellcheck source=configs/lab/lab.sh
. configs/lab/lab.sh
# shellcheck source=configs/lab/relay.sh
. configs/lab/relay.sh

facts() {
	jq -n --arg command "$command" \
		--arg commit "$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" \
		--arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		--arg cpus "$(nproc)" --arg kernel "$(uname -r)" --arg suite "$suite" \
		--argjson workers "$workers" --argjson seconds "$seconds" \
		--arg priority "$RELAY_PRIORITY" --arg load "$(cut -d ' ' -f 1 /proc/loadavg)" \
		--arg driver "$(grep -o 'driver = "[a-z_]*"' "$LAB_DIR/stentor.conf" | head -n 1 | cut -d '"' -f 2)" \
		--arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		'{suite: $suite, driver: $driver, workers: $workers, seconds: $seconds, command: $command,
		  commit: $commit, cpu: $cpu, cpus: ($cpus | tonumber), kernel: $kernel, priority: $priority,
		  load_average: ($load | tonumber), date: $date}'
}

lab_trap
lab_up >&2 || exit 3
relay_up "$workers" >&2 || exit 3

# In no namespace of the lab: it enters the ones it needs by itself. It is prompt like the relay, or
# it would measure how long it was kept waiting.
# shellcheck disable=SC2086
$RELAY_PRIORITY "$RELAY_BUILD/perf/stentor-space" --events "$LAB_DIR/events.sock" \
	--speaker-netns "/run/netns/$LAB_PREFIX-speaker" \
	--listeners-netns "/run/netns/$LAB_PREFIX-listeners" --relay "172.16.1.1:$RELAY_PORT" \
	--speaker 172.16.1.2:6000 --first 10.0.0.1:5004 --listeners "$listeners" \
	--seconds "$seconds" --mutes "$mutes" --suite "$suite" --payload "$payload" \
	>"$LAB_DIR/space.json" 2>"$LAB_DIR/space.log"
code=$?
cat "$LAB_DIR/space.log" >&2
if [ ! -s "$LAB_DIR/space.json" ]; then
	lab_show_logs
	exit 3
fi
[ $code = 0 ] || lab_show_logs

facts | jq -s --argjson dropped "$(lab_link_dropped)" '.[1] + {link_dropped: $dropped} + .[0]' - "$LAB_DIR/space.json" >"$LAB_DIR/result.json" || exit 3
if [ -n "$json" ]; then
	cat "$LAB_DIR/result.json"
else
	jq -r '
		"listeners        \(.listeners) (\(.suite), \(.engine), \(.workers) worker)",
		"copies           \(.sent) due, \(.received) received, \(.lost) lost, \(.duplicated) twice",
		"first to last    \(.spread_us_p50) us p50, \(.spread_us_p99) us p99",
		"latency          \(.latency_us_p50) us p50, \(.latency_us_p99) us p99",
		"mute             \(.mute_us_p50) us p50, \(.mute_us_p99) us p99 to the last copy of voice, "
			+ "\(.after_ack) after the acknowledgement (\(.mute_trials) trials)",
		"worker busy      \(.worker_busy | map(. * 100 | round | "\(.)%") | join(" "))",
		"joins            \(.joins_per_s | round) a second",
		if .invalid then "NOT VALID        \(.invalid)" else empty end' "$LAB_DIR/result.json"
fi
exit $code
