# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What the tests of ICE have in common, sourced instead of harness.sh: a room with a keyed speaker and
# WEBRTC listeners that do ICE in Python (support/ice_room.py), an ear at the first of them, and
# attacks from the stranger's namespace (support/hostile_ice.py). Without a control plane: the
# data plane alone has to hold.
# shellcheck source=tests/smoke/harness.sh
. "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

# ice_begin [OPTION...]: until there is audio; options are for ice_room.py.
ice_begin() {
	local key
	# Attacks come from few addresses: what XDP would throw away proves nothing about ICE.
	RELAY_DATAPLANE="source_limit = false;"
	smoke_begin
	dataplane_start
	SPEAKER_KEY=$(random_key 28)
	key=$(random_key 28)
	lab_start listeners room python3 "$SMOKE_TOP/tests/support/ice_room.py" \
		--table "$LAB_DIR/table.sock" --to "$RELAY_LISTENERS:$MEDIA_PORT" \
		--speaker "$SPEAKER_ADDRESS:5004" --speaker-key "$SPEAKER_KEY" --ssrc 1001 \
		--listener-key "$key" --credentials "$LAB_DIR/credentials.json" \
		--report "$LAB_DIR/room.json" "$@"
	ear_at ear "$LISTENERS_FIRST" 6000 gcm128 "$key" --original "$SPEECH"
	wait_for 20 "the listeners' checks are not answered" test -s "$LAB_DIR/credentials.json" ||
		fail "no ICE"
	speaker_start ann 5004 1001 --file "$SPEECH"
	wait_for 20 "no audio" ear_heard ear 50 || fail "no audio"
}

# ice_attack NAME: its result is in $LAB_DIR/NAME.log, of which attacked FILTER tells by jq.
ice_attack() {
	step "attack: $1"
	ATTACK=$1
	lab_start stranger "$1" python3 "$SMOKE_TOP/tests/support/hostile_ice.py" "$1" \
		--to "172.16.3.1:$MEDIA_PORT" --credentials "$LAB_DIR/credentials.json" \
		--table "$LAB_DIR/table.sock"
	wait_gone 60 "$(lab_pid "$1")" || fail "the attack $1 does not end"
	lab_stop "$1" || fail "the attack $1 failed"
	step "$(attacked '{sent, answered, drops} | tostring')"
}

attacked() {
	jq -r "$1" "$LAB_DIR/$ATTACK.log"
}

# ice_end: the audio goes on, it was heard as it was said all the time, and ICE goes on as well.
ice_end() {
	local heard
	heard=$(wc -l <"$LAB_DIR/ear.packets")
	wait_for 20 "the audio stops" ear_heard ear $((heard + 50)) || fail "the audio stops"
	lab_stop ann || true
	ear_stop ear
	lab_stop room || fail "the listeners' end failed: $(cat "$LAB_DIR/room.log")"
	heard=$(jq .packets "$LAB_DIR/ear.json")
	equal "packets the ear heard unaltered" "$(jq .unaltered "$LAB_DIR/ear.json")" "$heard"
	equal "packets the ear lost" "$(jq .lost "$LAB_DIR/ear.json")" 0
	equal "authentication failures at the ear" "$(jq .auth_failures "$LAB_DIR/ear.json")" 0
	equal "listeners whose checks were not answered, or answered wrongly" "$(jq '[.[] |
		select(.answers < .checks - 1 or .wrong > 0 or .media < 50)] | length' \
		"$LAB_DIR/room.json")" 0
}
