#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Measures browsers joining: HTTP, ICE, DTLS and the first packet of each, by clients on OpenSSL,
# against real processes over AF_XDP on veth, while a speaker is heard by keyed listeners whose
# copies are counted. --hold measures the memory of connected legs instead. README.md has the method.
#
# usage: perf/joins.sh [--joins N] [--rate N] [--window N] [--connections N] [--sections N]
#                      [--verify N] [--listeners N] [--threads N] [--hold] [--json]
# Exit: 0 everybody joined and no copy was lost, 1 not so, 2 usage, 3 could not measure.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 3
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8

joins=2000 listeners=1000 threads=1 json=
options=()
command="perf/joins.sh $*"

usage() {
	sed -n '4,11s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
	case $1 in
	--joins | --listeners | --threads | --rate | --window | --connections | --sections | --verify)
		[[ $# -ge 2 && $2 =~ ^[0-9]{1,7}$ ]] || { usage >&2; exit 2; }
		case $1 in
		--joins | --listeners | --threads) printf -v "${1#--}" %s "$2" ;;
		*) options+=("$1" "$2") ;;
		esac
		shift 2
		;;
	--hold) options+=(--hold); shift ;;
	--json) json=yes; shift ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done

LAB_PREFIX=${LAB_PREFIX:-stnjoin} RELAY_LEGS_MAX=$((listeners + joins + 1000))
# shellcheck disable=SC2034 # read by relay.sh
RELAY_CONTROLPLANE="handshake_threads = $threads; joins_per_second = 1000000;"
# shellcheck source=configs/lab/lab.sh
. configs/lab/lab.sh
# shellcheck source=configs/lab/relay.sh
. configs/lab/relay.sh

facts() {
	jq -n --arg command "$command" \
		--arg commit "$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" \
		--arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		--arg cpus "$(nproc)" --arg kernel "$(uname -r)" --argjson threads "$threads" \
		--arg priority "$RELAY_PRIORITY" --arg load "$(cut -d ' ' -f 1 /proc/loadavg)" \
		--arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		'{handshake_threads: $threads, command: $command, commit: $commit, cpu: $cpu,
		  cpus: ($cpus | tonumber), kernel: $kernel, priority: $priority,
		  load_average: ($load | tonumber), date: $date}'
}

lab_trap
lab_up >&2 || exit 3
# Each client has an address of its own; they live where the strangers do, apart from the listeners
# whose copies are counted. A range that is local may be bound to without adding its addresses.
lab_in stranger ip route add local 10.1.0.0/16 dev lo || exit 3
lab_in relay ip route add 10.1.0.0/16 via 172.16.3.2 || exit 3
relay_up >&2 || exit 3

# lab_start remembers the shell that became the program: the same process id.
"$RELAY_BUILD/perf/stentor-bench" joins --events "$LAB_DIR/events.sock" --http 127.0.0.1:8080 \
	--speaker-netns "/run/netns/$LAB_PREFIX-speaker" \
	--listeners-netns "/run/netns/$LAB_PREFIX-listeners" \
	--relay-netns "/run/netns/$LAB_PREFIX-relay" \
	--clients-netns "/run/netns/$LAB_PREFIX-stranger" --relay "172.16.1.1:$RELAY_PORT" \
	--speaker 172.16.1.2:6000 --first 10.0.0.1:5004 --listeners "$listeners" \
	--candidate "172.16.3.1:$RELAY_PORT" --client 10.1.0.1:0 --joins "$joins" \
	--controlplane-pid "$(lab_pid controlplane)" --dataplane-pid "$(lab_pid dataplane)" \
	"${options[@]}" >"$LAB_DIR/joins.json" 2>"$LAB_DIR/joins.log"
code=$?
cat "$LAB_DIR/joins.log" >&2
if [ ! -s "$LAB_DIR/joins.json" ]; then
	lab_show_logs
	exit 3
fi
[ $code = 0 ] || lab_show_logs

facts | jq -s --argjson dropped "$(lab_link_dropped)" '.[1] + {link_dropped: $dropped} + .[0]' \
	- "$LAB_DIR/joins.json" >"$LAB_DIR/result.json" || exit 3
if [ -n "$json" ]; then
	cat "$LAB_DIR/result.json"
else
	jq -r '
		"joins            \(.joined) of \(.joins), \(.failed) failed, \(.verified) opened by libsrtp2",
		"rate             \(.joins_per_s | round) a second; \(.joins_per_cpu_s | round) a second of "
			+ "control-plane CPU (\(.controlplane_cpu_s * 100 | round / 100) s)",
		(.latency_ms | to_entries[] | "\(.key + "                "[:17 - (.key | length)])"
			+ "\(.value.p50 * 10 | round / 10) ms p50, \(.value.p95 * 10 | round / 10) p95, "
			+ "\(.value.p99 * 10 | round / 10) p99"),
		if has("sent") then "copies           \(.sent) due, \(.lost) lost, \(.duplicated) twice"
		else "a leg            \(.leg_bytes_controlplane | round) bytes of control plane (and "
			+ "\(.seat_bytes_controlplane | round) for its seat), "
			+ "\(.leg_bytes_dataplane | round) of data plane; \(.heard) heard" end,
		if .failure then "FAILED           \(.failure)" else empty end' "$LAB_DIR/result.json"
fi
exit $code
