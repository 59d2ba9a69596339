#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A ticket opens a room and a refund closes it: after the acknowledgement no packet goes to who was
# refunded, they do not come back, nor after a kill; the others hear on; the ledger balances, also
# when the room has ended.
. "$(dirname "$0")/harness.sh"
LISTENERS=40
REFUNDED=7

smoke_begin
dataplane_start
controlplane_start
wait_connected
event '{"type":"room.open","actor":"ann","room":"tea","access":"ticketed"}' >/dev/null
event '{"type":"ticket.offer","actor":"ann","room":"tea","price":1000,"currency":"EUR","quantity":'$LISTENERS'}' >/dev/null
step "no way in without a ticket"
refused not_allowed '{"type":"member.join","actor":"ann","room":"tea","member":"l0","role":"listener","address":"10.0.1.0","port":6000}'
for ((i = 0; i < LISTENERS; i++)); do
	printf '{"type":"ticket.issue","actor":"shop","room":"tea","user":"l%d","reference":"pay-%d","price":1000,"currency":"EUR","provider_fee":30}\n' \
		"$i" "$i"
done >"$LAB_DIR/issue.jsonl"
python3 "$EVENTS" "$LAB_DIR/events.sock" <"$LAB_DIR/issue.jsonl" >"$LAB_DIR/issued.jsonl" ||
	fail "not all tickets are issued: $(tail -n 1 "$LAB_DIR/issued.jsonl")"
refused capacity '{"type":"ticket.issue","actor":"shop","room":"tea","user":"late","reference":"pay-late","price":1000,"currency":"EUR"}'
join_speaker tea ann ann 5004 1001
join_listeners tea ann "$LISTENERS"
capture_start listeners listeners
speaker_start ann 5004 1001 --payload 100 --level 20 --pps 200
wait_more counter tx_packets $((LISTENERS * 50)) 20 "no audio"

step "refund"
answer=$(event "{\"type\":\"ticket.refund\",\"actor\":\"shop\",\"reference\":\"pay-$REFUNDED\"}")
refunded_ns=$(jq -r .received_ns <<<"$answer")
equal "removed, durable, programmed" "$(jq -c '[.removed, .durable, .programmed]' <<<"$answer")" \
	"[true,true,true]"
wait_more counter tx_packets $((LISTENERS * 50)) 20 "no audio after the refund"
capture_stop listeners

# packets_to LISTENER NS: how many the capture has to it after that time.
packets_to() {
	tcpdump -n -tt --nano -r "$LAB_DIR/listeners.pcap" "dst host 10.0.1.$1" 2>/dev/null |
		awk -v after="${2:0:-9}.${2: -9}" 'BEGIN { split(after, a, "."); }
		{ split($1, t, "."); if (t[1] > a[1] || (t[1] == a[1] && t[2] > a[2])) n++ }
		END { print n + 0 }'
}
[ "$(packets_to "$REFUNDED" 1000000000)" -gt 0 ] ||
	fail "the listener got nothing before the refund either"
equal "packets to the refunded listener after the acknowledgement" \
	"$(packets_to "$REFUNDED" "$refunded_ns")" 0
[ "$(packets_to $((REFUNDED + 1)) "$refunded_ns")" -gt 50 ] || fail "another listener hears nothing"

back='{"type":"member.join","actor":"ann","room":"tea","member":"l'$REFUNDED'","role":"listener","address":"10.0.1.'$REFUNDED'","port":6000}'
refused not_allowed "$back"
step "kill -9 of the control plane"
lab_stop controlplane KILL || true
controlplane_start
wait_connected
refused not_allowed "$back"
equal "tickets that are left" "$(event '{"type":"room.get","room":"tea"}' | jq .room.tickets.left)" 1

step "the room ends"
event '{"type":"room.close","actor":"ann","room":"tea"}' >/dev/null
answer=$(event '{"type":"ticket.refund","actor":"shop","reference":"pay-8","reason":"too short"}')
equal "removed" "$(jq .removed <<<"$answer")" false
# A fifth of 970 is 194; 38 of 40 tickets are not refunded.
equal "the ledger" "$(event '{"type":"ticket.ledger","room":"tea","limit":1}' |
	jq -c '.totals[0] | [.currency, .sum, (.accounts | map(.amount))]')" \
	'["EUR",0,[-38000,1140,7372,29488]]'
