#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Promise "mirror", TRAPS 4 and 5: checks replayed from, or stolen and sent from, the addresses of
# victims; DTLS, SRTP and SRTCP from unvalidated tuples. A victim never gets more bytes than were sent
# in its name, and for anything but a check nothing at all. No audio ever goes there.
. "$(dirname "$0")/ice_harness.sh"

ice_begin
ice_attack replays
equal "datagrams to where checks were replayed from" "$(attacked '[.back[].count] | add // 0')" 0
equal "checks that were not known as replays" "$(attacked '.sent - .drops.stun_replay')" 0

ice_attack early
equal "datagrams to where media came from" "$(attacked '[.back[].count] | add // 0')" 0
[ "$(attacked .drops.dtls_unvalidated)" -ge 1000 ] || fail "the DTLS was not judged"
[ "$(attacked .drops.no_leg)" -ge 1000 ] || fail "the media was not judged"

ice_attack stolen
equal "victims that got more than was sent in their name" "$(attacked '.from as $from |
	[.back | to_entries[] | select(.value.bytes > ($from[.key].bytes // 0))] | length')" 0
equal "what was no STUN" "$(attacked '[.back[] | .count - .stun] | add')" 0
[ "$(attacked '.back | length')" -ge 4 ] || fail "no victim was challenged: nothing is proven"
ice_end
