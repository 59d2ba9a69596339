#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A room is planned, the control plane is killed, the room is opened: from then on it carries audio
# under the SSRCs that were minted when it was planned. Before, the data plane does not know it.
. "$(dirname "$0")/harness.sh"
LISTENERS=${LISTENERS:-20}
PACKETS_A_SECOND=50

smoke_begin
dataplane_start
controlplane_start
wait_connected
starts_ms=$((${EPOCHREALTIME/./} / 1000 + 3600000))
step "plan"
answer=$(event '{"type":"room.schedule","actor":"ann","room":"tea","slots":2,"starts_ms":'"$starts_ms"'}')
equal "state" "$(jq -r .state <<<"$answer")" scheduled
room_id=$(jq -r .room_id <<<"$answer")
equal "rooms of the data plane" "$(status .dataplane.rooms)" 0
refused conflict '{"type":"member.join","actor":"ann","room":"tea","role":"host","address":"'"$SPEAKER_ADDRESS"'","port":5004}'

step "kill the control plane"
lab_stop controlplane KILL || true
controlplane_start
wait_connected
equal "state after the kill" \
	"$(event '{"type":"room.get","room":"tea"}' | jq -r .room.state)" scheduled
equal "rooms of the data plane" "$(status .dataplane.rooms)" 0

step "open"
answer=$(event '{"type":"room.open","actor":"ann","room":"tea"}')
equal "programmed" "$(jq -r .programmed <<<"$answer")" true
equal "room id" "$(jq -r .room_id <<<"$answer")" "$room_id"
equal "rooms of the data plane" "$(status .dataplane.rooms)" 1
ssrc=$(jq -r '.ssrc[0]' <<<"$answer")
join_speaker tea ann ann 5004 1001
join_listeners tea ann "$LISTENERS"
capture_start listeners listeners
speaker_start ann 5004 1001 --level 20 --pps "$PACKETS_A_SECOND"
wait_more counter tx_packets $((LISTENERS * 50)) 20 "no audio in the room that was planned"
capture_stop listeners

# The SSRC is in bytes 8 to 11 of the RTP header (RFC 3550 section 5.1), behind 8 of UDP.
heard=$(tcpdump -n -r "$LAB_DIR/listeners.pcap" "udp[16:4] == $ssrc" 2>/dev/null | wc -l)
[ "$heard" -ge $((LISTENERS * 10)) ] || fail "only $heard packets have the SSRC of slot 0"
for ((i = 0; i < LISTENERS; i++)); do
	[ "$(tcpdump -n -r "$LAB_DIR/listeners.pcap" "dst host 10.0.1.$i" 2>/dev/null | wc -l)" -gt 0 ] ||
		fail "listener $i hears nothing"
done
