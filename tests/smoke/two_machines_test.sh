#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A relay box and a load box with one cable between them: what generate says it sent is what sink
# counts, for one speaker and for several, programmed over events.sock and by a file, once and again.
set -uo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
LAB_PREFIX=${LAB_PREFIX:-st2m$$} RELAY_BUILD=${SMOKE_BUILD:-$top/build} RELAY_LEGS_MAX=4096
export STENTOR_BENCH_ROOT=$$
# shellcheck source=configs/lab/lab.sh
. "$top/configs/lab/lab.sh"
# shellcheck source=configs/lab/relay.sh
. "$top/configs/lab/relay.sh"
# shellcheck disable=SC2034 # read by lab.sh
LAB_PARTS=(load) LAB_LISTENERS=1
bench=$RELAY_BUILD/perf/stentor-bench

fail() {
	echo "FAIL: $*" >&2
	lab_show_logs
	exit 1
}

lab_trap
lab_up >&2 || exit 1
relay_up >&2 || exit 1

sink_options=()
# measure NAME SPEAKERS OPTION...: both reports, sink's first, as an array on standard output. 3: the
# machine may have other things to do; what the measurement itself checks must hold.
measure() {
	local name=$1 speakers=$2 to=(--first 10.0.0.1:5004 --listeners 100 --ports-per-address 10)
	shift 2
	lab_start load "sink-$name" "$bench" sink --interface eth0 "${to[@]}" \
		--speakers "$speakers" --seconds 60 --log "$LAB_DIR/$name.run" --json "${sink_options[@]}"
	wait_for 20 "the sink does not count" grep -q 'counting on' "$LAB_DIR/sink-$name.log" || return 1
	lab_in load "$bench" generate --relay "172.16.1.1:$RELAY_PORT" --speaker 172.16.1.2:6000 \
		"${to[@]}" --speakers "$speakers" --room "$name" --seconds 2 \
		--log "$LAB_DIR/$name.run" --json "$@" \
		>"$LAB_DIR/generate-$name.json" 2>"$LAB_DIR/generate-$name.log" || [ $? = 3 ] ||
		return 1
	wait_for 60 "the sink does not end" wait_ended "$(lab_pid "sink-$name")" || return 1
	grep -v '^stentor-bench' "$LAB_DIR/sink-$name.log" | jq -s . - "$LAB_DIR/generate-$name.json"
}

# holds REPORTS CONDITION: of $sink and $source. A speaker who is late is the machine's fault too.
holds() {
	jq -e "def sound: all(.validity.reasons[]; test(\"^other processes|^the hypervisor|^a fixed loop\" +
		\"|packets were late\")); .[0] as \$sink | .[1] as \$source | $2" <<<"$1" >/dev/null
}

result=$(measure one 1 --events "$LAB_DIR/events.sock") || fail "one speaker"
holds "$result" '($source | sound) and ($sink | sound) and
	$source.spoken >= 90 and $source.spoken == $source.slot_packets and
	$sink.sent == $source.spoken * 100 and $sink.received == $sink.sent and $sink.lost == 0 and
	$sink.duplicated == 0 and $sink.listeners_whole == 100 and $sink.latency_us_p50 > 0 and
	$sink.spread_us_p99 >= $sink.spread_us_p50 and $sink.peak_per_s > 4000 and
	([$sink.tables.seconds.rows[][2]] | add) == $sink.sent' ||
	fail "one speaker: $result"

# legs_left N: that many the data plane still has.
legs_left() {
	[ "$(ctl --json status | jq .dataplane.legs)" = "$1" ]
}
legs_left 0 || fail "the generator has left legs behind: $(ctl status)"

# Three times, and each time it is the packets and the copies of that one alone: its listeners get all
# of them and nothing else, so whatever came of another repeat, or was counted twice, would show.
result=$(measure again 1 --repeats 3 --events "$LAB_DIR/events.sock") || fail "three repeats"
holds "$result" '($source | sound) and ($sink | sound) and
	$source.parameters.repeats == 3 and $sink.parameters.repeats == 3 and
	([$source.results[], $sink.results[] | .repeats | length] | unique) == [3] and
	($source.results.spoken.repeats | min) >= 90 and
	$source.results.spoken.repeats == $source.results.slot_packets.repeats and
	$sink.results.sent.repeats == [$source.results.spoken.repeats[] * 100] and
	$sink.results.received.repeats == $sink.results.sent.repeats and
	$sink.results.received.repeats == $source.results.tx_packets.repeats and
	$sink.results.received.median == ($sink.results.received.repeats | sort | .[1]) and
	$sink.results.lost.maximum == 0 and $sink.results.duplicated.maximum == 0 and
	$sink.results.listeners_whole.minimum == 100 and
	([$sink.tables.seconds.rows | group_by(.[3])[] | map(.[2]) | add]) ==
		$sink.results.sent.repeats' || fail "three repeats: $result"
legs_left 0 || fail "three repeats have left legs behind: $(ctl status)"

# The two ends were told different numbers: they go by the generator's, and the sink says so.
sink_options=(--repeats 3)
result=$(measure unlike 1 --repeats 2 --events "$LAB_DIR/events.sock") || fail "unlike repeats"
sink_options=()
holds "$result" '$sink.validity.correct == false and ($source | sound) and
	($sink.validity.reasons[0] | test("2 repeats, not 3")) and
	($sink.results.received.repeats | length) == 2' || fail "unlike repeats: $result"

# By a file: who reads it says so by a line.
mkfifo "$LAB_DIR/go"
{
	for file in events.json events.json.2; do
		wait_for 60 "no $file" grep -qs "$file is written" "$LAB_DIR/generate-four.log" &&
			ctl event "$LAB_DIR/$file" >>"$LAB_DIR/events.log" && echo go
	done
} >"$LAB_DIR/go" &
result=$(measure four 4 --ramp 1 --repeats 2 --write "$LAB_DIR/events.json" <"$LAB_DIR/go") || fail "four speakers"
holds "$result" '($source | sound) and ($sink | sound) and
	$source.results.spoken.minimum >= 4 * 90 + (1 + 2 + 3) * 45 and
	($sink.results.sent.repeats | length) == 2 and $sink.results.sent.minimum > 0 and
	$sink.results.received.repeats == $sink.results.sent.repeats and
	$sink.results.lost.maximum == 0 and $sink.results.duplicated.maximum == 0 and
	$sink.results.listeners_served.minimum == 100' || fail "four speakers: $result"
