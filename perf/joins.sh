#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Measures browsers joining: HTTP, ICE, DTLS and the first packet of each, by clients on OpenSSL,
# against real processes over AF_XDP on veth, while a speaker is heard by keyed listeners whose
# copies are counted. --hold measures the memory of connected legs instead. README.md has the method.
#
# usage: perf/joins.sh [--joins N] [--rate N] [--window N] [--connections N] [--sections N]
#                      [--verify N] [--listeners N] [--threads N] [--repeats N] [--hold] [--json]
# Exit: 0 valid: everybody joined, no copy was lost, 1 could not measure, 2 usage, 3 the report says
# why it is not valid.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
# What the parts of a measurement use is not other processes' load.
export STENTOR_BENCH_ROOT=$$ PATH=$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8

joins=2000 listeners=1000 threads=1 repeats=1 hold='' json=
options=()

usage() {
	sed -n '4,12s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
	case $1 in
	--joins | --listeners | --threads | --rate | --window | --connections | --sections | --verify | \
		--repeats)
		[[ $# -ge 2 && $2 =~ ^[0-9]{1,7}$ ]] || { usage >&2; exit 2; }
		case $1 in
		--joins | --listeners | --threads | --repeats) printf -v "${1#--}" %s "$2" ;;
		*) options+=("$1" "$2") ;;
		esac
		shift 2
		;;
	--hold) hold=--hold; shift ;;
	--json) json=--json; shift ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
# Memory that has grown once does not grow again.
[ -z "$hold" ] || [ "$repeats" = 1 ] || { echo "joins.sh: --hold is measured once a run" >&2; exit 2; }

LAB_PREFIX=${LAB_PREFIX:-stnjoin} RELAY_LEGS_MAX=$((listeners + joins + 1000))
# shellcheck disable=SC2034 # read by relay.sh
RELAY_CONTROLPLANE="handshake_threads = $threads; joins_per_second = 1000000;"
# shellcheck source=configs/lab/lab.sh
. configs/lab/lab.sh
# shellcheck source=configs/lab/relay.sh
. configs/lab/relay.sh

lab_trap
lab_up >&2 || exit 1
# Each client has an address of its own; they live where the strangers do, apart from the listeners
# whose copies are counted. A range that is local may be bound to without adding its addresses.
lab_in stranger ip route add local 10.1.0.0/16 dev lo || exit 1
lab_in relay ip route add 10.1.0.0/16 via 172.16.3.2 || exit 1
relay_up >&2 || exit 1

# lab_start remembers the shell that became the program: the same process id.
"$RELAY_BUILD/perf/stentor-bench" joins --events "$LAB_DIR/events.sock" --http 127.0.0.1:8080 \
	--speaker-netns "/run/netns/$LAB_PREFIX-speaker" \
	--listeners-netns "/run/netns/$LAB_PREFIX-listeners" \
	--relay-netns "/run/netns/$LAB_PREFIX-relay" \
	--clients-netns "/run/netns/$LAB_PREFIX-stranger" --relay "172.16.1.1:$RELAY_PORT" \
	--speaker 172.16.1.2:6000 --first 10.0.0.1:5004 --listeners "$listeners" \
	--candidate "172.16.3.1:$RELAY_PORT" --client 10.1.0.1:0 --joins "$joins" \
	--controlplane-pid "$(lab_pid controlplane)" --dataplane-pid "$(lab_pid dataplane)" \
	--note "handshake_threads=$threads" --note "priority=$RELAY_PRIORITY" \
	--repeats "$repeats" "${options[@]}" $hold $json >"$LAB_DIR/report" 2>"$LAB_DIR/joins.log"
code=$?
cat "$LAB_DIR/joins.log" >&2
[ "$code" = 0 ] || [ "$code" = 3 ] || lab_show_logs
[ -s "$LAB_DIR/report" ] || exit 1
lab_add_link_dropped "$LAB_DIR/report"
exit "$code"
