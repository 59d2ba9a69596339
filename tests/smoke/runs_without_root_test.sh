#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The capabilities that the systemd units give are enough: both programs under a user without any
# rights, the data plane with exactly what its unit names, over a kill -9 as well.
. "$(dirname "$0")/harness.sh"
USER_ID=65534

# unit_capabilities PROGRAM: "-all,+net_admin,..." from its unit.
unit_capabilities() {
	sed -n 's/^CapabilityBoundingSet=//p' "$SMOKE_TOP/configs/systemd/$1.service.in" |
		tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g; s/^/-all,/; s/,$//'
}

# start_unprivileged NAME PROGRAM
start_unprivileged() {
	local sets
	sets=$(unit_capabilities "${2##*/}")
	keep_log "$1"
	lab_start relay "$1" setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
		--no-new-privs --inh-caps "$sets" --ambient-caps "$sets" --bounding-set "$sets" \
		"$2" --config "$LAB_DIR/stentor.conf"
}

smoke_begin
command -v setpriv >/dev/null || skip "setpriv is not installed"
chown -R "$USER_ID:$USER_ID" "$LAB_DIR"
start_unprivileged dataplane "$DATAPLANE"
start_unprivileged controlplane "$CONTROLPLANE"
wait_connected 20
for name in dataplane controlplane; do
	equal "user of the $name" "$(stat -c %u "/proc/$(lab_pid "$name")")" "$USER_ID"
done
room_open tea ann
join_speaker tea ann ann 5004 1001
join_listeners tea ann 5
ear_start ear 0
speaker_start ann 5004 1001 --file "$SPEECH"
wait_for 20 "no audio" ear_heard ear 50 || fail "no audio"

step "kill -9 of the data plane"
lab_stop dataplane KILL || true
heard=$(wc -l <"$LAB_DIR/ear.packets")
start_unprivileged dataplane "$DATAPLANE"
wait_for 20 "no audio after the kill" ear_heard ear $((heard + 50)) || fail "no audio after the kill"
ear_stop ear
equal "authentication failures at the ear" "$(jq .auth_failures "$LAB_DIR/ear.json")" 0
