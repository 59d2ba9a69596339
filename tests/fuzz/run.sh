#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Fuzzes every target, or those named, with libFuzzer under ASan and UBSan.
# usage: tests/fuzz/run.sh SECONDS_EACH [TARGET...]
# What is found stays in build-fuzz/found/; inputs worth keeping are minimised into corpus/ by hand.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:?usage: $0 SECONDS_EACH [TARGET...]}
shift
build="$top/build-fuzz"

if [ ! -f "$build/build.ninja" ]; then
	CC=clang meson setup "$build" "$top" -Db_sanitize=address,undefined -Db_lundef=false \
		-Dc_args=-fsanitize=fuzzer-no-link >/dev/null
fi
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
	for source in "$top"/tests/fuzz/fuzz_*.c; do
		name=$(basename "$source" .c)
		targets+=("${name#fuzz_}")
	done
fi

mkdir -p "$build/found"
for name in "${targets[@]}"; do
	ninja -C "$build" "tests/fuzz/fuzz_$name" >/dev/null
	work="$build/corpus/$name"
	mkdir -p "$work"
	printf '%-12s ' "$name"
	if ! "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -verbosity=0 \
		-print_final_stats=1 -artifact_prefix="$build/found/$name-" \
		"$work" "$top/tests/fuzz/corpus/$name" >"$build/$name.log" 2>&1; then
		echo "FAILED"
		tail -n 40 "$build/$name.log"
		exit 1
	fi
	sed -n 's/^stat::number_of_executed_units: */executions: /p' "$build/$name.log"
done
