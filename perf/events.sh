#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Measures what the control plane takes, keeps and brings back: acknowledged durable events, joins of
# a large room up to the data plane (on a null port), memory of a member, restarts. README.md has the
# method; options are those of stentor-bench events.
#
# usage: perf/events.sh [--members N] [--batch N] [--connections N] [--window N] [--seconds S]
#                       [--folder DIR] [--repeats N]
# As root. JSON. Exit: 0 valid, 1 could not measure, 2 usage, 3 the report says why it is not valid.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
export LC_ALL=C.UTF-8

exec "${BENCH_BUILD:-build}/perf/stentor-bench" events "$@" --json
