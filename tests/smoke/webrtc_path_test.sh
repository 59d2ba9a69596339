#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Browsers' legs on the real data plane, programmed by hand over table.sock: nothing is looked at
# before a check, a path counts when it has answered our challenge, DTLS goes both ways, a leg is
# found again at another port, a removed one is met with silence, and after a restart of the data
# plane the paths that were validated are used at once (TRAPS 3-5, 31). Two workers: whichever queue
# a packet came to.
# shellcheck disable=SC2034 # of the harness
SMOKE_WORKERS=${SMOKE_WORKERS:-2}
. "$(dirname "$0")/harness.sh"
export SMOKE_WORKERS

smoke_begin
dataplane_start
for relay in "$RELAY_SPEAKER" fd00:1::1; do
	step "as $relay"
	lab_in speaker python3 "$SMOKE_TOP/tests/smoke/webrtc_path.py" live "$LAB_DIR/table.sock" \
		"$LAB_DIR/state" "$relay" "$MEDIA_PORT" || fail "browsers at $relay"
	lab_stop dataplane KILL || true
	dataplane_start
	lab_in speaker python3 "$SMOKE_TOP/tests/smoke/webrtc_path.py" again "$LAB_DIR/table.sock" \
		"$LAB_DIR/state" "$relay" "$MEDIA_PORT" || fail "browsers at $relay after a restart"
	lab_stop dataplane || fail "the data plane does not end"
	dataplane_start
done
