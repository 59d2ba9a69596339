#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# TRAPS 3: checks without or with a wrong integrity, with a foreign ufrag, guessed ufrags, attributes
# absent, doubled, oversized and out of order, cut at every byte: from a stranger's address and under
# the legs' own. Nobody is answered, no leg notices.
. "$(dirname "$0")/ice_harness.sh"

ice_begin
for attack in unauthentic guesses signed; do
	ice_attack "$attack"
	equal "datagrams to the stranger" "$(attacked '[.back[].count] | add // 0')" 0
	# What the veth loses under load was not judged.
	reached=$(attacked '[.drops[]] | add')
	[ "$reached" -ge $(($(attacked .sent) * 9 / 10)) ] || fail "only $reached were judged"
done
equal "reasons for guesses that reached a leg" \
	"$(ATTACK=guesses attacked '.drops.stun_integrity // 0')" 0
[ "$(ATTACK=unauthentic attacked .drops.stun_integrity)" -ge 500 ] || fail "integrity was not asked"
ice_end
