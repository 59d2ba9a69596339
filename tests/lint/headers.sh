#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every header compiles alone: whoever includes it needs to know nothing else.
# usage: headers.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
read -ra flags < <(pkg-config --cflags libdpdk jansson sqlite3 libsrtp2 check opus)
failed=0
while IFS= read -r -d '' header; do
	printf '#include "%s"\n' "${header#./}" |
		gcc -x c -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-parameter \
			-Wno-missing-field-initializers -I. "${flags[@]/#-I/-isystem}" -fsyntax-only - ||
		{ echo "$header does not compile alone"; failed=1; }
done < <(find . -path './build*' -prune -o -path './.*/*' -prune -o -name vmlinux.h -prune -o \
	-name '*.h' -print0)
exit $failed
