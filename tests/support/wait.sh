# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Waiting with a deadline and a reason. Sourced by smoke tests, benchmarks and the lab.

# wait_for SECONDS REASON COMMAND...: until COMMAND succeeds; says REASON and fails at the deadline.
wait_for() {
	local seconds=$1 reason=$2 end=$((SECONDS + $1 + 1))
	shift 2
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS >= end)); then
			echo "gave up after $seconds s: $reason" >&2
			return 1
		fi
		wait_moment
	done
}

# 50 ms by reading a pipe that nobody writes to: the shell's own, no process for each look.
exec {wait_fd}<> <(:)
wait_moment() {
	read -r -t 0.05 -u "$wait_fd" _ || true
}

# wait_ended PID: it is not there, or a zombie: a shell that runs a trap does not collect its children.
wait_ended() {
	local stat
	read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
	[[ $stat == *') Z '* ]]
}

# wait_gone SECONDS PID: until that process has ended.
wait_gone() {
	local end=$((SECONDS + $1 + 1))
	until wait_ended "$2"; do
		((SECONDS < end)) || return 1
		wait_moment
	done
}
