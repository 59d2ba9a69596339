# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The lab: a relay between a speaker, its listeners and a stranger, each in a network namespace of
# its own, joined by veth pairs. Sourced by configs/quickstart.sh, perf/ and tests/smoke/.
#
#   <prefix>-speaker    eth0 172.16.1.2  ---  to-speaker    172.16.1.1
#   <prefix>-listeners  eth0 172.16.2.2  ---  to-listeners  172.16.2.1   <prefix>-relay
#   <prefix>-stranger   eth0 172.16.3.2  ---  to-stranger   172.16.3.1
#
# IPv6 likewise: fd00:1::2 and fd00:1::1, and so on. The listeners' addresses, 10.0.0.0/8 and
# fd00:10::/64, are routed to the listeners' end as one next hop: they need not exist anywhere, so
# there may be a million of them and one neighbour entry serves all.
#
# lab_up_host adds the machine itself, so that a browser on it reaches the relay:
#
#   (no namespace)      <prefix>-h 172.16.4.2  ---  to-host  172.16.4.1
#
# lab_up, then lab_start as often as needed; lab_down always works and ends only what lab_start
# started. lab_trap arranges for it on every way out, Ctrl-C included.

LAB_PREFIX=${LAB_PREFIX:-stn}
LAB_QUEUES=${LAB_QUEUES:-1}
LAB_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_PARTS=(speaker listeners stranger)
LAB_LISTENERS=2 # the number of the part that listeners are in
LAB_PIDS=()
LAB_NAMES=()
LAB_DIR=
LAB_MADE=

# shellcheck source=tests/support/wait.sh
. "$LAB_TOP/tests/support/wait.sh"

# lab_in PART COMMAND...: in the foreground, in that namespace.
lab_in() {
	local part=$1
	shift
	if [ "$part" = host ]; then
		"$@"
	else
		ip netns exec "$LAB_PREFIX-$part" "$@"
	fi
}

# A run that was killed hard leaves namespaces behind; they may go when nobody lives in them.
lab_sweep() {
	local part pids
	for part in relay "${LAB_PARTS[@]}"; do
		[ -e "/run/netns/$LAB_PREFIX-$part" ] || continue
		pids=$(ip netns pids "$LAB_PREFIX-$part" | tr '\n' ' ')
		if [ -n "$pids" ]; then
			echo "lab: $LAB_PREFIX-$part is in use by: $pids(LAB_PREFIX names another lab)" >&2
			return 1
		fi
		ip netns delete "$LAB_PREFIX-$part"
	done
}

# lab_tune PART DEVICE: what veth does to packets otherwise (partial checksums, merged frames) is
# nothing a network card would hand to AF_XDP.
lab_tune() {
	lab_in "$1" ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null 2>&1 || true
	lab_in "$1" ip link set "$2" txqueuelen 10000
	lab_in "$1" ip link set "$2" up
}

# lab_hush PART: no router is looked for, no duplicate address. A frame that the kernel sends from
# another core takes the receive side of the link with it for as long as it is busy, and when that
# core has other things to do, the copies behind it overflow the link's short ring.
lab_hush() {
	lab_in "$1" sh -c 'cd /proc/sys/net/ipv6/conf/default &&
		echo 0 >router_solicitations && echo 0 >accept_ra && echo 0 >dad_transmits' \
		2>/dev/null || true
}

lab_mac() {
	lab_in "$1" cat "/sys/class/net/$2/address"
}

# lab_pair PART NUMBER: the link between a part and the relay.
lab_pair() {
	local part=$1 number=$2 queues=$LAB_QUEUES
	ip link add eth0 netns "$LAB_PREFIX-$part" numrxqueues "$queues" numtxqueues "$queues" \
		type veth peer "to-$part" netns "$LAB_PREFIX-relay" \
		numrxqueues "$queues" numtxqueues "$queues"
	lab_in relay ethtool -L "to-$part" rx "$queues" tx "$queues" 2>/dev/null || true
	lab_in "$part" ethtool -L eth0 rx "$queues" tx "$queues" 2>/dev/null || true
	lab_tune relay "to-$part"
	lab_tune "$part" eth0
	lab_in relay ip address add "172.16.$number.1/24" dev "to-$part"
	lab_in relay ip address add "fd00:$number::1/64" dev "to-$part" nodad
	lab_in "$part" ip address add "172.16.$number.2/24" dev eth0
	lab_in "$part" ip address add "fd00:$number::2/64" dev eth0 nodad
	lab_in "$part" ip route add default via "172.16.$number.1"
	lab_in "$part" ip route add default via "fd00:$number::1"
	# Both ends know each other for good: no packet of a measurement waits for ARP.
	lab_in relay ip neighbour replace "172.16.$number.2" lladdr "$(lab_mac "$part" eth0)" \
		dev "to-$part" nud permanent
	lab_in relay ip neighbour replace "fd00:$number::2" lladdr "$(lab_mac "$part" eth0)" \
		dev "to-$part" nud permanent
	lab_in "$part" ip neighbour replace "172.16.$number.1" \
		lladdr "$(lab_mac relay "to-$part")" dev eth0 nud permanent
	lab_in "$part" ip neighbour replace "fd00:$number::1" \
		lladdr "$(lab_mac relay "to-$part")" dev eth0 nud permanent
}

# lab_up: makes namespaces, links, addresses and a directory for sockets and logs ($LAB_DIR).
lab_up() {
	local part number=1
	if [ "$(id -u)" != 0 ]; then
		echo "lab: network namespaces need root" >&2
		return 1
	fi
	lab_sweep || return 1
	LAB_MADE=yes
	LAB_DIR=$(mktemp -d "/tmp/$LAB_PREFIX.XXXXXX")
	for part in relay "${LAB_PARTS[@]}"; do
		ip netns add "$LAB_PREFIX-$part" || return 1
		lab_hush "$part"
		lab_in "$part" ip link set lo up
	done
	for part in "${LAB_PARTS[@]}"; do
		lab_pair "$part" "$number" || return 1
		number=$((number + 1))
	done
	lab_in relay ip route add 10.0.0.0/8 via "172.16.$LAB_LISTENERS.2"
	lab_in relay ip route add fd00:10::/64 via "fd00:$LAB_LISTENERS::2"
}

# lab_up_host: after lab_up. One queue: it is for a few browsers.
lab_up_host() {
	local device=$LAB_PREFIX-h taken
	taken=$(ip -oneline address show to 172.16.4.0/24 | awk '{print $2}')
	if [ -n "$taken" ]; then
		echo "lab: 172.16.4.0/24 is in use on this machine by $taken" >&2
		return 1
	fi
	ip link add "$device" type veth peer to-host netns "$LAB_PREFIX-relay" || return 1
	lab_tune relay to-host
	lab_tune host "$device"
	lab_in relay ip address add 172.16.4.1/24 dev to-host
	ip address add 172.16.4.2/24 dev "$device"
	LAB_PARTS+=(host)
}

# lab_start PART NAME COMMAND...: in the background; output goes to $LAB_DIR/NAME.log, the process
# id to $LAB_PID.
lab_start() {
	local part=$1 name=$2
	shift 2
	# A test that is killed hard cannot clean up: what it started ends with it.
	local inside=(ip netns exec "$LAB_PREFIX-$part")
	[ "$part" != host ] || inside=()
	setpriv --pdeathsig TERM "${inside[@]}" "$@" >"$LAB_DIR/$name.log" 2>&1 </dev/null &
	LAB_PID=$!
	LAB_PIDS+=("$LAB_PID")
	LAB_NAMES+=("$name")
}

# What the link between relay and listeners itself has thrown away: a veth's ring has 256 places, and
# when the kernel puts off emptying it, it drops. Neither side's doing, but lost it is.
lab_link_dropped() {
	{
		lab_in relay ip -json -stats link show dev to-listeners
		lab_in listeners ip -json -stats link show dev eth0
	} | jq -s 'map(.[].stats64 | .rx.dropped + .tx.dropped) | add'
}

# lab_add_link_dropped FILE: prints a benchmark's report with that number in it.
lab_add_link_dropped() {
	local dropped
	dropped=$(lab_link_dropped)
	if [ "$(head -c 1 "$1")" = "{" ]; then
		jq --argjson n "$dropped" '.results.link_dropped = {unit: "count", better: "lower",
			median: $n, minimum: $n, maximum: $n, repeats: [$n]} | .link_dropped = $n' "$1"
	else
		cat "$1"
		printf '  %-28s %14s count\n' link_dropped "$dropped"
	fi
}

# lab_pid NAME: of the last one started under that name.
lab_pid() {
	local i pid=
	for i in "${!LAB_PIDS[@]}"; do
		[ "${LAB_NAMES[i]}" = "$1" ] && pid=${LAB_PIDS[i]}
	done
	echo "$pid"
}

# lab_stop NAME [SIGNAL]: ends the last one of that name (TERM; KILL after five seconds) and
# returns its exit status.
lab_stop() {
	local pid
	pid=$(lab_pid "$1")
	[ -n "$pid" ] || return 1
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	wait_gone 5 "$pid" || kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

# lab_alive NAME: it has not ended yet.
lab_alive() {
	local pid
	pid=$(lab_pid "$1")
	[ -n "$pid" ] && ! wait_ended "$pid"
}

# lab_show_logs: the end of every log, for a test that has failed.
lab_show_logs() {
	local log
	for log in "$LAB_DIR"/*.log; do
		[ -s "$log" ] || continue
		echo "--- ${log##*/}" >&2
		tail -n "${1:-20}" "$log" | cut -c 1-400 >&2
	done
}

# lab_down: ends what was started, last first, and removes everything. May be called again.
lab_down() {
	local i part
	for ((i = ${#LAB_PIDS[@]} - 1; i >= 0; i--)); do
		kill -TERM "${LAB_PIDS[i]}" 2>/dev/null || true
	done
	for i in "${!LAB_PIDS[@]}"; do
		wait_gone 5 "${LAB_PIDS[i]}" || kill -KILL "${LAB_PIDS[i]}" 2>/dev/null || true
		wait "${LAB_PIDS[i]}" 2>/dev/null || true
	done
	LAB_PIDS=()
	LAB_NAMES=()
	[ -n "$LAB_MADE" ] || return 0
	# The host's link goes with the other end's namespace.
	for part in "${LAB_PARTS[@]}" relay; do
		ip netns delete "$LAB_PREFIX-$part" 2>/dev/null || true
	done
	[ -z "$LAB_DIR" ] || [ -n "${LAB_KEEP:-}" ] || rm -rf "$LAB_DIR"
	LAB_MADE=
	LAB_DIR=
}

# lab_trap: lab_down on every way out of this shell.
lab_trap() {
	# Who is told twice to end still tidies up once.
	trap 'trap "" INT TERM HUP; lab_down' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
}
