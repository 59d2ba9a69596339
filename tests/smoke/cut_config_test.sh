#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# configs/stentor.conf cut anywhere, through --check of the real programs: refused with 78, file and
# reason, or accepted; never a crash. (The tables are cut at every byte by test_stentor_conf.)
. "$(dirname "$0")/harness.sh"
STRIDE=${SMOKE_CUT_STRIDE:-83}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
conf=$SMOKE_TOP/configs/stentor.conf

for program in "$DATAPLANE" "$CONTROLPLANE"; do
	"$program" --config "$conf" --check >"$folder/whole" || fail "$program refuses stentor.conf"
	"$program" --config "$folder/whole" --check >"$folder/again" ||
		fail "$program refuses what it printed"
	cmp -s "$folder/whole" "$folder/again" || fail "$program prints something else the second time"
	refused=0
	for ((cut = 0; cut < $(stat -c %s "$conf"); cut += STRIDE)); do
		head -c "$cut" "$conf" >"$folder/cut.conf"
		code=0
		"$program" --config "$folder/cut.conf" --check >"$folder/out" 2>"$folder/error" ||
			code=$?
		case $code in
		0) cmp -s "$folder/whole" "$folder/out" || fail "$program: cut at $cut means something else" ;;
		78)
			refused=$((refused + 1))
			grep -q "cut.conf" "$folder/error" || fail "$program: cut at $cut: no reason"
			;;
		*) fail "$program: cut at $cut: exit code $code: $(cat "$folder/error")" ;;
		esac
	done
	[ "$refused" -gt 10 ] || fail "$program refused only $refused cut files"
	step "${program##*/}: $refused refused"
done
