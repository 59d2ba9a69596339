# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Both planes of a relay inside the lab. Sourced after lab.sh; everything lives in $LAB_DIR.
#
#   relay_up [WORKERS]     configuration, both programs, until they work together
#   relay_start_dataplane, relay_start_controlplane   one of them, again
#   ctl ARGUMENTS...       stentorctl on this relay

RELAY_BUILD=${RELAY_BUILD:-$LAB_TOP/build}
RELAY_PORT=40000
RELAY_LEGS_MAX=${RELAY_LEGS_MAX:-131072}
RELAY_DEADLINE=${RELAY_DEADLINE:-20}
# How both planes are started. In the lab they share the cores with whatever else the machine does,
# so they go first; as real-time processes only where a core is left for the others.
RELAY_PRIORITY=${RELAY_PRIORITY:-}
# More lines of the dataplane and the controlplane group, for what a test is about.
RELAY_DATAPLANE=${RELAY_DATAPLANE:-}
RELAY_CONTROLPLANE=${RELAY_CONTROLPLANE:-}
# Where the control plane runs: it needs sockets of the file system only, and HTTP where the browsers
# are.
RELAY_CONTROLPLANE_PART=${RELAY_CONTROLPLANE_PART:-relay}

# relay_write_config WORKERS: $LAB_DIR/stentor.conf. DPDK 22.11 sees one AF_XDP queue on a veth however
# many it has, so several workers, who want a queue each, have af_packet.
relay_write_config() {
	local part ports="" driver=af_xdp
	[ "$1" = 1 ] || driver=af_packet
	for part in "${LAB_PARTS[@]}"; do
		ports+="${ports:+,}
		{ driver = \"$driver\"; interface = \"to-$part\"; queues = $1; }"
	done
	cat >"$LAB_DIR/stentor.conf" <<-END
		dataplane = {
			ports = ($ports
			);
			workers = $1;
			media_ports = [ $RELAY_PORT ];
			legs_max = $RELAY_LEGS_MAX;
			table_socket = "$LAB_DIR/table.sock";
			index_store = "$LAB_DIR/index";
			steer_object = "$RELAY_BUILD/bpf/steer.bpf.o";
			$RELAY_DATAPLANE
		};
		controlplane = {
			events_socket = "$LAB_DIR/events.sock";
			table_socket = "$LAB_DIR/table.sock";
			database = "$LAB_DIR/stentor.db";
			# Nobody tells the lab who follows whom, and its moderators are benchmarks.
			host_min_followers = 0;
			moderation_per_second = 0;
			$RELAY_CONTROLPLANE
		};
	END
}

ctl() {
	"$RELAY_BUILD/controlplane/cli/stentorctl" --socket "$LAB_DIR/events.sock" "$@"
}

# relay_choose_priority WORKERS
relay_choose_priority() {
	if [ "$1" -lt "$(nproc)" ] && chrt --rr 10 true 2>/dev/null; then
		RELAY_PRIORITY="chrt --rr 10"
	elif nice -n -15 true 2>/dev/null; then
		RELAY_PRIORITY="nice -n -15"
	else
		RELAY_PRIORITY="env"
	fi
}

relay_start_dataplane() {
	[ -n "$RELAY_PRIORITY" ] || relay_choose_priority 1
	# shellcheck disable=SC2086 # several words
	lab_start relay dataplane $RELAY_PRIORITY "$RELAY_BUILD/dataplane/stentor-dataplane" \
		--config "$LAB_DIR/stentor.conf"
}

relay_start_controlplane() {
	[ -n "$RELAY_PRIORITY" ] || relay_choose_priority 1
	# shellcheck disable=SC2086
	lab_start "$RELAY_CONTROLPLANE_PART" controlplane $RELAY_PRIORITY "$RELAY_BUILD/controlplane/stentor-controlplane" \
		--config "$LAB_DIR/stentor.conf"
}

# Exit code 0 of status: both planes are there and speak with each other.
relay_works() {
	ctl --timeout 2 status
}

relay_up() {
	[ -n "$RELAY_PRIORITY" ] || relay_choose_priority "${1:-1}"
	relay_write_config "${1:-1}"
	relay_start_dataplane
	relay_start_controlplane
	wait_for "$RELAY_DEADLINE" "both planes work together" relay_works && return 0
	lab_show_logs 40
	return 1
}
