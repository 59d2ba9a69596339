#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Measures what the control plane takes, keeps and brings back: acknowledged durable events, joins of
# a large room up to the data plane (on a null port), memory of a member, restarts. README.md has the
# method; options are those of stentor-bench events.
#
# usage: perf/events.sh [--members N] [--batch N] [--connections N] [--window N] [--seconds S]
#                       [--folder DIR]
# As root. JSON. Exit: 0 measured, 1 something was refused, 2 usage, 3 could not measure.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 3
export LC_ALL=C.UTF-8

folder=/var/tmp
arguments=("$@")
for ((i = 0; i + 1 < $#; i++)); do
	[ "${arguments[i]}" != --folder ] || folder=${arguments[i + 1]}
done
load=$(cut -d ' ' -f 1 /proc/loadavg)
result=$("${BENCH_BUILD:-build}/perf/stentor-bench" events "$@")
code=$?
[ "$code" -le 1 ] || exit "$code"
jq --arg command "perf/events.sh${*:+ $*}" \
	--arg commit "$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" \
	--arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
	--arg cpus "$(nproc)" --arg kernel "$(uname -r)" --arg load "$load" \
	--arg filesystem "$(stat -f -c %T "$folder")" --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
	'. + {command: $command, commit: $commit, cpu: $cpu, cpus: ($cpus | tonumber),
	  kernel: $kernel, filesystem: $filesystem, load_average: ($load | tonumber),
	  date: $date}' <<<"$result"
exit "$code"
