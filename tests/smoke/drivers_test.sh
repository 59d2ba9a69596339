#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every driver of the configuration starts, serves the control plane, and gives back every buffer;
# what cannot work is refused with the reason. af_xdp and af_packet carry media in the other tests.
. "$(dirname "$0")/harness.sh"
smoke_begin
original=$(cat "$LAB_DIR/stentor.conf")

# with_ports TEXT: the configuration with these ports instead.
with_ports() {
	awk -v ports="$1" '/ports = \(/ { print "\tports = ( " ports " );"; skip = 1 }
		skip && /^[[:space:]]*\);/ { skip = 0; next } !skip' <<<"$original" >"$LAB_DIR/stentor.conf"
}

works_with() {
	step "$1"
	with_ports "{ driver = \"$1\"; $2 addresses = [ \"192.0.2.1/24\" ]; gateway_mac = \"02:00:00:00:00:02\"; }"
	dataplane_start
	wait_connected
	room_open "with-$1" ann
	event "{\"type\":\"member.join\",\"actor\":\"ann\",\"room\":\"with-$1\",\"role\":\"listener\",\"members\":[{\"member\":\"bob\",\"address\":\"192.0.2.9\",\"port\":6000}]}" >/dev/null
	equal "legs" "$(status .dataplane.legs)" 1
	event "{\"type\":\"room.close\",\"actor\":\"ann\",\"room\":\"with-$1\"}" >/dev/null
	lab_stop dataplane || fail "the data plane ended with $?"
	grep -q "buffers_all_back lost=0" "$LAB_DIR/dataplane.log" ||
		fail "buffers were lost: $(tail -n 2 "$LAB_DIR/dataplane.log")"
}

# An empty capture file: a header and no packet (pcap, Ethernet).
printf '\xd4\xc3\xb2\xa1\x02\x00\x04\x00\0\0\0\0\0\0\0\0\xff\xff\x00\x00\x01\0\0\0' >"$LAB_DIR/empty.pcap"

controlplane_start
works_with null ""
works_with ring ""
works_with pcap "device = \"$LAB_DIR/empty.pcap\"; output = \"$LAB_DIR/out.pcap\";"
works_with memif "device = \"$LAB_DIR/memif.sock\";"
works_with tap "interface = \"stn-tap\";"

refuses() {
	local code=0
	step "$1"
	with_ports "$2"
	lab_in relay timeout 20 "$DATAPLANE" --config "$LAB_DIR/stentor.conf" -o log_level=info \
		>"$LAB_DIR/refused.log" 2>&1 || code=$?
	[ "$code" -ne 0 ] && [ "$code" -ne 124 ] || fail "it was not refused ($code)"
	grep -q "$3" "$LAB_DIR/refused.log" || fail "no reason: $(cat "$LAB_DIR/refused.log")"
}
refuses "an interface that does not exist" '{ driver = "af_xdp"; interface = "nowhere"; }' "nowhere"
refuses "more queues than the interface has" \
	'{ driver = "af_xdp"; interface = "to-speaker"; queues = 4; }' "to-speaker.*has=1 wanted=4"
refuses "an address nobody can read" \
	'{ driver = "null"; addresses = [ "192.0.2" ]; }' "192.0.2 expected"
refuses "a card without huge pages or a card" '{ driver = "pci"; device = "0000:00:1f.6"; addresses = [ "192.0.2.1/24" ]; }' "error"
