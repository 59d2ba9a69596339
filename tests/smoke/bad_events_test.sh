#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# JSON lines of every kind of badness through the live socket: an error each, nothing changed.
. "$(dirname "$0")/harness.sh"
smoke_begin
controlplane_start
python3 "$SMOKE_TOP/tests/support/bad_events.py" "$LAB_DIR/events.sock" ||
	fail "a bad line was not answered as it should be"
lab_stop controlplane || fail "the control plane ended with $?"
