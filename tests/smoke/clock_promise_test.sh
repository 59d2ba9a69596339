#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Promise "clock": the wall clock of both programs is set a year ahead and a year back, under audio
# and over restarts. No packet and no member is lost, mutes and lives last as long as they should;
# scheduled rooms and reminders follow the wall clock, and nothing happens twice.
. "$(dirname "$0")/harness.sh"
LISTENERS=${SMOKE_LISTENERS:-50}
DAY_MS=86400000
YEAR_MS=$((365 * DAY_MS))

smoke_begin
python3 -c 'import sys; open(sys.argv[1], "wb").write(bytes(8))' "$LAB_DIR/clock"
# Both programs under the library.
for program in "$DATAPLANE" "$CONTROLPLANE"; do
	printf '#!/bin/sh\nexport CLOCK_FILE=%s LD_PRELOAD=%s\nexec %s "$@"\n' "$LAB_DIR/clock" \
		"$SMOKE_BUILD/tests/support/shifted_clock.so" "$program" >"$LAB_DIR/${program##*/}"
	chmod +x "$LAB_DIR/${program##*/}"
done
DATAPLANE=$LAB_DIR/stentor-dataplane CONTROLPLANE=$LAB_DIR/stentor-controlplane

# step_clock MS: from now on the wall clock is off by that.
step_clock() {
	python3 - "$LAB_DIR/clock" "$1" <<-'END'
		import struct
		import sys
		with open(sys.argv[1], "r+b") as file:
		    file.write(struct.pack("=q", int(sys.argv[2])))
	END
	step "the clock is off by $(($1 / DAY_MS)) days"
}
# later DAYS: what the programs' wall clock will say by then, in Unix ms.
later() {
	echo $(($(date +%s%3N) + $(python3 -c 'import struct, sys
print(*struct.unpack("=q", open(sys.argv[1], "rb").read()))' "$LAB_DIR/clock") + $1 * DAY_MS))
}
# said TYPE [FILTER]: how many such events the log has.
said() {
	python3 - "$LAB_DIR/events.sock" "$(status .seq)" <<-'END' | jq -s "[.[] | select(.type == \"$1\") | select(${2:-true})] | length"
		import json
		import socket
		import sys
		stream = socket.socket(socket.AF_UNIX)
		stream.connect(sys.argv[1])
		stream.sendall(b'{"id":"s","type":"subscribe","from":0}\n')
		lines = (json.loads(line) for line in stream.makefile("rb"))
		count = 0
		while count < int(sys.argv[2]):
		    event = next(lines)
		    if "seq" in event and "ok" not in event:
		        count += 1
		        print(json.dumps(event))
	END
}
said_once() {
	[ "$(said "$@")" = 1 ]
}
member() {
	event "{\"type\":\"member.list\",\"room\":\"tea\",\"limit\":500}" |
		jq -c ".members[] | select(.member == \"$1\") | .$2"
}
# Nothing has happened that should not, and audio goes on.
audio() {
	local heard
	heard=$(wc -l <"$LAB_DIR/ear.packets")
	wait_for 10 "audio stops" ear_heard ear $((heard + 60)) || fail "audio stops: $*"
	equal "members that left: $*" "$(said member.left '.reason != "expired"')" 0
	equal "muted for good: $*" "$(member carol muted)" true
}

controlplane() {
	controlplane_start -o schedule_late_min=10080 -o answer_timeout_ms=500
	wait_connected
}
dataplane_start -o stale_ms=5000
controlplane
room_open tea ann
join_speaker tea ann ann 5004 1001
ann_key=$SPEAKER_KEY
join_speaker tea ann bob 5006 1002
join_speaker tea ann carol 5008 1003
join_listeners tea ann "$LISTENERS"
ear_start ear 0
link_before=$(lab_link_dropped)
sink_start "$LISTENERS" --ear 0
SPEAKER_KEY=$ann_key
speaker_start ann 5004 1001 --file "$SPEECH"
wait_for 20 "no audio" ear_heard ear 50 || fail "no audio"
ask() {
	event "$1" >/dev/null
}
for room in soon late; do
	ask "{\"type\":\"room.schedule\",\"actor\":\"ann\",\"room\":\"$room\",\"starts_ms\":$(later 1)}"
done
ask '{"type":"reminder.set","actor":"fan","room":"soon"}'
ask '{"type":"reminder.set","actor":"fan","room":"late","before_ms":60000}'
ask '{"type":"moderation.mute","actor":"ann","room":"tea","member":"carol"}'

# These last for seconds, whatever the wall clock says.
ask '{"type":"member.join","actor":"ann","room":"tea","role":"listener","member":"short","address":"10.0.9.1","port":6000,"duration_ms":14000}'
ask '{"type":"moderation.mute","actor":"ann","room":"tea","member":"bob","duration_ms":14000}'
ask '{"type":"floor.request","actor":"l1","room":"tea","duration_ms":14000}'
began=$(now_s)

step_clock $((2 * DAY_MS))
wait_for 5 "the reminders are not due" said_once reminder.due '.room == "soon"' || fail "no reminder"
wait_for 5 "the reminders are not due" said_once reminder.due '.room == "late"' || fail "no reminder"
audio "two days ahead"
step_clock 0
step_clock $((2 * DAY_MS))
step_clock $YEAR_MS
wait_for 5 "what was not started is not closed" said_once room.closed '.room == "soon"' || fail "soon stays"
wait_for 5 "what was not started is not closed" said_once room.closed '.room == "late"' || fail "late stays"
audio "a year ahead"
lasting() {
	awk -v from="$began" -v now="$(now_s)" -v most="$1" 'BEGIN { exit !(now - from < most) }'
}
bob=$(member bob muted)
short=$(member short member)
hands=$(event '{"type":"floor.list","room":"tea"}' | jq .count)
# Says something only if it was asked in time, which a busy machine may not manage.
if lasting 13; then
	equal "bob muted, a year ahead" "$bob" true
	equal "short in the room, a year ahead" "$short" '"short"'
	equal "hands, a year ahead" "$hands" 1
fi
step_clock -$YEAR_MS
audio "a year back"
wait_for 20 "bob is muted for longer than was said" said_once member.unmuted '.member == "bob"' || fail "bob"
lasting 13.9 && fail "the mute of bob did not last"
wait_for 10 "short stays for longer than was said" said_once member.left '.left == ["short"]' || fail "short"
wait_for 10 "a hand stays for longer than was said" said_once floor.expired || fail "the hand"

# Who is muted for a while stays so over a restart under another clock.
ask '{"type":"moderation.mute","actor":"ann","room":"tea","member":"bob","duration_ms":60000}'
ask "{\"type\":\"room.schedule\",\"actor\":\"ann\",\"room\":\"next\",\"starts_ms\":$(later 3)}"
ask '{"type":"reminder.set","actor":"fan","room":"next"}'
ask '{"type":"member.join","actor":"ann","room":"tea","role":"listener","member":"long","address":"10.0.9.2","port":6000,"duration_ms":60000}'
for shift in $((-YEAR_MS + DAY_MS)) $((-2 * YEAR_MS)); do
	lab_stop controlplane KILL || true
	step_clock "$shift"
	controlplane
	audio "started again with the clock off by $((shift / DAY_MS)) days"
	equal "bob muted, after a restart" "$(member bob muted)" true
	equal "long in the room, after a restart" "$(member long member)" '"long"'
done
equal "members" "$(status .members)" $((LISTENERS + 4))
step_clock 0
wait_for 5 "what was not started is not closed" said_once room.closed '.room == "next"' || fail "next stays"
equal "reminders of that room, closed before" "$(said reminder.due '.room == "next"')" 0

step "stop and count"
equal "reminders" "$(said reminder.due)" 2
equal "rooms closed" "$(said room.closed)" 3
equal "who left" "$(said member.left)" 1
lab_stop ann || true
ear_stop ear
final=$(sink_stop)
echo "$final"
link=$(($(lab_link_dropped) - link_before))
equal "copies lost by the relay" $(($(jq .lost <<<"$final") - link)) 0
equal "copies duplicated" "$(jq .duplicated <<<"$final")" 0
equal "authentication failures at the ear" "$(jq .auth_failures "$LAB_DIR/ear.json")" 0
equal "packets the ear lost" "$(jq .lost "$LAB_DIR/ear.json")" 0
