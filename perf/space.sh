#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Measures real processes over AF_XDP on veth: one speaker, N listeners with a key each, every copy
# counted per listener by an XDP program at their end. README.md has the method. Several workers run
# over af_packet instead, since DPDK 22.11 sees one AF_XDP queue on a veth.
#
# usage: perf/space.sh [--listeners N] [--seconds S] [--mutes N] [--suite S] [--payload BYTES]
#                      [--workers N] [--engine NAME] [--repeats N] [--json]
# Exit: 0 valid, 1 could not measure, 2 usage, 3 the report says why it is not valid.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
# What the parts of a measurement use is not other processes' load.
export STENTOR_BENCH_ROOT=$$ PATH=$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8

listeners=20000 seconds=10 mutes=50 suite=gcm128 payload=100 workers=1 engine=auto repeats=1 json=

usage() {
	sed -n '4,10s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
	case $1 in
	--listeners | --seconds | --mutes | --suite | --payload | --workers | --engine | --repeats)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		printf -v "${1#--}" %s "$2"
		shift 2
		;;
	--json) json=--json; shift ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
for number in "$listeners" "$seconds" "$mutes" "$payload" "$workers" "$repeats"; do
	[[ $number =~ ^[0-9]{1,7}$ ]] || { usage >&2; exit 2; }
done

LAB_PREFIX=${LAB_PREFIX:-stnspace} LAB_QUEUES=$workers RELAY_LEGS_MAX=$((listeners + 1000))
# shellcheck disable=SC2034 # read by relay.sh
RELAY_DATAPLANE="engine = \"$engine\";"
# shellcheck source=configs/lab/lab.sh
. configs/lab/lab.sh
# shellcheck source=configs/lab/relay.sh
. configs/lab/relay.sh

lab_trap
lab_up >&2 || exit 1
relay_up "$workers" >&2 || exit 1

# In no namespace of the lab: it enters the ones it needs by itself. It is prompt like the relay, or
# it would measure how long it was kept waiting.
# shellcheck disable=SC2086
$RELAY_PRIORITY "$RELAY_BUILD/perf/stentor-space" --events "$LAB_DIR/events.sock" \
	--speaker-netns "/run/netns/$LAB_PREFIX-speaker" \
	--listeners-netns "/run/netns/$LAB_PREFIX-listeners" --relay "172.16.1.1:$RELAY_PORT" \
	--speaker 172.16.1.2:6000 --first 10.0.0.1:5004 --listeners "$listeners" \
	--seconds "$seconds" --mutes "$mutes" --suite "$suite" --payload "$payload" \
	--repeats "$repeats" --note "suite=$suite" --note "workers=$workers" \
	--note "driver=$(grep -o 'driver = "[a-z_]*"' "$LAB_DIR/stentor.conf" | head -n 1 | cut -d '"' -f 2)" \
	--note "priority=$RELAY_PRIORITY" $json >"$LAB_DIR/report" 2>"$LAB_DIR/space.log"
code=$?
cat "$LAB_DIR/space.log" >&2
[ "$code" = 0 ] || [ "$code" = 3 ] || lab_show_logs
[ -s "$LAB_DIR/report" ] || exit 1
lab_add_link_dropped "$LAB_DIR/report"
exit "$code"
