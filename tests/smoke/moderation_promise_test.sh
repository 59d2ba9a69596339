#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Promise "moderation": final. In force on the wire before it is answered, however often; no way
# back by token, tuple, key, join or invitation; the muted stay muted, and the removed out, when they
# leave and come back and when either program is killed, or both.
. "$(dirname "$0")/harness.sh"
REPETITIONS=${SMOKE_REPETITIONS:-105}
WIRE=$SMOKE_TOP/tests/smoke/moderation_wire.py
# shellcheck disable=SC2034 # for relay.sh
RELAY_CONTROLPLANE='report_hold_count = 3; http_port = 8080;'

smoke_begin
dataplane_start
controlplane_start
wait_connected

# say NAME PORT SSRC BYTES [KEY]: that voice, known by its length, under the key of that name.
declare -A KEY
for name in ann bob eve zoe; do
	KEY[$name]=$(random_key 28)
done
say() {
	# shellcheck disable=SC2034 # for speaker_start
	SPEAKER_KEY=${KEY[${5:-$1}]}
	speaker_start "$1" "$2" "$3" --payload "$4" --level 20 --pps 100
}
say ann 5004 1001 100
say bob 5006 1002 200
say eve 5008 1003 300
say zoe 5010 1004 400
# Bob's key, from another port: a key without its tuple is nothing.
say stray 5012 1002 500 bob
jq -n --arg ann "${KEY[ann]}" --arg bob "${KEY[bob]}" --arg eve "${KEY[eve]}" \
	--arg zoe "${KEY[zoe]}" '$ARGS.named' >"$LAB_DIR/keys.json"

step "nothing after the answer, $REPETITIONS times"
lab_in listeners python3 "$WIRE" repeat "$LAB_DIR/events.sock" "$LAB_DIR/keys.json" \
	"$REPETITIONS" || fail "something came after the answer"

# join_with NAME ROLE PORT SSRC: under the key of that name.
join_with() {
	event "{\"type\":\"member.join\",\"actor\":\"ann\",\"room\":\"tea\",\"role\":\"$2\",
		\"member\":\"$1\",\"address\":\"$SPEAKER_ADDRESS\",\"port\":$3,\"ssrc\":$4,
		\"audio_level_id\":1,\"rx_key\":\"${KEY[$1]}\"}" >/dev/null
}
about() {
	event "{\"type\":\"$1\",\"actor\":\"ann\",\"room\":\"tea\",\"member\":\"$2\"}"
}
# silent BYTES[,BYTES...]: ann is heard, those are not, and the relay knows why.
silent() {
	lab_in listeners python3 "$WIRE" watch --heard 100 --silent "$1,500" ||
		fail "heard who should not be: $2"
}
web() {
	event "{\"type\":\"member.join\",\"actor\":\"ann\",\"room\":\"tea\",\"role\":\"listener\",
		\"member\":\"$1\",\"transport\":\"webrtc\"}" | jq -r '.members[0].token'
}
# http STATUS METHOD PATH HEADER [CURL OPTION...]: the header is what lets one in; $LAB_DIR/head gets
# those of the answer.
http() {
	local status wanted=$1 method=$2 path=$3 header=$4
	shift 4
	status=$(lab_in relay curl -s -m 2 -o /dev/null -D "$LAB_DIR/head" -w '%{http_code}' \
		-X "$method" -H "$header" "$@" "http://127.0.0.1:8080$path" || true)
	equal "$method $path" "$status" "$wanted"
}
bearer() {
	echo "Authorization: Bearer $1"
}

step "a room, and everything that can happen to who is in it"
event '{"type":"room.open","actor":"ann","room":"tea","title":"Tea","access":"open"}' >/dev/null
join_with ann host 5004 1001
join_with bob speaker 5006 1002
join_with eve speaker 5008 1003
join_listeners tea ann 4
lab_in listeners python3 "$WIRE" watch --heard 200 --silent 500 --count 50 || fail "bob is not heard"
lab_in listeners python3 "$WIRE" watch --heard 300 --silent 500 --count 50 || fail "eve is not heard"
removed_token=$(web gus)
banned_token=$(web hal)
share() {
	event "{\"type\":\"share.create\",\"actor\":\"ann\",\"room\":\"tea\",\"member\":\"$1\"}" |
		jq -r .code
}
removed_share=$(share gus)
banned_share=$(share hal)
offer=(-H 'Content-Type: application/sdp'
	--data-binary "@$SMOKE_TOP/tests/data/sdp/chromium_recvonly_1.sdp")
room_get=(-H 'Content-Type: application/json' --data '{"id":"g","type":"room.get"}')
http 201 POST /whep/tea "$(bearer "$removed_token")" "${offer[@]}"
http 200 POST /events "$(bearer "$banned_token")" "${room_get[@]}"
# Somebody without a name, by a link.
link=$(event '{"type":"share.create","actor":"ann","room":"tea"}' | jq -r .code)
http 201 POST /whep/tea "Stentor-Share: $link" "${offer[@]}"
guest_token=$(sed -n 's/^stentor-token: *\([^\r]*\)\r*$/\1/Ip' "$LAB_DIR/head")
http 200 POST /events "$(bearer "$guest_token")" "${room_get[@]}"
guest=$(event '{"type":"member.list","room":"tea"}' |
	jq -r '.members[].member | select(startswith("guest-"))')
about moderation.remove "$guest" >/dev/null
about moderation.mute bob >/dev/null
about moderation.demote eve >/dev/null
about moderation.remove gus >/dev/null
about moderation.ban hal >/dev/null

# refused_all: lines of a code and a request; all in one connection, one at a time.
refused_all() {
	local code request
	: >"$LAB_DIR/wanted" && : >"$LAB_DIR/asked"
	while read -r code request; do
		printf '%s\n' "$code" >>"$LAB_DIR/wanted"
		printf '%s\n' "$request" >>"$LAB_DIR/asked"
	done
	python3 "$EVENTS" "$LAB_DIR/events.sock" <"$LAB_DIR/asked" >"$LAB_DIR/answers" || true
	jq -r '.error.code // "ok"' "$LAB_DIR/answers" | diff "$LAB_DIR/wanted" - ||
		fail "not refused as they should be: $(cat "$LAB_DIR/answers")"
}

# What join says to a user, by whom: no_way_in USER SHARE
no_way_in() {
	local join='"type":"member.join","room":"tea","role":"listener","transport":"webrtc"'
	cat <<-END
		not_allowed {$join,"actor":"$1"}
		not_allowed {$join,"actor":"ann","member":"$1"}
		not_allowed {$join,"actor":"$1","share":"$2"}
		no_such_member {"type":"member.token","actor":"ann","room":"tea","member":"$1"}
	END
}

# The removed and the banned, everything they had tried again.
no_way_back() {
	local token
	for token in "$removed_token" "$banned_token" "$guest_token"; do
		http 401 POST /whep/tea "$(bearer "$token")" "${offer[@]}"
		http 401 POST /events "$(bearer "$token")" "${room_get[@]}"
		http 401 GET /events/tea "$(bearer "$token")"
	done
	http 403 POST /whep/tea "Stentor-Share: $removed_share" "${offer[@]}"
	http 403 POST /whep/tea "Stentor-Share: $banned_share" "${offer[@]}"
	{
		no_way_in gus "$removed_share"
		no_way_in hal "$banned_share"
		no_way_in "$guest" "$link"
	} | refused_all
}
muted_is_muted() {
	refused_all <<-END
		not_allowed {"type":"moderation.unmute","actor":"bob","room":"tea","member":"bob"}
		conflict {"type":"moderation.mute","actor":"bob","room":"tea","member":"bob","duration_ms":1}
	END
	wait_more drop source_muted 100 10 "nobody is muted in the data plane"
	silent 200,300 "bob is muted, eve demoted"
}
no_way_back
muted_is_muted

step "he leaves and comes back, with another key"
come_back() {
	lab_stop bob TERM || true
	KEY[bob]=$(random_key 28)
	join_with bob speaker 5006 1002
	say bob 5006 1002 200
}
event '{"type":"member.leave","actor":"bob","room":"tea"}' >/dev/null
come_back
muted_is_muted

kill_controlplane() {
	lab_stop controlplane KILL || true
	[ "${1:-}" = later ] || controlplane_start
}
kill_dataplane() {
	lab_stop dataplane KILL || true
	dataplane_start
}
step "kill -9 of the control plane"
kill_controlplane
wait_connected
no_way_back
muted_is_muted

step "kill -9 of the data plane"
kill_dataplane
wait_connected
no_way_back
muted_is_muted

step "kill -9 of both: all keys are gone, they join again"
kill_controlplane later
kill_dataplane
controlplane_start
wait_connected
ended() {
	[ "$(status .members)" = 0 ]
}
wait_for 10 "who has no key is still there" ended || fail "members without keys"
lab_stop ann TERM || true
KEY[ann]=$(random_key 28)
join_with ann host 5004 1001
say ann 5004 1001 100
join_listeners tea ann 4
come_back
no_way_back
muted_is_muted
