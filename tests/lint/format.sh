#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every .c and .h is as clang-format would write it.
# usage: format.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
command -v clang-format >/dev/null || { echo "SKIP: clang-format is not installed"; exit 77; }
find . -path './build*' -prune -o -path './.*/*' -prune -o -name vmlinux.h -prune -o \
	\( -name '*.c' -o -name '*.h' \) -print0 |
	xargs -0 --no-run-if-empty clang-format --dry-run -Werror
