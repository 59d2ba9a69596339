#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Debian's prometheus scrapes a relay that carries audio: it is up, and says what the planes say.
. "$(dirname "$0")/harness.sh"
command -v prometheus >/dev/null || skip "prometheus is not installed"
command -v promtool >/dev/null || skip "promtool is not installed"
smoke_begin

LISTENERS=20
SPEAKER_PORT=5004
SSRC=4660

# get PATH: from the relay's own HTTP server.
get() {
	lab_in relay curl -sS --max-time 5 "http://127.0.0.1:8080$1"
}

# query EXPRESSION: the value that prometheus has, empty when it has none.
query() {
	lab_in relay curl -sS --max-time 5 -G http://127.0.0.1:9090/api/v1/query \
		--data-urlencode "query=$1" | jq -r '.data.result[0].value[1] // empty'
}

query_is() {
	[ "$(query "$1")" = "$2" ]
}

query_at_least() {
	local value
	value=$(query "$1") && [ -n "$value" ] &&
		awk -v value="$value" -v least="$2" 'BEGIN { exit !(value >= least) }'
}

step "a relay with one speaker and $LISTENERS listeners"
dataplane_start
controlplane_start
wait_connected
room_open tea ann
join_speaker tea ann ann $SPEAKER_PORT $SSRC
join_listeners tea ann $LISTENERS
sink_start $LISTENERS
speaker_start voice $SPEAKER_PORT $SSRC

step "prometheus"
cat >"$LAB_DIR/prometheus.yml" <<-END
	global:
	  scrape_interval: 1s
	scrape_configs:
	  - job_name: stentor
	    static_configs:
	      - targets: ["127.0.0.1:8080"]
END
promtool check config "$LAB_DIR/prometheus.yml" >/dev/null || fail "the configuration is not good"
lab_start relay prometheus prometheus --config.file "$LAB_DIR/prometheus.yml" \
	--storage.tsdb.path "$LAB_DIR/prometheus" --web.listen-address 127.0.0.1:9090
wait_for 30 "prometheus never scraped" query_is 'up{job="stentor"}' 1 ||
	fail "up is not 1: $(lab_in relay curl -sS http://127.0.0.1:9090/api/v1/targets)"

step "what it has scraped"
wait_for 20 "listeners" query_is 'stentor_room_listeners{room="tea"}' $LISTENERS ||
	fail "stentor_room_listeners is $(query 'stentor_room_listeners{room="tea"}')"
query_is stentor_dataplane_up 1 || fail "stentor_dataplane_up is $(query stentor_dataplane_up)"
query_is stentor_rooms 1 || fail "stentor_rooms is $(query stentor_rooms)"
query_is 'stentor_members{role="host"}' 1 || fail "the host is not counted"
query_is 'stentor_dataplane_legs' $((LISTENERS + 1)) || fail "legs: $(query stentor_dataplane_legs)"
wait_for 20 "audio" query_at_least 'stentor_room_slot_packets_total{room="tea"}' 50 ||
	fail "slot packets: $(query 'stentor_room_slot_packets_total{room="tea"}')"
wait_for 20 "copies" query_at_least 'sum(stentor_worker_transmitted_packets_total)' $((50 * LISTENERS)) ||
	fail "copies: $(query 'sum(stentor_worker_transmitted_packets_total)')"
wait_for 20 "a rate" query_at_least 'rate(stentor_room_slot_packets_total{room="tea"}[10s])' 25 ||
	fail "the rate of slot packets is not that of audio"
# One copy of each slot packet to each listener, at any moment without a fan-out under way.
wait_for 20 "a moment without a fan-out" query_is \
	"sum(stentor_worker_copies_total) - $LISTENERS * sum(stentor_worker_slot_packets_total)" 0 ||
	fail "the copies are not $LISTENERS times the slot packets"
# What a worker waits for is told each time it happens: the fan-outs' slices, the joins' commands and
# what they took until they were in force everywhere; the buckets that hold them all are as many.
query_at_least 'sum(stentor_worker_fanout_wait_seconds_count)' 50 ||
	fail "slices: $(query 'sum(stentor_worker_fanout_wait_seconds_count)')"
query_at_least 'sum(stentor_worker_commands_total)' $((LISTENERS + 1)) ||
	fail "commands: $(query 'sum(stentor_worker_commands_total)')"
for wait in stentor_worker_command_wait stentor_worker_fanout_wait stentor_dataplane_fence_delay; do
	query_at_least "sum(${wait}_seconds_count)" 1 || fail "$wait: nothing counted"
	wait_for 20 "$wait: its last bucket" query_is \
		"sum(${wait}_seconds_bucket{le=\"+Inf\"}) - sum(${wait}_seconds_count)" 0 ||
		fail "$wait: the buckets are not the count"
	query_at_least "sum(${wait}_longest_seconds > 0)" 0.0000001 || fail "$wait: no longest one"
	query_is "sum(${wait}_longest_seconds) >= bool sum(${wait}_seconds_sum) / sum(${wait}_seconds_count)" 1 ||
		fail "$wait: the longest is shorter than the mean"
done
equal "mutes before any" "$(query 'sum(stentor_worker_mute_delay_seconds_count)')" 0
event '{"type":"moderation.mute","actor":"ann","room":"tea","member":"ann"}' >/dev/null
wait_for 20 "a mute" query_is 'sum(stentor_worker_mute_delay_seconds_count)' 1 ||
	fail "mutes: $(query 'sum(stentor_worker_mute_delay_seconds_count)')"
event '{"type":"moderation.unmute","actor":"ann","room":"tea","member":"ann"}' >/dev/null
wait_for 20 "its own scrapes" query_at_least \
	'stentor_http_request_duration_seconds_count{route="metrics"}' 2 || fail "no scrapes counted"

step "promtool"
lab_in relay curl -sS -H 'Accept: text/plain' http://127.0.0.1:8080/metrics >"$LAB_DIR/metrics.txt"
promtool check metrics <"$LAB_DIR/metrics.txt" >"$LAB_DIR/promtool.log" 2>&1 ||
	fail "promtool: $(head -n 5 "$LAB_DIR/promtool.log")"
[ ! -s "$LAB_DIR/promtool.log" ] || fail "promtool: $(head -n 5 "$LAB_DIR/promtool.log")"
get /metrics | tail -n 1 | grep -qx '# EOF' || fail "OpenMetrics does not end"
# The same series with ten times the listeners.
before=$(get /metrics | wc -l)
event "$(jq -nc '{type: "member.join", actor: "ann", room: "tea", role: "listener",
	members: [range(200) | {member: "x\(.)", address: "10.0.9.\(. + 1)", port: 7000}]}')" >/dev/null
wait_for 10 "the new listeners are counted" query_is 'stentor_room_listeners{room="tea"}' \
	$((LISTENERS + 200)) || fail "the new listeners are not counted"
equal "the number of lines" "$(get /metrics | wc -l)" "$before"

step "without a data plane"
lab_stop dataplane || true
wait_for 20 "the loss of the data plane" query_is stentor_dataplane_up 0 ||
	fail "stentor_dataplane_up is $(query stentor_dataplane_up)"
query_is 'up{job="stentor"}' 1 || fail "the control plane's metrics went with the data plane"
equal "readyz" "$(lab_in relay curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/readyz)" 503
equal "healthz" "$(get /healthz)" ok
lab_stop prometheus || true
