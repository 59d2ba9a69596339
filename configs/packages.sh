# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The Debian 12 packages that Stentor needs, in one place; sourced by configs/quickstart.sh and
# tests/run.sh. packages_install NAME... installs what is missing of the named lists.

# shellcheck disable=SC2034 # read through a name reference
packages_build=(
	gcc clang llvm libc6-dev linux-libc-dev meson ninja-build pkg-config python3 bpftool
	dpdk-dev libdpdk-dev libsrtp2-dev libipsec-mb-dev libbpf-dev libxdp-dev libconfig-dev
	libjansson-dev libsqlite3-dev libssl-dev zlib1g-dev libmicrohttpd-dev libmnl-dev libopus-dev
	libogg-dev check
)
# shellcheck disable=SC2034
packages_lab=(
	iproute2 ethtool nftables procps util-linux kmod ffmpeg jq
)
# shellcheck disable=SC2034
packages_test=(
	clang-format shellcheck libclang-rt-14-dev git tcpdump strace sqlite3 file systemd
	chromium nodejs=node npm=npm fonts-dejavu-core openssl curl prometheus mandoc
)

# What perf/compare.sh holds Stentor against, and what draws the plots; no test needs it.
# shellcheck disable=SC2034
packages_compare=(
	rtpengine-daemon janus dpdk gnuplot-nox
)

# Prints which of the arguments dpkg does not know as installed. PACKAGE=COMMAND is there when the
# command is, wherever it comes from: other sources' node has npm in it and excludes Debian's.
packages_missing() {
	local name
	for name in "$@"; do
		if [[ $name == *=* ]]; then
			command -v "${name#*=}" >/dev/null || printf '%s\n' "${name%=*}"
			continue
		fi
		dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed ||
			printf '%s\n' "$name"
	done
}

# usage: packages_install build lab test
packages_install() {
	local list missing=()
	for list in "$@"; do
		local -n packages="packages_$list"
		mapfile -t -O "${#missing[@]}" missing < <(packages_missing "${packages[@]}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "not root, so these packages cannot be installed: ${missing[*]}" >&2
		return 1
	fi
	echo "installing ${#missing[@]} packages: ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q update &&
		apt-get -q -y --no-install-recommends install "${missing[@]}"
}
