#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Browsers join in a storm: each of them gets its answer, its path, its keys and a first packet that
# libsrtp2 opens, and the listeners who are there already lose nothing meanwhile.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
LAB_PREFIX=stj$$ RELAY_BUILD=${SMOKE_BUILD:-$top/build} "$top/perf/joins.sh" --joins 300 \
	--listeners 500 --verify 1
