#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Either program may be started first and stopped first; a bad configuration is refused at once.
. "$(dirname "$0")/harness.sh"
smoke_begin

audio_flows() {
	wait_more counter tx_packets 20 10 "the listener gets nothing"
}

step "data plane first"
dataplane_start
controlplane_start
wait_connected
room_open tea ann
join_speaker tea ann ann 5004 1001
join_listeners tea ann 1
ear_start ear 0
speaker_start ann 5004 1001 --file "$SPEECH"
audio_flows

step "an orderly stop of the control plane leaves the audio alone"
lab_stop controlplane || fail "the control plane ended with $?"
heard=$(wc -l <"$LAB_DIR/ear.packets")
wait_for 5 "audio stops with the control plane" ear_heard ear $((heard + 20)) ||
	fail "no audio without the control plane"
controlplane_start
wait_connected
audio_flows

step "an orderly stop of the data plane"
lab_stop dataplane || fail "the data plane ended with $?"
[ ! -e "$LAB_DIR/table.sock" ] || fail "table.sock is left behind"
lab_in relay ip -json link show | jq -e 'all(.[]; has("xdp") | not)' >/dev/null ||
	fail "an XDP program is left behind"
wait_for 10 "the control plane does not notice" controlplane_alone || fail "still connected?"
lab_stop controlplane || fail "the control plane ended with $?"

step "control plane first"
controlplane_start
equal "connected" "$(status .dataplane.connected)" false
dataplane_start
wait_connected

step "a bad configuration is refused with 78"
code=0
"$DATAPLANE" --config "$LAB_DIR/stentor.conf" -o workers=0 >/dev/null 2>&1 || code=$?
equal "exit code of the data plane" "$code" 78
code=0
sed 's/events_socket/event_socket/' "$LAB_DIR/stentor.conf" >"$LAB_DIR/bad.conf"
"$CONTROLPLANE" --config "$LAB_DIR/bad.conf" >/dev/null 2>"$LAB_DIR/bad.log" || code=$?
equal "exit code of the control plane" "$code" 78
grep -q 'bad.conf:[0-9]*: controlplane.event_socket.*no such option' "$LAB_DIR/bad.log" ||
	fail "the refusal does not name file, line and key: $(cat "$LAB_DIR/bad.log")"

step "both stop"
lab_stop controlplane || fail "the control plane ended with $?"
lab_stop dataplane || fail "the data plane ended with $?"
