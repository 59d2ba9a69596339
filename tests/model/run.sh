#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: tests/model/run.sh [--steps N] [--seed N]
# Builds the driver and runs the model against it, a million steps if nothing else is said.
set -e
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ -d "$top/build" ] || meson setup "$top/build" "$top"
ninja -C "$top/build" tests/model/rooms_driver
[ $# -gt 0 ] || set -- --steps 1000000
exec python3 "$top/tests/model/model_test.py" "$top/build/tests/model/rooms_driver" "$@"
