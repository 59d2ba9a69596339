#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Runs one scenario: makes the lab, a configuration with HTTP, playwright-core in the build directory,
# and leaves the rest to node. Exit 77 when something is missing that this machine does not have.
#
# usage: tests/browser/scenario.sh [--tls] [--set 'OPTION = VALUE;'] NAME_test.mjs [ARGUMENT...]
# Needs: SMOKE_BUILD, the build directory (meson sets it; default: build/ of the tree).
# shellcheck disable=SC2034 # some are for the harness
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SMOKE_PREFIX=br
# shellcheck source=tests/smoke/harness.sh
. "$here/../smoke/harness.sh"

tls="" lines=""
while [[ ${1:-} == --* ]]; do
	case $1 in
	--tls) tls=yes; shift ;;
	--set) lines+=" $2"; shift 2 ;;
	*) sed -n '7,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
scenario=$here/$1
shift
SMOKE_NAME=$(basename "$scenario" _test.mjs)
KEPT=$SMOKE_BUILD/tests/browser

for program in chromium node npm openssl flock; do
	command -v "$program" >/dev/null || skip "$program is not installed"
done

# playwright-core as the lock file has it, once for all scenarios.
install_driver() {
	local list=$here/package-lock.json
	mkdir -p "$KEPT"
	exec {driver_lock}>"$KEPT/.lock"
	flock "$driver_lock"
	if ! cmp -s "$list" "$KEPT/node_modules/.installed"; then
		cp "$here/package.json" "$list" "$KEPT/"
		(cd "$KEPT" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) || {
			tail -n 3 "$KEPT/npm.log"
			skip "playwright-core cannot be installed (no network to npm's registry?)"
		}
		cp "$list" "$KEPT/node_modules/.installed"
	fi
	exec {driver_lock}>&-
}

install_driver
smoke_begin

# One address for every part: the relay's own, whichever side one comes from.
HTTP_ADDRESS=172.16.2.1
RELAY_CONTROLPLANE="http_address = \"$HTTP_ADDRESS\"; http_port = 8080;$lines"
if [ -n "$tls" ]; then
	BROWSER_BASE=https://$HTTP_ADDRESS:8080
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=relay \
		-addext "subjectAltName=IP:$HTTP_ADDRESS" -keyout "$LAB_DIR/key.pem" \
		-out "$LAB_DIR/cert.pem" 2>/dev/null || fail "no certificate"
	RELAY_CONTROLPLANE+=" http_certificate = \"$LAB_DIR/cert.pem\"; http_key = \"$LAB_DIR/key.pem\";"
else
	BROWSER_BASE=http://$HTTP_ADDRESS:8080
	RELAY_CONTROLPLANE+=" http_plain = true;"
fi
relay_write_config 1
export LAB_PREFIX LAB_DIR SMOKE_BUILD BROWSER_BASE BROWSER_KEPT=$KEPT
node "$scenario" "$@"
