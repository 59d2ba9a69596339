#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs what is missing, builds with gcc and clang, runs every suite, then the suites that apply
# under AddressSanitizer with UndefinedBehaviorSanitizer, and under ThreadSanitizer. Ends with
# "N passed, N failed, N skipped"; exit code 0 only if nothing failed.
#
# usage: tests/run.sh            as root; from any directory, as often as wanted
#   BUILD_ROOT=DIR               where the build directories go (default: the tree)
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_root=${BUILD_ROOT:-$top}
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8
cd "$top" || exit 1
# shellcheck source=configs/packages.sh
. configs/packages.sh

passed=0 failed=0 skipped=0
failures=()

say() {
	printf '\n== %s (%d s)\n' "$*" "$SECONDS"
}

fail() {
	failed=$((failed + 1))
	failures+=("$1")
	echo "FAILED: $1"
}

# Adds up a meson log; prints what was skipped and, of what failed, the whole output.
# usage: count LABEL LOG.json HOW-MANY
count() {
	local kind name ran=0
	while IFS=$'\t' read -r kind name; do
		ran=$((ran + 1))
		case $kind in
		passed) passed=$((passed + 1)) ;;
		skipped) skipped=$((skipped + 1)) ;;
		failed)
			failed=$((failed + 1))
			failures+=("$1: $name")
			;;
		esac
	done < <(python3 tests/support/testlog.py "$1" "$2" 2>&3 3>&-)
	[ "$ran" -eq "$3" ] || fail "$1: only $ran of $3 tests have a result"
}

# The programs that the tests of one suite are.
# usage: programs BUILD-FOLDER SUITE
programs() {
	meson introspect --tests "$1" | python3 -c '
import json, os, sys
for test in json.load(sys.stdin):
    if any(suite.split(":")[-1] == sys.argv[2] for suite in test["suite"]):
        print(os.path.relpath(test["cmd"][0], sys.argv[1]))' "$1" "$2"
}

# usage: build NAME COMPILER SUITE|all MESON-OPTION...
build() {
	local name=$1 compiler=$2 what=$3 folder=$build_root/build-test-$1
	local log=$folder/run.log targets=()
	shift 3
	say "build: $name"
	if [ ! -f "$folder/build.ninja" ]; then
		rm -rf "$folder"
		mkdir -p "$folder"
		CC=$compiler meson setup "$folder" "$top" "$@" >"$log" 2>&1 || {
			cat "$log"
			fail "setup of $name"
			return 1
		}
	fi
	[ "$what" = all ] || mapfile -t targets < <(programs "$folder" "$what")
	ninja -C "$folder" -j "$(nproc)" "${targets[@]}" >"$log" 2>&1 || {
		grep -v '^\[' "$log" | tail -n 60
		fail "build of $name"
		return 1
	}
}

# usage: suites BUILD-NAME TIMEOUT-MULTIPLIER WRAPPER SUITE...
suites() {
	local name=$1 multiplier=$2 wrapper=$3 suite listed folder=$build_root/build-test-$1
	shift 3
	for suite in "$@"; do
		listed=$(meson test -C "$folder" --no-rebuild --list --suite "$suite" 2>/dev/null |
			grep -c " / ")
		[ "$listed" -gt 0 ] || continue
		say "$suite ($name)"
		rm -f "$folder/meson-logs/$suite.json"
		# shellcheck disable=SC2086 # the wrapper is several words, or none
		CK_TIMEOUT_MULTIPLIER=$multiplier $wrapper meson test -C "$folder" --no-rebuild \
			--suite "$suite" --logbase "$suite" --timeout-multiplier "$multiplier" --quiet \
			</dev/null >/dev/null 2>&1
		count "$suite ($name)" "$folder/meson-logs/$suite.json" "$listed"
	done
}

# What the machine can give; all of it is optional.
mount_filesystems() {
	[ "$(id -u)" -eq 0 ] || return 0
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf 2>/dev/null ||
		echo "no bpffs here: going without"
	mkdir -p /dev/hugepages 2>/dev/null
	mountpoint -q /dev/hugepages || mount -t hugetlbfs hugetlbfs /dev/hugepages 2>/dev/null ||
		echo "no hugetlbfs here: going without"
}

exec 3>&1
say "packages"
packages_install build lab test || fail "installation of packages"
mount_filesystems

# Warnings are for the plain builds: sanitizers make the compiler see paths that are not there.
# Sanitizers of this age do not know the address-space layout of newer kernels.
plain_layout=
setarch -R true 2>/dev/null && plain_layout="setarch -R"
export ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1

build gcc gcc all && suites gcc 3 "" lint unit fuzz bpf io smoke crash browser
build clang clang all
build asan gcc all -Db_sanitize=address,undefined -Dwerror=false &&
	suites asan 5 "$plain_layout" unit fuzz io
build tsan gcc threads -Db_sanitize=thread -Dwerror=false && suites tsan 5 "$plain_layout" threads

say "summary"
for failure in "${failures[@]}"; do
	echo "FAILED: $failure"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
