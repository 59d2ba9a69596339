#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# DTLS that is not as it should be, against the real programs: wrong, copied and missing
# certificates, no SRTP profile (TRAPS 9, 10), plaintext alerts (8), a ClientHello race from a third
# namespace (5), half-open handshakes (34). Whoever is honest gets in all the same.
# shellcheck disable=SC2034 # of the harness
. "$(dirname "$0")/harness.sh"
RELAY_CONTROLPLANE="handshakes_address_max = 8;"
MEMBERS=40

smoke_begin
dataplane_start
controlplane_start
wait_connected
room_open tea ann
for ((i = 0; i < MEMBERS; i++)); do
	echo "{\"id\":\"j$i\",\"type\":\"member.join\",\"actor\":\"ann\",\"room\":\"tea\",\"role\":\"listener\",\"transport\":\"webrtc\",\"member\":\"m$i\"}"
done >"$LAB_DIR/joins.jsonl"
python3 "$EVENTS" "$LAB_DIR/events.sock" <"$LAB_DIR/joins.jsonl" | jq -er '.members[0].token' \
	>"$LAB_DIR/tokens" || fail "no tokens"

step "hostile DTLS"
unvalidated=$(drop dtls_unvalidated)
lab_in relay "$SMOKE_BUILD/tests/smoke/dtls-hostile" tea "/run/netns/$LAB_PREFIX-listeners" \
	"$RELAY_LISTENERS:$MEDIA_PORT" "/run/netns/$LAB_PREFIX-stranger" "172.16.3.1:$MEDIA_PORT" \
	<"$LAB_DIR/tokens" || fail "hostile DTLS"
[ "$(drop dtls_unvalidated)" -ge $((unvalidated + 20)) ] ||
	fail "the stranger's hellos have not even been seen"
metrics=$(lab_in relay python3 -c '
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8080/metrics", timeout=5).read().decode())') ||
	fail "no metrics"
for failure in fingerprint protocol no_certificate no_profile; do
	grep -q "^stentor_dtls_handshakes_ended_total{result=\"$failure\"} [1-9]" <<<"$metrics" ||
		fail "no handshake has ended with $failure"
done
