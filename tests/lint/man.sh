#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# mandoc finds nothing wrong with the manual pages, those that the build makes included.
# usage: man.sh PAGE...
set -euo pipefail
command -v mandoc >/dev/null || { echo "SKIP: mandoc is not installed"; exit 77; }
# Text that comes from the programs' own help has its sentences on one line.
report=$(mandoc -T lint -W warning "$@" 2>&1 | grep -v "new sentence, new line") || true
[ -z "$report" ] || { echo "$report"; exit 1; }
for page in "$@"; do
	# A page made of nothing would be right, too.
	[ "$(mandoc -T ascii "$page" | wc -l)" -gt 40 ] || { echo "$page: too short"; exit 1; }
done
