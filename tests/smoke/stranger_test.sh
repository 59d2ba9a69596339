#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Promise "stranger": RTP, SRTP, STUN and DTLS sprayed from a third namespace, from addresses of its
# own and under the speaker's and a listener's, change nothing: it gets nothing back, and what the
# listener hears is bit-identical to what was said (TRAPS 1).
. "$(dirname "$0")/harness.sh"
PACKETS=${SMOKE_SPRAY:-20000}

smoke_begin
dataplane_start
controlplane_start
wait_connected
room_open tea ann
join_speaker tea ann ann 5004 1001
join_listeners tea ann 20
capture_start stranger stranger "udp or icmp"
capture_start speaker speaker "udp or icmp"
ear_start ear 0 --original "$SPEECH"
speaker_start ann 5004 1001 --file "$SPEECH"
wait_for 20 "no audio" ear_heard ear 50 || fail "no audio"
dropped() {
	status '[.dataplane.workers[].drops | add // 0] | add'
}
from=$(dropped)

step "spray"
lab_start stranger spray python3 "$SMOKE_TOP/tests/support/spray.py" --to "172.16.3.1:$MEDIA_PORT" \
	--count "$PACKETS" --source 172.16.3.2:5004 --source "$SPEAKER_ADDRESS:5004" \
	--source "$LISTENERS_FIRST:6000" --ssrc 1001
wait_gone 60 "$(lab_pid spray)" || fail "the spray does not end"
lab_stop spray || fail "the spray failed: $(cat "$LAB_DIR/spray.log")"
sprayed=$(jq .sent "$LAB_DIR/spray.log")
dropped=$(($(dropped) - from))
step "sprayed $sprayed, dropped by the data plane $dropped"
# A receive ring may overflow under the spray, and the XDP program drops STUN and DTLS beyond a
# source's share; but the data plane has to have seen a good part of it for this to prove anything.
[ "$dropped" -ge $((sprayed / 4)) ] || fail "only $dropped of $sprayed reached the data plane"
heard=$(wc -l <"$LAB_DIR/ear.packets")
wait_for 20 "audio stops after the spray" ear_heard ear $((heard + 100)) ||
	fail "audio stops after the spray"

step "nobody was answered, nothing was lost, nothing was altered"
lab_stop ann || true
ear_stop ear
capture_stop stranger
capture_stop speaker
equal "packets to the stranger" "$(tcpdump -n -r "$LAB_DIR/stranger.pcap" 2>/dev/null | wc -l)" 0
equal "packets to the speaker" "$(tcpdump -n -r "$LAB_DIR/speaker.pcap" 2>/dev/null | wc -l)" 0
heard=$(jq .packets "$LAB_DIR/ear.json")
equal "packets the ear heard unaltered" "$(jq .unaltered "$LAB_DIR/ear.json")" "$heard"
equal "packets the ear lost" "$(jq .lost "$LAB_DIR/ear.json")" 0
equal "authentication failures at the ear" "$(jq .auth_failures "$LAB_DIR/ear.json")" 0
