#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# stentor-bench fanout over suites and listener counts, one after the other on an otherwise idle
# machine: an array of its reports.
#
# usage: perf/fanout.sh [SECONDS [PROFILE...]]      PROFILE: "SUITE LISTENERS [SINK [ENGINE]]"
# Exit: 0 all of them are valid, 1 one could not be run, 3 one says why it is not valid.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
seconds=${1:-11}
shift
profiles=("$@")
[ $# -gt 0 ] || profiles=(
	"gcm128 1000" "gcm128 20000" "gcm128 100000" "gcm256 20000" "gcm256 100000"
	"cm80 20000" "cm80 100000" "group 20000" "group 100000"
	"gcm128 20000 memif" "group 20000 memif" "gcm128 1000 null libsrtp"
)

one() {
	build/perf/stentor-bench fanout --suite "$1" --listeners "$2" --sink "${3:-null}" \
		--engine "${4:-auto}" --seconds "$seconds" --json
}

measure_all() {
	local code=0
	for profile in "${profiles[@]}"; do
		# shellcheck disable=SC2086 # several words
		one $profile
		case $? in
		0) ;;
		3) code=3 ;;
		*) return 1 ;;
		esac
	done
	return $code
}

measure_all | jq -s .
exit "${PIPESTATUS[0]}"
