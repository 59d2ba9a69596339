#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Mute under load: after the acknowledgement no packet of the muted source is on the wire, only the
# relay's own silence frames; unmute brings it back; a removed listener gets nothing more.
. "$(dirname "$0")/harness.sh"
LISTENERS=${LISTENERS:-500}
PACKETS_A_SECOND=${PACKETS_A_SECOND:-200}
# Payload of 100 bytes; a silence frame has 3 (RFC 6716, and TRAPS 23). On the wire both carry
# header, CSRC, extension and tag, so that 100 bytes of UDP payload tell them apart.
VOICE_BYTES=100

smoke_begin
dataplane_start
controlplane_start
wait_connected
room_open tea ann
join_speaker tea ann ann 5004 1001
join_listeners tea ann "$LISTENERS"
capture_start listeners listeners
speaker_start ann 5004 1001 --payload "$VOICE_BYTES" --level 20 --pps "$PACKETS_A_SECOND"
wait_more counter tx_packets $((LISTENERS * 50)) 20 "no audio"

# voice_after NS: how many packets with voice the capture has after that time.
voice_after() {
	tcpdump -n -tt --nano -r "$LAB_DIR/listeners.pcap" "udp[4:2] >= $((8 + VOICE_BYTES))" \
		2>/dev/null | awk -v after="$1" 'BEGIN { split(after, a, "."); }
		{ split($1, t, "."); if (t[1] > a[1] || (t[1] == a[1] && t[2] > a[2])) n++ }
		END { print n + 0 }'
}
# Nanoseconds as tcpdump prints them; awk's numbers would round them.
as_time() {
	printf '%s.%s\n' "${1:0:-9}" "${1: -9}"
}

step "mute"
mute='{"type":"moderation.mute","actor":"ann","room":"tea","member":"ann"}'
answer=$(event "$mute")
muted_ns=$(jq -r .received_ns <<<"$answer")
equal "programmed" "$(jq -r .programmed <<<"$answer")" true
step "answered after $((($(jq -r .received_ns <<<"$answer") - $(jq -r .sent_ns <<<"$answer")) / 1000)) us"
# The speaker talks on; the relay has to have refused a lot of it before that counts as proof.
wait_more drop source_muted $((PACKETS_A_SECOND * 2)) 20 "the muted source is not dropped"
capture_stop listeners
voice=$(voice_after "$(as_time "$muted_ns")")
total=$(voice_after 0.0)
[ "$total" -gt $((LISTENERS * 50)) ] || fail "the capture has only $total packets with voice"
equal "packets with voice after the acknowledgement (of $total)" "$voice" 0
silence=$(tcpdump -n -r "$LAB_DIR/listeners.pcap" "udp[4:2] < $((8 + VOICE_BYTES))" 2>/dev/null | wc -l)
[ "$silence" -ge "$LISTENERS" ] || fail "mute did not end with silence frames: $silence"

step "unmute"
capture_start again listeners
event "${mute/mute/unmute}" >/dev/null
wait_more counter tx_packets $((LISTENERS * 20)) 20 "no audio after unmute"

step "remove a listener"
answer=$(event '{"type":"moderation.remove","actor":"ann","room":"tea","member":"l7"}')
removed_ns=$(jq -r .received_ns <<<"$answer")
equal "programmed" "$(jq -r .programmed <<<"$answer")" true
wait_more counter tx_packets $((LISTENERS * 50)) 20 "no audio after the removal"
capture_stop again
cp "$LAB_DIR/again.pcap" "$LAB_DIR/listeners.pcap"
[ "$(tcpdump -n -r "$LAB_DIR/again.pcap" "dst host 10.0.1.7" 2>/dev/null | wc -l)" -gt 0 ] ||
	fail "the listener got nothing before it was removed either"
late=$(tcpdump -n -tt --nano -r "$LAB_DIR/again.pcap" "dst host 10.0.1.7" 2>/dev/null |
	awk -v after="$(as_time "$removed_ns")" 'BEGIN { split(after, a, "."); }
	{ split($1, t, "."); if (t[1] > a[1] || (t[1] == a[1] && t[2] > a[2])) n++ }
	END { print n + 0 }')
equal "packets to the removed listener after the acknowledgement" "$late" 0
refused not_allowed '{"type":"member.join","actor":"l7","room":"tea","role":"listener","address":"10.0.1.7","port":6000}'

step "no index was used twice"
python3 "$ANALYSER" --source "$RELAY_LISTENERS" "$LAB_DIR/listeners.pcap" ||
	fail "an index was used twice"
