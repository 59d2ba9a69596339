#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Stentor's main job on this machine: one speaker, whose speech ffmpeg sends with its own SRTP code,
# and 20,000 listeners with a key each, through both planes, in network namespaces that are gone
# afterwards; a browser on this machine may listen too. Installs what is missing (Debian 12), builds,
# runs, counts, listens, judges.
#
# usage: configs/quickstart.sh [--listeners N] [--seconds S] [--workers N] [--stay] [--no-build]
# Exit: 0 everybody heard everything, 1 not so, 2 usage.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8

listeners=20000 seconds=20 workers=1 stay="" build=yes
room=agora host=agamemnon speaker=stentor
ear_at=10.0.0.1 first_port=5004
speaker_at=172.16.1.2 speaker_port=6000 ssrc=0x57454e54
batch=450

usage() {
	sed -n '4,11s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
	case $1 in
	--listeners) listeners=${2:-}; shift 2 || exit 2 ;;
	--seconds) seconds=${2:-}; shift 2 || exit 2 ;;
	--workers) workers=${2:-}; shift 2 || exit 2 ;;
	--stay) stay=yes; shift ;;
	--no-build) build=""; shift ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
for number in "$listeners" "$seconds" "$workers"; do
	[[ $number =~ ^[1-9][0-9]{0,6}$ ]] || { usage >&2; exit 2; }
done
((listeners <= 1000000)) || { echo "at most 1,000,000 listeners" >&2; exit 2; }

say() {
	printf '\n== %s\n' "$*"
}

die() {
	echo "quickstart: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || die "network namespaces and XDP need root"

prepare() {
	# shellcheck source=configs/packages.sh
	. configs/packages.sh
	packages_install build lab || die "packages are missing"
	if [ ! -f "$RELAY_BUILD/build.ninja" ]; then
		meson setup "$RELAY_BUILD" >build.log 2>&1 || { cat build.log; die "meson failed"; }
	fi
	ninja -C "$RELAY_BUILD" >build.log 2>&1 || { tail -n 40 build.log; die "the build failed"; }
	rm -f build.log
}

mount_filesystems() {
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf 2>/dev/null || true
	mkdir -p /dev/hugepages 2>/dev/null
	mountpoint -q /dev/hugepages || mount -t hugetlbfs hugetlbfs /dev/hugepages 2>/dev/null ||
		true
}

random_key() {
	head -c "$1" /dev/urandom | base64 -w0
}

# Requests as any application would write them, one a line.
open_room() {
	jq -cn --arg room "$room" --arg host "$host" --arg speaker "$speaker" \
		--argjson capacity "$((listeners + 10))" \
		'{type: "room.open", actor: $host, room: $room, title: "Fifty men", speakers: [$speaker],
		  capacity: $capacity}'
	join_speaker
	jq -cn --arg room "$room" --arg host "$host" --arg key "$ear_key" --arg address "$ear_at" \
		--argjson port "$first_port" \
		'{type: "member.join", actor: $host, member: "ear", room: $room, role: "listener",
		  address: $address, port: $port, suite: "AEAD_AES_128_GCM", tx_key: $key}'
}

join_speaker() {
	jq -cn --arg room "$room" --arg speaker "$speaker" --arg key "$speaker_key" \
		--arg address "$speaker_at" --argjson port "$speaker_port" --argjson ssrc "$((ssrc))" \
		'{type: "member.join", actor: $speaker, room: $room, role: "speaker", address: $address,
		  port: $port, suite: "AES128_CM_HMAC_SHA1_80", rx_key: $key, payload_type: 111,
		  ssrc: $ssrc}'
}

# The others, without keys: the relay mints one for each.
join_crowd() {
	awk -v n="$listeners" -v batch="$batch" -v room="$room" -v host="$host" \
		-v port="$first_port" 'BEGIN {
		for (i = 1; i < n; i++) {
			if ((i - 1) % batch == 0)
				printf "{\"type\":\"member.join\",\"actor\":\"%s\",\"room\":\"%s\"," \
					"\"role\":\"listener\",\"members\":[", host, room
			a = i + 1
			printf "%s{\"member\":\"l%d\",\"address\":\"10.%d.%d.%d\",\"port\":%d}",
				(i - 1) % batch ? "," : "", i, int(a / 65536), int(a / 256) % 256,
				a % 256, port
			if (i % batch == 0 || i == n - 1)
				print "]}"
		}
	}'
}

fill_room() {
	local begin=$EPOCHREALTIME
	open_room | ctl event - >"$LAB_DIR/open.out" ||
		{ cat "$LAB_DIR/open.out"; die "the room could not be opened"; }
	join_crowd | ctl event --window 4 - >"$LAB_DIR/join.out" ||
		{ tail -c 2000 "$LAB_DIR/join.out"; die "not everybody could join"; }
	printf '%s listeners joined in %.2f s\n' "$listeners" \
		"$(echo "$EPOCHREALTIME $begin" | awk '{print $1 - $2}')"
}

start_listening() {
	lab_start listeners sink "$RELAY_BUILD/perf/stentor-sink" --interface eth0 \
		--first "$ear_at:$first_port" --listeners "$listeners" --ear 0
	lab_start listeners ear "$RELAY_BUILD/perf/stentor-ear" --bind "$ear_at:$first_port" \
		--suite gcm128 --key "$ear_key" --original tests/data/speech.opus \
		--wav "$wav" --report "$LAB_DIR/ear.json"
	wait_for 10 "the sink counts" grep -q counting "$LAB_DIR/sink.log" &&
		wait_for 10 "the ear listens" grep -q listening "$LAB_DIR/ear.log"
}

# -re sends in real time; the speech is half a minute, so it goes round.
start_speaking() {
	lab_start speaker ffmpeg ffmpeg -nostdin -v error -re -stream_loop -1 \
		-i tests/data/speech.opus -sdp_file /dev/null -c:a copy -f rtp -payload_type 111 -ssrc "$((ssrc))" \
		-srtp_out_suite AES_CM_128_HMAC_SHA1_80 -srtp_out_params "$speaker_key" \
		"srtp://172.16.1.1:$RELAY_PORT?localrtpport=$speaker_port&pkt_size=1200"
}

first_copies() {
	grep '^{' "$LAB_DIR/sink.log" | tail -n 1 | jq -e '.received > 0'
}

# One row a second from what stentorctl and the sink say.
live_table() {
	local end=$((SECONDS + seconds)) row shown=
	printf '%5s  %-18s %12s %12s %7s  %s\n' TIME SPEAKING COPIES/S RECEIVED LOAD DROPS
	while ((SECONDS < end)); do
		lab_alive dataplane || die "the data plane has ended: $(tail -n 3 "$LAB_DIR/dataplane.log")"
		row=$(grep -c . "$LAB_DIR/top.log")
		if [ "$row" = "${shown:-0}" ]; then
			wait_moment
			continue
		fi
		shown=$row
		printf '%4ds  ' $((seconds - end + SECONDS))
		sed -n "${row}p" "$LAB_DIR/top.log" | jq -r --argjson received \
			"$(grep '^{' "$LAB_DIR/sink.log" | tail -n 1 | jq '.received // 0')" '
			def pad(n): tostring | if length < n then " " * (n - length) + . else . end;
			def left(n): tostring | . + " " * ([n - length, 0] | max);
			([.rooms[0].slot[]? | select(.member) | "\(.member) -\(.level) dB"][0] // "-"
				| left(18)) + " " +
			([.workers[].copies_per_s] | add | round | pad(12)) + " " +
			($received | pad(12)) + " " +
			(([.workers[].busy] | max) * 100 | round | "\(.)%" | pad(7)) + "  " +
			([.drops | to_entries[] | select(.value.total > 0)
				| "\(.key)=\(.value.total)"] | join(" ") | if . == "" then "none" else . end)
		' 2>/dev/null || echo
	done
}

sink_is_quiet() {
	[ "$(grep -c . "$LAB_DIR/sink.log")" -ge 3 ] &&
		[ "$(grep '^{' "$LAB_DIR/sink.log" | tail -n 2 | jq .received | uniq | wc -l)" = 1 ]
}

verdict() {
	lab_stop ffmpeg
	wait_for 10 "the last copies arrive" sink_is_quiet
	ctl --json status >"$LAB_DIR/status.json"
	lab_stop sink
	lab_stop ear
	tail -n 1 "$LAB_DIR/sink.log" >"$LAB_DIR/sink.json"
	jq -e '.final' "$LAB_DIR/sink.json" >/dev/null || { lab_show_logs; die "the sink has failed"; }
	[ -s "$LAB_DIR/ear.json" ] || { lab_show_logs; die "the ear has failed"; }
	jq -rn --argjson seconds "$seconds" --slurpfile status "$LAB_DIR/status.json" \
		--slurpfile sink "$LAB_DIR/sink.json" --slurpfile ear "$LAB_DIR/ear.json" '
		def one(n): n * 10 | round / 10;
		$status[0].dataplane.workers as $w | $sink[0] as $s | $ear[0] as $e |
		($w | map(.tx_packets) | add) as $sent | ($w | map(.answered) | add > 0) as $browsers |
		[
			[$s.listeners_whole == $s.listeners, "listeners served",
				"\($s.listeners_served) of \($s.listeners), \($s.listeners_whole) without a gap"],
			# A browser that listens too gets copies that the sink does not see.
			[if $browsers then $sent >= $s.received else $sent == $s.received end, "copies sent",
				"\($sent) (counted by the data plane)"],
			[$s.lost == 0 and $s.duplicated == 0, "copies received",
				"\($s.received) (counted at the listeners), \($s.lost) lost, \($s.duplicated) twice"],
			[true, "first to last copy",
				"\(one($s.spread_us_p50)) us in the middle, \(one($s.spread_us_p99)) us at p99"],
			[$e.packets > 0 and $e.auth_failures == 0 and $e.lost == 0 and $e.undecodable == 0,
				"ear: packets",
				"\($e.packets) decrypted by libsrtp2, \($e.lost) lost, \($e.auth_failures) refused"],
			[$e.packets > 0 and $e.packets == $e.unaltered, "ear: audio",
				"\($e.unaltered) of them byte for byte what ffmpeg sent"],
			[$e.seconds_speech > $seconds / 2 and $e.longest_gap_ms < 500, "ear: speech",
				"\(one($e.seconds_speech)) s of speech in \(one($e.seconds_audio)) s of audio, longest gap \($e.longest_gap_ms | round) ms"],
			[$e.loudness_dbfs > -40 and $e.loudness_dbfs < -6, "ear: loudness",
				"\(one($e.loudness_dbfs)) dBFS"]
		] | (.[] | (if .[0] then "  ok    " else "  BAD   " end) + (.[1] + "                    ")[:20] + .[2]),
		if all(.[0]) then "verdict: good" else "verdict: BAD" end
	' | tee "$LAB_DIR/verdict"
	echo "what the ear heard is in $wav"
	grep -qx 'verdict: good' "$LAB_DIR/verdict"
}

# The speaker comes back under a new key: ffmpeg counts from the start, and a key's indices never
# repeat.
speak_again() {
	speaker_key=$(random_key 30)
	jq -cn --arg room "$room" --arg speaker "$speaker" \
		'{type: "member.leave", actor: $speaker, room: $room}' | cat - <(join_speaker) |
		ctl event - >"$LAB_DIR/again.out" || { cat "$LAB_DIR/again.out"; return 1; }
	start_listening && start_speaking
}

# Where the room's page is: the control plane has chosen a free port of this machine.
find_page() {
	page=http://127.0.0.1:$(sed -n 's/.*http_listening .*port=\([0-9]*\).*/\1/p' \
		"$LAB_DIR/controlplane.log" | tail -n 1)/room/$room
}

stay_up() {
	speak_again || die "cannot go on"
	cat <<-END

		The room goes on: $page
		To speak there, put what "\$s link $room you --role speaker" prints behind ${page%%/room/*}
		Another terminal may try (Ctrl-C here ends everything):
		  cd $top; s="$RELAY_BUILD/controlplane/cli/stentorctl --socket $LAB_DIR/events.sock"
		  \$s top
		  \$s status; \$s room $room; \$s legs $room --limit 5; \$s watch --from 0
		  \$s explain $room $speaker --limit 5
		  echo '{"type":"moderation.mute","actor":"$host","room":"$room","member":"$speaker"}' | \$s event -
		  echo '{"type":"moderation.remove","actor":"$host","room":"$room","member":"l1"}' | \$s event -
		  kill -9 $(lab_pid controlplane)    # the audio goes on without the control plane
		  tcpdump of what a listener gets: ip netns exec $LAB_PREFIX-relay tcpdump -ni to-speaker
	END
	while lab_alive dataplane; do
		wait_moment
	done
	die "the data plane has ended: $(tail -n 3 "$LAB_DIR/dataplane.log")"
}

RELAY_BUILD=${RELAY_BUILD:-$top/build}
if [ -n "$build" ]; then
	say "packages and build"
	prepare
fi
mount_filesystems
LAB_QUEUES=$workers RELAY_LEGS_MAX=$((listeners + 1000))
# shellcheck source=configs/lab/lab.sh
. configs/lab/lab.sh
# shellcheck source=configs/lab/relay.sh
. configs/lab/relay.sh
# A browser of this machine finds pages at its own loopback, which counts as a secure place, and media
# at the lab's far end; it is not told of the addresses that only namespaces can reach.
# shellcheck disable=SC2034 # for relay.sh
RELAY_CONTROLPLANE_PART=host
# shellcheck disable=SC2034
RELAY_CONTROLPLANE="http_port = 0; open_listening = true;
	media_addresses = [ \"172.16.4.1:$RELAY_PORT\" ];"

say "a speaker, a relay and its listeners in network namespaces $LAB_PREFIX-*"
lab_trap
lab_up || exit 1
lab_up_host || exit 1
lab_in listeners ip address add "$ear_at/32" dev eth0
wav=$RELAY_BUILD/heard.wav
speaker_key=$(random_key 30) ear_key=$(random_key 28)
relay_up "$workers" || exit 1
ctl status | sed -n '/^data plane/,/^$/p'

say "one room, one speaker, $listeners listeners"
fill_room
start_listening || { lab_show_logs; exit 1; }
start_speaking
lab_start relay top "$RELAY_BUILD/controlplane/cli/stentorctl" \
	--socket "$LAB_DIR/events.sock" --json top

wait_for 15 "the first copies arrive" first_copies || { lab_show_logs; exit 1; }
find_page
say "on the air for $seconds s"
echo "listen in a browser on this machine: $page${stay:+ (it stays)}"
live_table
say "verdict"
verdict
result=$?
[ $result = 0 ] || lab_show_logs 10
[ -z "$stay" ] || stay_up
exit $result
