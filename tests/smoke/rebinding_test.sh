#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Promise "rebinding": listeners whose address changes, again and again, and who say so with the one
# check that Chromium sends every 2.5 s, have audio back within a second of it; the old address gets
# nothing any more. On two workers, so that checks come to one that does not own the leg.
# shellcheck source=tests/smoke/ice_harness.sh disable=SC2034
SMOKE_WORKERS=2 RELAY_PRIORITY=env # two workers that go first leave nobody a core
. "$(dirname "$0")/ice_harness.sh"
MOVES=6

ice_begin --listeners 12 --rebind "$MOVES"
wait_for 60 "the listeners do not end moving" test -s "$LAB_DIR/room.json" || fail "no result"
equal "moves" "$(jq length "$LAB_DIR/room.json")" $((12 * MOVES))
step "without audio: $(jq -r 'map(.ms) | sort | "median \(.[length / 2 | floor]) ms,
	most \(last) ms"' "$LAB_DIR/room.json")"
below "the longest time without audio after a move" "$(jq 'map(.ms) | max' "$LAB_DIR/room.json")" 1000
equal "packets to addresses that were left" "$(jq 'map(.stray) | add' "$LAB_DIR/room.json")" 0
