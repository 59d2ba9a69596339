#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Promise "accepted = durable": while audio runs, the control plane is killed under a storm of events
# and its disk is filled up. No acknowledged event is lost, what makes a room safer works without a
# disk and says so, and no listener misses a packet. tests/crash/run.sh kills it 1,000 times.

# A file system of its own to fill, in a mount namespace of its own.
if [ -z "${SMOKE_MOUNTS:-}" ] && [ "$(id -u)" -eq 0 ]; then
	export SMOKE_MOUNTS=own
	exec unshare --mount bash "$0" "$@"
fi
. "$(dirname "$0")/harness.sh"
LISTENERS=${SMOKE_LISTENERS:-100}
KILLS=${SMOKE_KILLS:-4}
JOURNAL=$SMOKE_TOP/tests/crash/journal.py

smoke_begin
mount -t tmpfs -o size=16m tmpfs /mnt || skip "a tmpfs cannot be mounted here"
controlplane_with_disk() {
	controlplane_start -o database=/mnt/stentor.db -o answer_timeout_ms=500
	wait_connected
}
dataplane_start -o stale_ms=5000
controlplane_with_disk
room_open tea ann
join_speaker tea ann ann 5004 1001
ann_key=$SPEAKER_KEY
join_speaker tea ann bob 5006 1002
join_listeners tea ann "$LISTENERS"
link_before=$(lab_link_dropped)
ear_start ear 0
sink_start "$LISTENERS" --ear 0
SPEAKER_KEY=$ann_key
speaker_start ann 5004 1001 --file "$SPEECH"
wait_for 20 "no audio" ear_heard ear 50 || fail "no audio"

for ((kill = 1; kill <= KILLS; kill++)); do
	python3 "$JOURNAL" write "$LAB_DIR/events.sock" "$LAB_DIR/journal.$kill" "$kill" >"$LAB_DIR/storm.log" &
	storm=$!
	seq_before=$(status .seq)
	heard=$(wc -l <"$LAB_DIR/ear.packets")
	written() {
		[ "$(status .seq)" -gt $((seq_before + 40 * kill)) ]
	}
	wait_for 30 "the storm does not begin" written || fail "no storm: $(cat "$LAB_DIR/storm.log")"
	lab_stop controlplane KILL || true
	wait "$storm" || fail "the storm ended with $?: $(cat "$LAB_DIR/storm.log")"
	controlplane_with_disk
	step "kill $kill: $(cat "$LAB_DIR/storm.log")"
	python3 "$JOURNAL" check "$LAB_DIR/events.sock" "$LAB_DIR/journal.$kill" ||
		fail "what was accepted before kill $kill is not there"
	wait_for 30 "audio stops" ear_heard ear $((heard + 25)) || fail "audio stops at kill $kill"
done

# The storm drains the box now and then; what it left is not what is tested here.
event '{"type":"drain","actor":"app","on":false}' >/dev/null

step "the disk is full"
join_listener tea ann guest 10.0.9.1 6000 AEAD_AES_128_GCM "$(random_key 28)"
dd if=/dev/zero of=/mnt/filler bs=4k >/dev/null 2>&1 || true
[ "$(df --output=avail /mnt | tail -n 1)" -eq 0 ] || fail "the disk is not full"
ask() {
	python3 "$EVENTS" "$LAB_DIR/events.sock" "$1" || true
}
# The log before the database has room left until it is full itself, and is not emptied into the
# database any more. A large change finds it full before a small one does.
python3 - >"$LAB_DIR/updates.jsonl" <<-'END'
	import json
	for number in range(100):
	    print(json.dumps({"type": "room.update", "actor": "ann", "room": "tea",
	                      "title": f"{number} " + "t" * 250}))
END
disk_is_felt() {
	! python3 "$EVENTS" "$LAB_DIR/events.sock" <"$LAB_DIR/updates.jsonl" >"$LAB_DIR/updated.jsonl" &&
		jq -es 'all(.[]; .ok == false and .error.code == "unavailable")' \
			"$LAB_DIR/updated.jsonl" >/dev/null
}
wait_for 30 "nothing is refused on a full disk" disk_is_felt || fail "the disk is not felt"
heard=$(wc -l <"$LAB_DIR/ear.packets")
# A mute writes fewer pages than an update and may still find room: each repeated one takes of it.
mutes=0
mute_is_not_durable() {
	mutes=$((mutes + 1))
	answer=$(ask '{"type":"moderation.mute","actor":"ann","room":"tea","member":"bob"}')
	[ "$(jq .durable <<<"$answer")" != true ]
}
wait_for 30 "mutes find room on a full disk" mute_is_not_durable || fail "the disk is never full"
equal "a mute on a full disk" "$(jq -c '[.ok,.durable,.programmed]' <<<"$answer")" '[true,false,true]'
answer=$(ask '{"id":"full-out","type":"moderation.remove","actor":"ann","room":"tea","member":"guest"}')
equal "a removal on a full disk" "$(jq -c '[.ok,.durable,.programmed]' <<<"$answer")" '[true,false,true]'
refused unavailable '{"type":"member.join","actor":"zoe","room":"tea","role":"listener","transport":"webrtc"}'
equal "the store in status" "$(status .store.ok)" false
wait_for 30 "audio stops" ear_heard ear $((heard + 50)) || fail "audio stops on a full disk"

step "there is space again"
rm /mnt/filler
store_works() {
	[ "$(status .store.ok)" = true ]
}
wait_for 30 "the disk is not used again" store_works || fail "the disk is not used again"
event '{"type":"member.join","actor":"zoe","room":"tea","role":"listener","transport":"webrtc"}' >/dev/null
lab_stop controlplane KILL || true
controlplane_with_disk
refused not_allowed '{"type":"member.join","actor":"guest","room":"tea","role":"listener","transport":"webrtc"}'
event '{"type":"moderation.unmute","actor":"ann","room":"tea","member":"bob"}' >/dev/null
python3 - "$LAB_DIR/events.sock" "$(status .seq)" "$mutes" <<-'END' || fail "the log has a gap, or the late events are not in it"
	import json
	import socket
	import sys
	stream = socket.socket(socket.AF_UNIX)
	stream.connect(sys.argv[1])
	stream.sendall(b'{"id":"s","type":"subscribe","from":0}\n')
	lines = (json.loads(line) for line in stream.makefile("rb"))
	events = [next(lines) for _ in range(int(sys.argv[2]) + 1)]
	events = [event for event in events if "seq" in event and "ok" not in event]
	assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
	said = [(event["type"], event.get("member") or event.get("left")) for event in events
	        if event.get("room") == "tea"]
	assert said.count(("member.muted", "bob")) == int(sys.argv[3]), said[-9:]
	assert said.count(("member.left", ["guest"])) == 1, said[-9:]
END

step "stop and count"
lab_stop ann || true
wait_more counter rx_packets 0 10 "the data plane is gone"
ear_stop ear
final=$(sink_stop)
echo "$final"
link=$(($(lab_link_dropped) - link_before))
[ "$link" = 0 ] || step "the link itself dropped $link"
equal "copies lost by the relay" $(($(jq .lost <<<"$final") - link)) 0
equal "copies duplicated" "$(jq .duplicated <<<"$final")" 0
equal "authentication failures at the ear" "$(jq .auth_failures "$LAB_DIR/ear.json")" 0
equal "packets the ear lost" "$(jq .lost "$LAB_DIR/ear.json")" 0
