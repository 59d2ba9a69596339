#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every shell script parses, and shellcheck has nothing to say about it.
# usage: shell.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
scripts=()
while IFS= read -r -d '' script; do
	scripts+=("$script")
	bash -n "$script"
done < <(find . -path './build*' -prune -o -path './.git' -prune -o \
	\( -name '*.sh' -o -path './.ci/run' \) -print0)
[ ${#scripts[@]} -gt 0 ] || exit 0
command -v shellcheck >/dev/null || { echo "SKIP: shellcheck is not installed"; exit 77; }
shellcheck --shell=bash --severity=warning --external-sources "${scripts[@]}"
