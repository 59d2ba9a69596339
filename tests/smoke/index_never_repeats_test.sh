#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every packet to every listener is captured while both planes are killed again and again: for each
# destination and SSRC the index only ever grows (TRAPS 13).
. "$(dirname "$0")/harness.sh"
LISTENERS=200

smoke_begin
dataplane_start
controlplane_start
wait_connected
room_open tea ann
join_speaker tea ann ann 5004 1001
ann_key=$SPEAKER_KEY
join_speaker tea ann bob 5006 1002
join_listeners tea ann "$LISTENERS"
capture_start listeners listeners
capture_start speakers speaker
speaker_start bob 5006 1002 --payload 80 --level 30 --pps 100
SPEAKER_KEY=$ann_key
speaker_start ann 5004 1001 --payload 80 --level 20 --pps 100
wait_more counter tx_packets $((LISTENERS * 50)) 20 "no audio"

for victim in dataplane controlplane both dataplane; do
	step "kill -9: $victim"
	if [ "$victim" != controlplane ]; then
		lab_stop dataplane KILL || true
	fi
	if [ "$victim" != dataplane ]; then
		lab_stop controlplane KILL || true
	fi
	[ "$victim" = controlplane ] || dataplane_start
	[ "$victim" = dataplane ] || controlplane_start
	wait_connected
	if [ "$victim" = both ]; then
		# Keys are nowhere left; everybody comes back with fresh ones, on the same tuples.
		# A fresh key begins a new index space, so the analyser gets a new time line.
		capture_stop listeners
		capture_stop speakers
		mv "$LAB_DIR/listeners.pcap" "$LAB_DIR/listeners-before.pcap"
		mv "$LAB_DIR/speakers.pcap" "$LAB_DIR/speakers-before.pcap"
		break
	fi
	wait_more counter tx_packets $((LISTENERS * 50)) 20 "no audio after $victim"
done

for capture in listeners-before speakers-before; do
	step "analyse $capture"
	python3 "$ANALYSER" "$LAB_DIR/$capture.pcap" || fail "an index was used twice: $capture"
done
