#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Promise "data plane kill -9": audio back in 1.5 s with 10,000 listeners, the muted stay muted, no
# index is used twice, listeners decode with the keys and the context they have.
. "$(dirname "$0")/harness.sh"
LISTENERS=${SMOKE_LISTENERS:-10000}
BACK_WITHIN_MS=1500
KILLS=3

smoke_begin
dataplane_start
controlplane_start
wait_connected
room_open tea ann
join_speaker tea ann ann 5004 1001
ann_key=$SPEAKER_KEY
join_speaker tea ann bob 5006 1002
join_listeners tea ann "$LISTENERS"
step "$LISTENERS listeners joined"
event '{"type":"moderation.mute","actor":"ann","room":"tea","member":"bob"}' >/dev/null
ear_start ear 0
sink_start "$LISTENERS" --ear 0
# Behind the sink only the ear's copies are left; they keep one tcpdump busy, not two cores.
capture_start ear-wire listeners "dst host $LISTENERS_FIRST"
speaker_start bob 5006 1002 --payload 100 --level 10 --pps 50
SPEAKER_KEY=$ann_key
speaker_start ann 5004 1001 --file "$SPEECH"
wait_for 20 "no audio" ear_heard ear 100 || fail "no audio"

restarted() {
	[ "$(status '.dataplane | select(.connected) | .legs')" = $((LISTENERS + 2)) ]
}
for kill in $(seq "$KILLS"); do
	step "kill -9 of the data plane, number $kill"
	heard=$(wc -l <"$LAB_DIR/ear.packets")
	lab_stop dataplane KILL || true
	dataplane_start
	wait_for 10 "audio does not come back" ear_heard ear $((heard + 100)) ||
		fail "no audio after kill $kill"
	wait_for 10 "not all legs are back" restarted || fail "$(status .dataplane.legs) legs"
	muted_from=$(drop source_muted)
	wait_for 10 "bob is no longer muted" at_least drop source_muted $((muted_from + 20)) ||
		fail "the mute did not survive kill $kill"
	step "back"
done

ear_stop ear
capture_stop ear-wire
report=$(python3 "$ANALYSER" --json --source "$RELAY_LISTENERS" "$LAB_DIR/ear-wire.pcap") ||
	fail "an index was used twice: $report"
echo "$report"
equal "streams of the one slot that was heard" "$(jq .streams <<<"$report")" 1
below "longest silence in ms" "$(jq .longest_gap_ms <<<"$report")" "$BACK_WITHIN_MS"
equal "authentication failures at the ear" "$(jq .auth_failures "$LAB_DIR/ear.json")" 0
# Everybody has got something after the last kill, not only the ear.
final=$(sink_stop)
echo "$final"
equal "listeners served" "$(jq .listeners_served <<<"$final")" "$LISTENERS"
