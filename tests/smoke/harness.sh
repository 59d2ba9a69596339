# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What every smoke test starts with: the lab with names of its own, both real programs in it, and
# checks that say what was wrong. Nothing here sleeps; every wait has a deadline and a reason. A test
# that fails prints the counters and every log; a test always removes what it made.
#
#	. "$(dirname "$0")/harness.sh"
#	smoke_begin
#	dataplane_start; controlplane_start
#	room_open tea ann
#	join tea ann bob 10.0.0.1 6000
#
# Needs: SMOKE_BUILD, the build directory (meson sets it; default: build/ of the tree).
# shellcheck disable=SC2034 # most variables are for the tests
set -euo pipefail

SMOKE_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SMOKE_BUILD=${SMOKE_BUILD:-$SMOKE_TOP/build}
SMOKE_NAME=$(basename "$0" _test.sh)
export PATH=$PATH:/usr/sbin:/sbin

DATAPLANE=$SMOKE_BUILD/dataplane/stentor-dataplane
CONTROLPLANE=$SMOKE_BUILD/controlplane/stentor-controlplane
STENTORCTL=$SMOKE_BUILD/controlplane/cli/stentorctl
SPEAKER=$SMOKE_BUILD/perf/stentor-speaker
EAR=$SMOKE_BUILD/perf/stentor-ear
SINK=$SMOKE_BUILD/perf/stentor-sink
ANALYSER=$SMOKE_TOP/tests/support/index_analyser.py
EVENTS=$SMOKE_TOP/tests/support/events.py
SPEECH=$SMOKE_TOP/tests/data/speech.opus

RELAY_SPEAKER=172.16.1.1   # the relay as the speaker sees it
RELAY_LISTENERS=172.16.2.1 # the relay as listeners see it
SPEAKER_ADDRESS=172.16.1.2

# The lab's names may not meet those of another test, or of a lab somebody keeps up.
LAB_PREFIX=${SMOKE_PREFIX:-st}$$
# shellcheck source=configs/lab/lab.sh
. "$SMOKE_TOP/configs/lab/lab.sh"
RELAY_BUILD=$SMOKE_BUILD
RELAY_LEGS_MAX=32768
# shellcheck source=configs/lab/relay.sh
. "$SMOKE_TOP/configs/lab/relay.sh"
MEDIA_PORT=$RELAY_PORT

skip() {
	echo "SKIP: $*"
	exit 77
}

fail() {
	echo "FAIL: $SMOKE_NAME: $*" >&2
	exit 1
}

step() {
	printf '%6.2f %s\n' "$(now_s)" "$*"
}

# Seconds since the test began, to the hundredth.
SMOKE_START=${EPOCHREALTIME/./}
now_s() {
	local us=$((${EPOCHREALTIME/./} - SMOKE_START))
	printf '%d.%02d' $((us / 1000000)) $((us % 1000000 / 10000))
}

smoke_leave() {
	local code=$?
	set +e
	trap - EXIT
	# Whoever reads our output may be gone; cleaning up has to go on.
	trap '' PIPE
	if [ "$code" -ne 0 ] && [ "$code" -ne 77 ]; then
		echo "--- counters" >&2
		timeout 5 "$STENTORCTL" --socket "$LAB_DIR/events.sock" --timeout 2 status >&2
		lab_show_logs 40
	fi
	lab_down
	exit "$code"
}

# smoke_begin: makes the lab and the configuration. The relay has an af_xdp port
# towards each part, or with SMOKE_WORKERS more than one an af_packet port: a veth has one AF_XDP
# queue, and every worker needs its own.
smoke_begin() {
	local program
	[ "$(id -u)" -eq 0 ] || skip "network namespaces need root"
	for program in ip jq tcpdump python3; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
	for program in "$DATAPLANE" "$CONTROLPLANE" "$STENTORCTL"; do
		[ -x "$program" ] || fail "$program was not built"
	done
	ip netns add "$LAB_PREFIX-probe" 2>/dev/null || skip "network namespaces cannot be made here"
	ip netns exec "$LAB_PREFIX-probe" true 2>/dev/null || {
		ip netns delete "$LAB_PREFIX-probe"
		skip "network namespaces cannot be entered here (is / a mount point?)"
	}
	ip netns delete "$LAB_PREFIX-probe"
	trap smoke_leave EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	lab_up || fail "the lab cannot be made"
	relay_write_config "${SMOKE_WORKERS:-1}"
	[ "${SMOKE_WORKERS:-1}" = 1 ] || sed -i "s/driver = \"af_xdp\"/driver = \"af_packet\"/
		s/queues = 1;/queues = $SMOKE_WORKERS;/" "$LAB_DIR/stentor.conf"
}

# The two programs. Arguments go behind --config: dataplane_start -o workers=2
dataplane_start() {
	keep_log dataplane
	rm -f "$LAB_DIR/table.sock"
	[ -n "$RELAY_PRIORITY" ] || relay_choose_priority 1
	# shellcheck disable=SC2086 # several words
	lab_start relay dataplane $RELAY_PRIORITY "$DATAPLANE" --config "$LAB_DIR/stentor.conf" "$@"
	wait_for 60 "the data plane does not listen on table.sock" \
		dataplane_listens || fail "no data plane"
}

dataplane_listens() {
	lab_alive dataplane || return 1
	[ -S "$LAB_DIR/table.sock" ]
}

# A program started again has a log of its own; the old one is shown as well when the test fails.
SMOKE_STARTS=0
keep_log() {
	[ ! -e "$LAB_DIR/$1.log" ] || mv "$LAB_DIR/$1.log" "$LAB_DIR/$1.$((SMOKE_STARTS += 1)).log"
}

controlplane_start() {
	keep_log controlplane
	lab_start relay controlplane "$CONTROLPLANE" --config "$LAB_DIR/stentor.conf" "$@"
	wait_for 10 "the control plane does not answer on events.sock" \
		controlplane_answers || fail "no control plane"
}

controlplane_answers() {
	# 5: it answers, but has no data plane.
	local code=0
	"$STENTORCTL" --socket "$LAB_DIR/events.sock" --timeout 2 status >/dev/null 2>&1 || code=$?
	[ "$code" -eq 0 ] || [ "$code" -eq 5 ]
}

planes_connected() {
	[ "$(status .dataplane.connected)" = true ]
}

controlplane_alone() {
	[ "$(status .dataplane.connected)" = false ]
}

wait_connected() {
	wait_for "${1:-10}" "the planes do not find each other" planes_connected ||
		fail "control plane and data plane are not connected"
}

# event JSON: prints the answer; fails the test when it is refused.
event() {
	local answer
	answer=$(python3 "$EVENTS" "$LAB_DIR/events.sock" "$1") ||
		fail "event refused: $1 -> $answer"
	printf '%s\n' "$answer"
}

# refused CODE JSON: fails the test unless it is refused with that error code.
refused() {
	local answer code
	answer=$(python3 "$EVENTS" "$LAB_DIR/events.sock" "$2") &&
		fail "event accepted, $1 expected: $2 -> $answer"
	code=$(jq -r '.error.code' <<<"$answer")
	[ "$code" = "$1" ] || fail "event refused with $code, $1 expected: $2 -> $answer"
}

# status FILTER: of the control plane's status, by jq.
status() {
	"$STENTORCTL" --socket "$LAB_DIR/events.sock" --timeout 5 --json status 2>/dev/null |
		jq -r "$1"
}

# counter NAME: summed over workers; drop NAME likewise.
counter() {
	status "[.dataplane.workers[].$1] | add"
}
drop() {
	status "[.dataplane.workers[].drops.$1 // 0] | add"
}

# at_least KIND NAME VALUE: for wait_for.
at_least() {
	local now
	now=$("$1" "$2") && [ "$now" != null ] && ((now >= $3))
}

# wait_more KIND NAME MORE SECONDS REASON: until it has grown by MORE from what it is now.
wait_more() {
	local from
	from=$("$1" "$2")
	wait_for "$4" "$5" at_least "$1" "$2" $((from + $3)) || fail "$2 did not grow by $3: $5"
}

room_open() {
	event "{\"type\":\"room.open\",\"actor\":\"$2\",\"room\":\"$1\"}" >/dev/null
}

# join_speaker ROOM HOST MEMBER PORT SSRC [SUITE]: at the speaker's end of the lab; sets SPEAKER_KEY,
# what it sends under.
join_speaker() {
	local answer
	answer=$(event "$(jq -nc --arg room "$1" --arg host "$2" --arg member "$3" \
		--arg address "$SPEAKER_ADDRESS" --argjson port "$4" --argjson ssrc "$5" \
		--arg suite "${6:-AEAD_AES_128_GCM}" '{type: "member.join", actor: $host, room: $room,
		role: (if $host == $member then "host" else "speaker" end), member: $member,
		address: $address, port: $port, ssrc: $ssrc, suite: $suite, audio_level_id: 1,
		payload_type: 111}')")
	# shellcheck disable=SC2034 # for the test
	SPEAKER_KEY=$(jq -r '.members[0].rx_key' <<<"$answer")
}

# join_listeners ROOM HOST COUNT [PORT] [SUITE]: listener i is 10.0.1.0 + i; writes address, port,
# member and key of each to $LAB_DIR/listeners.tsv.
LISTENERS_FIRST=10.0.1.0
LISTENERS_EACH=250 # in one request
join_listeners() {
	local room=$1 host=$2 count=$3 port=${4:-6000} suite=${5:-AEAD_AES_128_GCM}
	python3 - "$room" "$host" "$count" "$port" "$suite" "$LISTENERS_EACH" \
		>"$LAB_DIR/join.jsonl" <<-'END'
		import ipaddress
		import json
		import sys
		first_address = ipaddress.ip_address("10.0.1.0")
		room, host, count, port, suite, each = sys.argv[1:]
		for first in range(0, int(count), int(each)):
		    members = [{"member": f"l{i}", "address": str(first_address + i), "port": int(port)}
		               for i in range(first, min(first + int(each), int(count)))]
		    print(json.dumps({"type": "member.join", "actor": host, "room": room,
		                      "role": "listener", "suite": suite, "members": members}))
	END
	python3 "$EVENTS" "$LAB_DIR/events.sock" <"$LAB_DIR/join.jsonl" >"$LAB_DIR/joined.jsonl" ||
		fail "listeners cannot join: $(tail -n 1 "$LAB_DIR/joined.jsonl")"
	jq -r '.members[] | [.member, .tx_key] | @tsv' "$LAB_DIR/joined.jsonl" |
		awk -v port="$port" '{
			i = substr($1, 2)
			printf "10.0.%d.%d\t%d\t%s\t%s\n", 1 + i / 256, i % 256, port, $1, $2
		}' >"$LAB_DIR/listeners.tsv"
	[ "$(wc -l <"$LAB_DIR/listeners.tsv")" -eq "$count" ] || fail "not all listeners joined"
}

# speaker_start NAME PORT SSRC OPTION...: speech in real time under $SPEAKER_KEY.
speaker_start() {
	local name=$1 port=$2 ssrc=$3
	shift 3
	lab_start speaker "$name" "$SPEAKER" --bind "$SPEAKER_ADDRESS:$port" \
		--to "$RELAY_SPEAKER:$MEDIA_PORT" --suite gcm128 --key "$SPEAKER_KEY" \
		--ssrc "$ssrc" --payload-type 111 --level-id 1 --report "$LAB_DIR/$name.json" "$@"
}

# join_listener ROOM HOST MEMBER ADDRESS PORT SUITE KEY: one more, who listens already.
join_listener() {
	event "$(jq -nc --arg room "$1" --arg host "$2" --arg member "$3" --arg address "$4" \
		--argjson port "$5" --arg suite "$6" --arg key "$7" '{type: "member.join",
		actor: $host, room: $room, role: "listener", member: $member, address: $address,
		port: $port, suite: $suite, tx_key: $key}')" >/dev/null
}

# random_key BYTES: master key and salt, base64.
random_key() {
	head -c "$1" /dev/urandom | base64 -w0
}

# ear_start NAME LISTENER OPTION...: listener number LISTENER really listens; report in NAME.json.
ear_start() {
	local name=$1 address port member key
	IFS=$'\t' read -r address port member key < <(sed -n "$(($2 + 1))p" "$LAB_DIR/listeners.tsv")
	shift 2
	ear_at "$name" "$address" "$port" gcm128 "$key" "$@"
}

# ear_at NAME ADDRESS PORT SUITE KEY OPTION...
ear_at() {
	local name=$1 address=$2 port=$3 suite=$4 key=$5
	shift 5
	lab_in listeners ip address replace "$address/32" dev eth0
	lab_start listeners "$name" "$EAR" --bind "$address:$port" --suite "$suite" --key "$key" \
		--log "$LAB_DIR/$name.packets" --report "$LAB_DIR/$name.json" "$@"
	wait_for 5 "the ear at $address does not listen" udp_listens "$port" || fail "no ear"
}

# ear_stop NAME: it has to sum up first, which takes its time after a lot of audio.
ear_stop() {
	kill -TERM "$(lab_pid "$1")"
	wait_gone 150 "$(lab_pid "$1")" || fail "the ear $1 does not end"
	lab_stop "$1" || true
	[ -s "$LAB_DIR/$1.json" ] || fail "the ear $1 has not reported"
}

udp_listens() {
	lab_in listeners ss -Huln | grep -q ":$1 "
}

# ear_heard NAME COUNT: for wait_for; packets in its log.
ear_heard() {
	[ -f "$LAB_DIR/$1.packets" ] && (($(wc -l <"$LAB_DIR/$1.packets") >= $2))
}

# capture_start NAME PART [FILTER]: what arrives in that part, headers and the first bytes.
capture_start() {
	lab_start "$2" "$1" tcpdump -i eth0 -p -n -U -s 128 -B 65536 --immediate-mode \
		-w "$LAB_DIR/$1.pcap" "(${3:-udp}) and inbound"
	wait_for 10 "tcpdump does not capture in $2" grep -q "listening on" "$LAB_DIR/$1.log" ||
		fail "no capture"
}

# capture_stop NAME: when all that had come by now is in the file; one with holes proves nothing.
capture_stop() {
	CAPTURE_LINE='' CAPTURE_GOAL=''
	wait_for 10 "the capture $1 never catches up" capture_caught_up "$1" ||
		fail "the capture $1 is not whole: $(tail -n 3 "$LAB_DIR/$1.log")"
	lab_stop "$1" INT || true
	grep -q "^0 packets dropped by kernel" "$LAB_DIR/$1.log" ||
		fail "the capture $1 is not whole: $(tail -n 1 "$LAB_DIR/$1.log")"
}

# tcpdump says on SIGUSR1 what it has written and what the kernel has let through its filter. It has
# caught up when it has written as much as had come at the first look, or, since the kernel counts
# what came while it began, when neither moves any more.
capture_caught_up() {
	local said line last=$CAPTURE_LINE
	said=$(grep -c "packets captured" "$LAB_DIR/$1.log")
	kill -USR1 "$(lab_pid "$1")"
	wait_for 5 "tcpdump does not say how far it is" capture_said "$1" "$said" || return 1
	line=$(grep "packets captured" "$LAB_DIR/$1.log" | tail -n 1)
	CAPTURE_LINE=$line
	[[ $line =~ ^tcpdump:\ ([0-9]+)\ packets\ captured,\ ([0-9]+)\ packets\ received ]] || return 1
	CAPTURE_GOAL=${CAPTURE_GOAL:-${BASH_REMATCH[2]}}
	[ "${BASH_REMATCH[1]}" -ge "$CAPTURE_GOAL" ] || [ "$line" = "$last" ]
}
capture_said() {
	[ "$(grep -c "packets captured" "$LAB_DIR/$1.log")" -gt "$2" ]
}

# sink_start LISTENERS [OPTION...]: counts the copies to listeners 0 to LISTENERS-1 and drops them.
sink_start() {
	local count=$1
	shift
	lab_start listeners sink "$SINK" --interface eth0 --first "$LISTENERS_FIRST:6000" \
		--listeners "$count" "$@"
	wait_for 10 "the sink does not count" grep -q "counting on" "$LAB_DIR/sink.log" ||
		fail "no sink"
}

# sink_stop: prints its summing-up.
sink_stop() {
	lab_stop sink TERM || true
	grep '"final":true' "$LAB_DIR/sink.log" || fail "the sink did not sum up"
}

# equal WHAT GOT WANTED
equal() {
	[ "$2" = "$3" ] || fail "$1 is $2, not $3"
}

# below WHAT GOT LIMIT: numbers, fractions too.
below() {
	awk -v got="$2" -v limit="$3" 'BEGIN { exit !(got <= limit) }' ||
		fail "$1 is $2, more than $3"
}
