#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A keyed listener gets the floor: its leg is replaced in one transaction, at the same address. It is
# heard under its new key, it hears under its new key, and the old one opens and closes nothing.
. "$(dirname "$0")/harness.sh"
RISING=2002 # the SSRC of the listener who rises

smoke_begin
dataplane_start
controlplane_start
wait_connected
room_open tea ann
join_speaker tea ann ann 5004 1001
join_listeners tea ann 2
IFS=$'\t' read -r address port member old_key < <(sed -n 1p "$LAB_DIR/listeners.tsv")
capture_start listeners listeners
ear_start old 0
ear_start other 1
speaker_start ann 5004 1001 --payload 80 --level 20
for ear in old other; do
	wait_for 20 "$ear hears nothing" ear_heard "$ear" 50 || fail "$ear hears nothing"
done

step "$member asks and is granted the floor"
event "{\"type\":\"floor.request\",\"actor\":\"$member\",\"room\":\"tea\",\"ssrc\":$RISING,\"audio_level_id\":1}" >/dev/null
answer=$(event "{\"type\":\"floor.grant\",\"actor\":\"ann\",\"room\":\"tea\",\"member\":\"$member\"}")
equal "programmed" "$(jq -r .programmed <<<"$answer")" true
new_key=$(jq -r .tx_key <<<"$answer")
[ "$new_key" != "$old_key" ] || fail "the key is the old one"

step "the old key opens nothing any more"
wait_more counter tx_packets 200 20 "no audio after the promotion"
ear_stop old
[ "$(jq .auth_failures "$LAB_DIR/old.json")" -gt 50 ] ||
	fail "packets to $address are still under the old key: $(cat "$LAB_DIR/old.json")"

step "the new one does"
ear_at new "$address" "$port" gcm128 "$new_key"
wait_for 20 "$member hears nothing" ear_heard new 50 || fail "$member hears nothing"
ear_stop new
equal "packets that $member could not authenticate" "$(jq .auth_failures "$LAB_DIR/new.json")" 0

step "under the old key nobody speaks"
lab_stop ann TERM || true
rise() {
	lab_start listeners "$1" "$SPEAKER" --bind "$address:$port" --to "$RELAY_LISTENERS:$MEDIA_PORT" \
		--suite gcm128 --key "$2" --ssrc "$RISING" --payload-type 111 --level-id 1 \
		--report "$LAB_DIR/$1.json" --payload 80 --level 20
}
forwarded=$(counter forwarded)
rise thief "$old_key"
wait_more drop srtp_auth 100 20 "what comes under the old key is not refused"
lab_stop thief TERM || true
equal "packets forwarded from the old key" "$(counter forwarded)" "$forwarded"

step "under the new one $member is heard"
other=$(wc -l <"$LAB_DIR/other.packets")
rise "$member" "$(jq -r .rx_key <<<"$answer")"
wait_for 20 "nobody hears $member" ear_heard other $((other + 100)) || fail "nobody hears $member"
holds() {
	[ "$(event '{"type":"room.get","room":"tea"}' |
		jq -r '[.room.slot[] | select(.member != null) | .member] | join(",")')" = "$member" ]
}
wait_for 10 "$member does not hold the slot" holds || fail "$member does not hold a slot"

step "and gives the floor back"
answer=$(event "{\"type\":\"floor.release\",\"actor\":\"$member\",\"room\":\"tea\"}")
equal "programmed" "$(jq -r .programmed <<<"$answer")" true
wait_more drop source_muted 100 20 "$member is still heard"
ear_stop other
equal "packets that the other could not authenticate" \
	"$(jq .auth_failures "$LAB_DIR/other.json")" 0
capture_stop listeners

step "no index was used twice"
python3 "$ANALYSER" --source "$RELAY_LISTENERS" "$LAB_DIR/listeners.pcap" ||
	fail "an index was used twice"
