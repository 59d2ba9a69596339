#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The same promise with the room spread over two workers: a slot packet may be in the ring between
# them when the mute is applied on one and not yet on the other.
# shellcheck source=tests/smoke/mute_is_final_test.sh disable=SC2034
SMOKE_WORKERS=2 LISTENERS=300 PACKETS_A_SECOND=100 # af_packet takes more time a copy
. "$(dirname "$0")/mute_is_final_test.sh"
equal "workers" "$(status '.dataplane.workers | length')" 2
[ "$(status '[.dataplane.workers[].copies] | min')" -gt 0 ] || fail "one worker did all the work"
