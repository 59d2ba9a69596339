#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Browsers join in one repeat of perf/joins.sh as in the other: everybody, into an empty relay.
set -uo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
export LAB_PREFIX=${LAB_PREFIX:-stjr$$} RELAY_BUILD=${SMOKE_BUILD:-$top/build}

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# The second one needs what the first one had: names, addresses, sockets. 3: other things to do.
report=$("$top/perf/joins.sh" --joins 40 --listeners 20 --repeats 2 --json) || [ $? = 3 ] || fail "joins.sh"
jq -e '.parameters.repeats == 2 and .results.joined.repeats == [40, 40] and
	.results.failed.repeats == [0, 0] and .results.verified.repeats == [4, 4] and
	.results.lost.repeats == [0, 0] and .results.duplicated.repeats == [0, 0] and
	.results.sent.repeats == [.results.spoken.repeats[] * 20] and
	(.results.spoken.repeats | min) > 0 and
	.results.received.repeats == .results.sent.repeats and
	([.results | del(.link_dropped)[] | .repeats | length] | unique) == [2]' <<<"$report" >/dev/null ||
	fail "two repeats: $report"

# Grown memory is not measured twice, and nothing is set up to find that out.
"$top/perf/joins.sh" --joins 10 --hold --repeats 2 >/dev/null 2>&1
[ $? = 2 ] || fail "--hold with repeats was taken"
