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

step "systemd is told"
lab_start relay notify python3 "$SMOKE_TOP/tests/support/notify_listener.py" "$LAB_DIR/notify.sock"
wait_for 5 "nobody listens to notices" grep -q listening "$LAB_DIR/notify.log" || fail "no listener"
told() {
	[ "$(grep -c "$1" "$LAB_DIR/notify.log")" -ge "$2" ]
}
lab_stop controlplane || fail "the control plane ended with $?"
lab_stop dataplane || fail "the data plane ended with $?"
export NOTIFY_SOCKET=$LAB_DIR/notify.sock WATCHDOG_USEC=2000000
dataplane_start
wait_for 5 "the data plane is not ready" told READY=1 1 || fail "no READY=1"
wait_for 5 "the data plane's watchdog" told WATCHDOG=1 2 || fail "no WATCHDOG=1"
lab_stop dataplane || fail "the data plane ended with $?"
wait_for 5 "the data plane does not say that it stops" told STOPPING=1 1 || fail "no STOPPING=1"
watchdogs=$(grep -c WATCHDOG=1 "$LAB_DIR/notify.log")
controlplane_start
wait_for 5 "the control plane is not ready" told READY=1 2 || fail "no READY=1"
wait_for 5 "the control plane's watchdog" told WATCHDOG=1 $((watchdogs + 2)) || fail "no WATCHDOG=1"
lab_stop controlplane || fail "the control plane ended with $?"
wait_for 5 "the control plane does not say that it stops" told STOPPING=1 2 || fail "no STOPPING=1"
unset NOTIFY_SOCKET WATCHDOG_USEC
controlplane_start
dataplane_start

step "both stop"
lab_stop controlplane || fail "the control plane ended with $?"
lab_stop dataplane || fail "the data plane ended with $?"
