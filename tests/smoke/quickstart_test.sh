#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The quickstart keeps what it says: a good verdict, and on every way out nothing is left behind; its
# measuring sister space.sh reports every field it promises.
. "$(dirname "$0")/harness.sh"

smoke_begin
lab_down # they make their own
export LAB_PREFIX=$LAB_PREFIX-q RELAY_BUILD=$SMOKE_BUILD
output=$(mktemp)
trap 'rm -f "$output"; smoke_leave' EXIT

nothing_left() {
	! ip netns list | grep -q "^$LAB_PREFIX-" && ! compgen -G "/tmp/$LAB_PREFIX.*" >/dev/null
}

step "a good verdict"
"$SMOKE_TOP/configs/quickstart.sh" --no-build --listeners 200 --seconds 5 >"$output" 2>&1 ||
	fail "$(cat "$output")"
grep -qx 'verdict: good' "$output" || fail "no verdict: $(cat "$output")"
nothing_left || fail "namespaces or files are left"

step "stopped in the middle"
"$SMOKE_TOP/configs/quickstart.sh" --no-build --listeners 200 --seconds 60 >"$output" 2>&1 &
pid=$!
wait_for 60 "it is not on the air" grep -q 'on the air' "$output" || fail "$(cat "$output")"
# Told again and again, as impatient people and service managers do: it still tidies up.
told() {
	kill -TERM "$pid" 2>/dev/null
	wait_ended "$pid"
}
wait_for 20 "it does not stop" told || fail "it does not stop"
wait "$pid" && fail "stopped, and yet a success"
nothing_left || fail "namespaces or files are left"

step "space.sh"
# 3: the machine may have other things to do; what the measurement itself checks must hold.
"$SMOKE_TOP/perf/space.sh" --listeners 200 --seconds 3 --mutes 3 --json >"$output" || [ $? = 3 ] ||
	fail "not a measurement: $(cat "$output")"
jq -e '.validity.correct and (.results | map_values(.median) |
	.lost == 0 and .duplicated == 0 and .after_ack == 0 and
	.sent == .received and .sent == .spoken * 200 and .listeners_whole == 200 and
	.unaccounted == 0 and .mute_trials == 3 and .link_dropped == 0 and
	.worker_busy > 0 and .spread_us_p50 > 0 and .spread_us_p99 >= .spread_us_p50 and
	.latency_us_p50 > 0 and .latency_us_p99 >= .latency_us_p50 and .mute_us_p99 >= .mute_us_p50)
	and .lost == 0 and .listeners == 200 and (.tables.worker_busy.rows | length) == 1' \
	"$output" >/dev/null || fail "$(cat "$output")"
nothing_left || fail "namespaces or files are left"
