#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A relay box and a load box with one cable between them: what generate says it sent is what sink
# counts, for one speaker and for several, programmed over events.sock and by a file.
set -uo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
LAB_PREFIX=${LAB_PREFIX:-st2m$$} RELAY_BUILD=${SMOKE_BUILD:-$top/build} RELAY_LEGS_MAX=4096
export STENTOR_BENCH_ROOT=$$
# shellcheck source=configs/lab/lab.sh
. "$top/configs/lab/lab.sh"
# shellcheck source=configs/lab/relay.sh
. "$top/configs/lab/relay.sh"
# shellcheck disable=SC2034 # read by lab.sh
LAB_PARTS=(load) LAB_LISTENERS=1
bench=$RELAY_BUILD/perf/stentor-bench

fail() {
	echo "FAIL: $*" >&2
	lab_show_logs
	exit 1
}

lab_trap
lab_up >&2 || exit 1
relay_up >&2 || exit 1

# measure NAME SPEAKERS OPTION...: both reports, sink's first, as an array on standard output. 3: the
# machine may have other things to do; what the measurement itself checks must hold.
measure() {
	local name=$1 speakers=$2 to=(--first 10.0.0.1:5004 --listeners 100 --ports-per-address 10)
	shift 2
	lab_start load "sink-$name" "$bench" sink --interface eth0 "${to[@]}" \
		--speakers "$speakers" --seconds 60 --log "$LAB_DIR/$name.run" --json
	wait_for 20 "the sink does not count" grep -q 'counting on' "$LAB_DIR/sink-$name.log" || return 1
	lab_in load "$bench" generate --relay "172.16.1.1:$RELAY_PORT" --speaker 172.16.1.2:6000 \
		"${to[@]}" --speakers "$speakers" --room "$name" --seconds 2 \
		--log "$LAB_DIR/$name.run" --json "$@" \
		>"$LAB_DIR/generate-$name.json" 2>"$LAB_DIR/generate-$name.log" || [ $? = 3 ] ||
		return 1
	wait_for 20 "the sink does not end" wait_ended "$(lab_pid "sink-$name")" || return 1
	grep -v '^stentor-bench' "$LAB_DIR/sink-$name.log" | jq -s . - "$LAB_DIR/generate-$name.json"
}

result=$(measure one 1 --events "$LAB_DIR/events.sock") || fail "one speaker"
jq -e '.[0] as $sink | .[1] as $source | $source.validity.correct and $sink.validity.correct and
	$source.spoken >= 90 and $source.spoken == $source.slot_packets and
	$sink.sent == $source.spoken * 100 and $sink.received == $sink.sent and $sink.lost == 0 and
	$sink.duplicated == 0 and $sink.listeners_whole == 100 and $sink.latency_us_p50 > 0 and
	$sink.spread_us_p99 >= $sink.spread_us_p50 and $sink.peak_per_s > 4000 and
	([$sink.tables.seconds.rows[][2]] | add) == $sink.sent' <<<"$result" >/dev/null ||
	fail "one speaker: $result"
# Addresses are free again when the room is closed.
ctl event - <<<'{"type":"room.close","actor":"speaker","room":"one0"}' >/dev/null || fail "room.close"

# By a file: who reads it says so by a line.
mkfifo "$LAB_DIR/go"
{
	wait_for 40 "no file of events" grep -qs 'is written' "$LAB_DIR/generate-four.log" &&
		ctl event "$LAB_DIR/events.json" >"$LAB_DIR/events.log" && echo go
} >"$LAB_DIR/go" &
result=$(measure four 4 --ramp 1 --write "$LAB_DIR/events.json" <"$LAB_DIR/go") || fail "four speakers"
jq -e '.[0] as $sink | .[1] as $source | $source.validity.correct and $sink.validity.correct and
	$source.spoken >= 4 * 90 + (1 + 2 + 3) * 45 and $sink.sent > 0 and
	$sink.received == $sink.sent and $sink.lost == 0 and $sink.duplicated == 0 and
	$sink.listeners_served == 100' <<<"$result" >/dev/null || fail "four speakers: $result"
