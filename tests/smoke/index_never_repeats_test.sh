#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every packet to every listener is captured while both planes are killed again and again: for each
# destination and SSRC the index only ever grows (TRAPS 13). When both planes die at once the keys are
# gone: everybody is told so and comes back with fresh ones.
. "$(dirname "$0")/harness.sh"
LISTENERS=200

# Everybody joins, on the same addresses each time, and both speakers talk. The louder one holds a
# slot and so does the other: two streams to every listener, one at a time to each speaker.
everybody_joins() {
	join_speaker tea ann ann 5004 1001
	speaker_start ann 5004 1001 --payload 80 --level 20 --pps 100
	join_speaker tea ann bob 5006 1002
	speaker_start bob 5006 1002 --payload 80 --level 30 --pps 100
	join_listeners tea ann "$LISTENERS"
	capture_start listeners listeners
	capture_start speakers speaker
	wait_more counter tx_packets $((LISTENERS * 50)) 20 "no audio"
}

kill_and_restart() {
	step "kill -9: $*"
	local victim
	for victim in "$@"; do
		lab_stop "$victim" KILL || true
	done
	for victim in "$@"; do
		"${victim}_start"
	done
	wait_connected
}

analyse() {
	local capture
	for capture in listeners speakers; do
		capture_stop "$capture"
		python3 "$ANALYSER" --json "$LAB_DIR/$capture.pcap" >"$LAB_DIR/$capture.json" ||
			fail "an index was used twice: $(cat "$LAB_DIR/$capture.json")"
		step "$capture: $(cat "$LAB_DIR/$capture.json")"
	done
	equal "streams to listeners" "$(jq .streams "$LAB_DIR/listeners.json")" $((LISTENERS * 2))
	# Which slot somebody gets may change with a restart, and each slot is a stream of its own.
	[ "$(jq .streams "$LAB_DIR/speakers.json")" -ge 2 ] || fail "the speakers do not hear each other"
}

smoke_begin
dataplane_start
controlplane_start
wait_connected
room_open tea ann
everybody_joins
for victim in dataplane controlplane dataplane dataplane; do
	kill_and_restart "$victim"
	wait_more counter tx_packets $((LISTENERS * 50)) 20 "no audio after the kill of $victim"
done
analyse
for program in ann bob; do
	lab_stop "$program" || true
done

kill_and_restart controlplane dataplane
equal "members whose keys are nowhere left" "$(status .members)" 0
everybody_joins
kill_and_restart dataplane
wait_more counter tx_packets $((LISTENERS * 50)) 20 "no audio after the kill"
analyse
