#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# stentor-bench fanout over suites and listener counts, one after the other on an otherwise idle
# machine: an array of its results, each with command, commit, CPU and load.
#
# usage: perf/fanout.sh [SECONDS [PROFILE...]]      PROFILE: "SUITE LISTENERS [SINK [ENGINE]]"
# Exit: 0 every copy that was looked at verified, 1 not so.
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

huge_pages() {
	cat /proc/sys/vm/nr_hugepages 2>/dev/null || echo 0
}

one() {
	local command="stentor-bench fanout --suite $1 --listeners $2 --sink ${3:-null} --engine ${4:-auto} --seconds $seconds --json"
	# shellcheck disable=SC2086 # several words
	build/perf/$command | jq -c --arg command "$command" \
		--arg commit "$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" \
		--arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		--arg kernel "$(uname -r)" --argjson huge "$(huge_pages)" \
		--argjson load "$(cut -d ' ' -f 1 /proc/loadavg)" \
		--arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		'. + {command: $command, commit: $commit, cpu: $cpu, kernel: $kernel,
		  huge_pages: $huge, load_average: $load, date: $date}'
}

for profile in "${profiles[@]}"; do
	# shellcheck disable=SC2086
	one $profile || exit 1
done | jq -s .
