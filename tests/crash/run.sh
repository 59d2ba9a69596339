#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The long way: kill -9 of the control plane at random instants, without a data plane, then with one;
# then every write, sync and allocation of a scenario fails, one after the other.
#
# usage: tests/crash/run.sh [--kills N] [--seed S]     (1000 kills; as root for the second half)
#   SMOKE_BUILD=DIR                                    the build directory (build/ of the tree)
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${SMOKE_BUILD:-$top/build}
kills=1000 seed=()

while [ $# -ge 2 ]; do
	case $1 in
	--kills) kills=$2 ;;
	--seed) seed=(--seed "$2") ;;
	*) break ;;
	esac
	shift 2
done
[ $# -eq 0 ] || { sed -n '4,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }

crash() {
	python3 "$top/tests/crash/kill.py" "$build/controlplane/stentor-controlplane" "$@" "${seed[@]}"
}

crash --kills $((kills - kills / 2))
crash --kills $((kills / 2)) --dataplane "$build/dataplane/stentor-dataplane"
python3 "$top/tests/crash/fail.py" "$build/controlplane/stentor-controlplane" \
	"$build/tests/support/failing.so" --dataplane "$build/dataplane/stentor-dataplane" "${seed[@]}"
