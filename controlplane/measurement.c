/* SPDX-License-Identifier: BSD-3-Clause */
/* metrics_write(): the families of /metrics, in their order. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controlplane/exposition.h"
#include "controlplane/metrics.h"
#include "controlplane/rooms/admission.h"
#include "controlplane/session.h"
#include "dataplane/api/drop.h"

#define LABELS_MAX 160

/* One family without labels. */
static void gauge(struct exposition *e, const char *name, const char *help, uint64_t value)
{
	exposition_family(e, name, EXPOSITION_GAUGE, help);
	exposition_integer(e, "", value);
}

static void counter(struct exposition *e, const char *name, const char *help, uint64_t value)
{
	exposition_family(e, name, EXPOSITION_COUNTER, help);
	exposition_integer(e, "", value);
}

/* ---- the process ---- */

/* Pages resident, from /proc/self/statm; 0: not known. */
static uint64_t resident_pages(void)
{
	unsigned long long size, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident;
}

static void write_process(struct exposition *e, const struct conductor *c)
{
	struct timespec wall, cpu;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	exposition_family(e, "process_start_time_seconds", EXPOSITION_GAUGE,
		"When the control plane started, in Unix time.");
	exposition_real(e, "", (double)wall.tv_sec - (double)(loop_now_ns() - c->started_ns) / 1e9);
	exposition_family(e, "process_cpu_seconds", EXPOSITION_COUNTER,
		"Processor time of the control plane, all threads.");
	exposition_real(e, "", (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
	gauge(e, "process_resident_memory_bytes", "Resident memory of the control plane.",
		resident_pages() * (uint64_t)sysconf(_SC_PAGESIZE));
	exposition_family(e, "stentor_build_info", EXPOSITION_GAUGE, "Version; the value is 1.");
	exposition_integer(e, "version=\"" STENTOR_VERSION "\"", 1);
}

/* ---- rooms and members ---- */

static void write_registry(struct exposition *e, const struct conductor *c)
{
	const struct registry *registry = c->registry;
	uint64_t muted = 0, live = 0, id = 0;
	const struct room *room;

	while ((room = roster_next(&registry->room_roster, &id)) != NULL) {
		live += room->rules.state == ROOM_LIVE;
		muted += room->muted;
	}
	gauge(e, "stentor_rooms", "Rooms that are open.", live);
	gauge(e, "stentor_rooms_scheduled", "Rooms that are planned and not open yet.",
		registry->room_roster.count - live);
	exposition_family(e, "stentor_members", EXPOSITION_GAUGE,
		"Members of all rooms; all but listeners have the floor.");
	for (int role = 0; role < ROLE_COUNT; role++) {
		char label[32];

		snprintf(label, sizeof(label), "role=\"%s\"", admission_role_names[role]);
		exposition_integer(e, label, registry->roles[role]);
	}
	gauge(e, "stentor_members_muted", "Members who are muted.", muted);
	counter(e, "stentor_events", "Events in the log so far.", registry->sequence);
	gauge(e, "stentor_subscribers", "Connections to events.sock that subscribed.",
		feed_subscribers(c->feed));
	gauge(e, "stentor_requests_pending", "Requests not yet answered.", c->pending_count);
	gauge(e, "stentor_store_up", "1: what was decided is on the disk; 0: the disk fails.",
		!c->store_failed && c->backlog.first == NULL);
	gauge(e, "stentor_dataplane_up", "1: the data plane is connected and programmed.",
		link_state(c->link) == LINK_UP);
}

/* ---- browsers ---- */

static void write_sessions(struct exposition *e, const struct conductor *c)
{
	struct session_stats stats = {0};

	if (c->sessions == NULL)
		return;
	session_read_stats(c, &stats);
	exposition_family(e, "stentor_sessions", EXPOSITION_GAUGE,
		"Browsers: with a session, and seats that are kept without one.");
	exposition_integer(e, "state=\"open\"", stats.sessions);
	exposition_integer(e, "state=\"away\"", stats.seats);
	exposition_family(
		e, "stentor_session_changes", EXPOSITION_COUNTER, "What became of sessions.");
	exposition_integer(e, "change=\"opened\"", stats.opened);
	exposition_integer(e, "change=\"keyed\"", stats.keyed);
	exposition_integer(e, "change=\"replaced\"", stats.replaced);
	exposition_integer(e, "change=\"restarted\"", stats.restarted);
	exposition_integer(e, "change=\"ended\"", stats.ended);
	exposition_integer(e, "change=\"lost\"", stats.lost);
	exposition_integer(e, "change=\"refused\"", stats.refused);
	exposition_integer(e, "change=\"deferred\"", stats.deferred);
}

static void write_dtls(struct exposition *e, const struct dtls *dtls)
{
	struct dtls_stats stats;
	char labels[LABELS_MAX];

	if (dtls == NULL)
		return;
	dtls_read_stats(dtls, &stats);
	gauge(e, "stentor_dtls_handshakes_under_way", "DTLS handshakes begun and not ended.",
		stats.under_way);
	counter(e, "stentor_dtls_handshakes_started", "DTLS handshakes begun.", stats.started);
	exposition_family(
		e, "stentor_dtls_handshakes_ended", EXPOSITION_COUNTER, "DTLS handshakes, by end.");
	exposition_integer(e, "result=\"connected\"", stats.connected);
	for (unsigned int i = 1; i < DTLS_FAILURE_COUNT; i++) {
		snprintf(labels, sizeof(labels), "result=\"%s\"", dtls_failure_name(i));
		exposition_integer(e, labels, stats.failed[i]);
	}
	counter(e, "stentor_dtls_handshakes_evicted",
		"Idle DTLS handshakes that made room for another one of their address.",
		stats.evicted);
	counter(e, "stentor_dtls_datagrams_refused",
		"Datagrams that would have begun a handshake beyond a limit.", stats.refused);
}

/* ---- HTTP ---- */

static void write_http_routes(struct exposition *e, const struct http_stats *stats)
{
	static const char *const classes[] = {"lost", "1xx", "2xx", "3xx", "4xx", "5xx"};
	char labels[LABELS_MAX];

	_Static_assert(
		sizeof(classes) / sizeof(classes[0]) == HTTP_STAT_CLASS_COUNT, "one name each");
	exposition_family(e, "stentor_http_requests", EXPOSITION_COUNTER,
		"HTTP requests by route and class of status.");
	for (unsigned int i = 0; i < HTTP_STAT_ROUTE_COUNT; i++) {
		for (unsigned int k = 0; k < HTTP_STAT_CLASS_COUNT; k++) {
			if (stats->route[i].answered[k] == 0 && k != 2)
				continue;
			snprintf(labels, sizeof(labels), "route=\"%s\",class=\"%s\"",
				http_stat_route_name(i), classes[k]);
			exposition_integer(e, labels, stats->route[i].answered[k]);
		}
	}
	exposition_family(e, "stentor_http_request_duration_seconds", EXPOSITION_HISTOGRAM,
		"From the request line to the last byte of the response; no streams.");
	for (unsigned int i = 0; i < HTTP_STAT_ROUTE_COUNT; i++) {
		struct exposition_histogram histogram = {http_stat_bounds_us,
			stats->route[i].duration, HTTP_STAT_BUCKETS, 1e-6,
			stats->route[i].duration_sum_us};

		snprintf(labels, sizeof(labels), "route=\"%s\"", http_stat_route_name(i));
		exposition_histogram(e, labels, &histogram);
	}
}

static void write_http(struct exposition *e, struct http_server *server)
{
	struct http_stats stats;

	http_server_read_stats(server, &stats);
	gauge(e, "stentor_http_connections", "HTTP connections that are open.", stats.connections);
	gauge(e, "stentor_http_streams", "Event streams that are open.", stats.streams);
	counter(e, "stentor_http_connections_accepted", "HTTP connections.", stats.accepted);
	exposition_family(e, "stentor_http_connections_refused", EXPOSITION_COUNTER,
		"HTTP connections beyond a limit.");
	exposition_integer(e, "limit=\"total\"", stats.refused_total);
	exposition_integer(e, "limit=\"address\"", stats.refused_address);
	counter(e, "stentor_http_connections_cut", "HTTP connections cut for being slow.",
		stats.overdue);
	write_http_routes(e, &stats);
}

/* ---- workers ---- */

#define WORKER(name_, help_, kind_, scale_, member_) \
	{ \
		"stentor_worker_" name_, help_, kind_, scale_, \
			offsetof(struct stn_worker_stats, member_), \
			sizeof(((struct stn_worker_stats *)0)->member_) \
	}

struct worker_family {
	const char *name, *help;
	enum exposition_kind kind;
	double scale; /* 0: an integer */
	size_t offset, size;
};

static const struct worker_family worker_families[] = {
	WORKER("received_packets", "Packets received.", EXPOSITION_COUNTER, 0, rx_packets),
	WORKER("forwarded_packets",
		"Received packets that became a slot packet, or are kept for it.",
		EXPOSITION_COUNTER, 0, forwarded),
	WORKER("answered_packets", "Received STUN that was valid.", EXPOSITION_COUNTER, 0,
		answered),
	WORKER("punted_packets", "Received DTLS handed to the control plane.", EXPOSITION_COUNTER,
		0, punted),
	WORKER("slot_packets", "Slot packets fanned out.", EXPOSITION_COUNTER, 0, slot_packets),
	WORKER("copies", "Copies made of slot packets.", EXPOSITION_COUNTER, 0, copies),
	WORKER("transmitted_packets", "Copies that the port has taken.", EXPOSITION_COUNTER, 0,
		tx_packets),
	WORKER("stun_sent_packets", "STUN sent.", EXPOSITION_COUNTER, 0, stun_sent),
	WORKER("dtls_sent_packets", "DTLS sent.", EXPOSITION_COUNTER, 0, dtls_sent),
	WORKER("rtcp_sent_packets", "RTCP sent.", EXPOSITION_COUNTER, 0, rtcp_sent),
	WORKER("retransmitted_packets", "Answers to NACK.", EXPOSITION_COUNTER, 0, retransmitted),
	WORKER("control_refused_packets", "Of these four kinds: not taken by the port.",
		EXPOSITION_COUNTER, 0, control_refused),
	WORKER("commands", "Commands of the main lcore applied.", EXPOSITION_COUNTER, 0, commands),
	WORKER("busy_seconds", "Time spent on packets.", EXPOSITION_COUNTER, 1e-9, busy_ns),
	WORKER("idle_seconds", "Time without packets.", EXPOSITION_COUNTER, 1e-9, idle_ns),
	WORKER("legs", "Legs that this worker serves.", EXPOSITION_GAUGE, 0, legs),
	WORKER("rooms", "Rooms that this worker serves.", EXPOSITION_GAUGE, 0, rooms),
	WORKER("buffers", "Packet buffers in use.", EXPOSITION_GAUGE, 0, mbufs_in_use),
};

static uint64_t read_member(const struct stn_worker_stats *worker, const struct worker_family *f)
{
	uint64_t wide;
	uint32_t narrow;

	if (f->size == sizeof(wide)) {
		memcpy(&wide, (const char *)worker + f->offset, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, (const char *)worker + f->offset, sizeof(narrow));
	return narrow;
}

static void write_worker_family(
	struct exposition *e, const struct stn_stats *stats, const struct worker_family *f)
{
	exposition_family(e, f->name, f->kind, f->help);
	for (uint32_t i = 0; i < stats->worker_count; i++) {
		uint64_t value = read_member(&stats->worker[i], f);
		char labels[LABELS_MAX];

		snprintf(labels, sizeof(labels), "worker=\"%u\"", i);
		if (f->scale > 0)
			exposition_real(e, labels, (double)value * f->scale);
		else
			exposition_integer(e, labels, value);
	}
}

static void write_drops(struct exposition *e, const struct stn_stats *stats)
{
	char labels[LABELS_MAX];

	exposition_family(e, "stentor_worker_dropped_packets", EXPOSITION_COUNTER,
		"Packets that went no further, by reason.");
	for (uint32_t i = 0; i < stats->worker_count; i++) {
		for (unsigned int k = 0; k < STN_DROP_COUNT; k++) {
			snprintf(labels, sizeof(labels), "worker=\"%u\",reason=\"%s\"", i,
				stn_drop_name(k));
			exposition_integer(e, labels, stats->worker[i].drop[k]);
		}
	}
}

static void write_wait(
	struct exposition *e, const char *labels, const uint64_t buckets[], uint64_t sum_ns)
{
	struct exposition_histogram histogram = {
		stn_wait_bounds_us, buckets, STN_BUCKETS_MAX, 1e-6, sum_ns / 1000};

	exposition_histogram(e, labels, &histogram);
}

static void write_copies(struct exposition *e, const struct stn_stats *stats)
{
	static const char *const sizes[STN_ROOM_SIZES] = {"small", "medium", "large"};
	char labels[LABELS_MAX];

	exposition_family(e, "stentor_worker_first_copy_seconds", EXPOSITION_HISTOGRAM,
		"From a slot packet's publication until its first copies are with the port.");
	for (uint32_t i = 0; i < stats->worker_count; i++) {
		snprintf(labels, sizeof(labels), "worker=\"%u\"", i);
		write_wait(
			e, labels, stats->worker[i].first_copy, stats->worker[i].first_copy_sum_ns);
	}
	exposition_family(e, "stentor_worker_last_copy_seconds", EXPOSITION_HISTOGRAM,
		"The same until the last one is, by the room's listeners on the worker: up to 100, "
		"up to 10,000, more.");
	for (uint32_t i = 0; i < stats->worker_count; i++)
		for (unsigned int k = 0; k < STN_ROOM_SIZES; k++) {
			snprintf(labels, sizeof(labels), "worker=\"%u\",room=\"%s\"", i, sizes[k]);
			write_wait(e, labels, stats->worker[i].last_copy[k],
				stats->worker[i].last_copy_sum_ns[k]);
		}
}

/* What a worker does between two looks at its receive queue, and how soon it obeys. */
static const struct {
	const char *name, *help, *longest_name, *longest_help;
	size_t offset;
} wait_families[] = {
	{"stentor_worker_command_wait_seconds",
		"How long reception waited for commands, each turn that had any.",
		"stentor_worker_command_wait_longest_seconds",
		"The longest that reception waited for commands, since the data plane started.",
		offsetof(struct stn_worker_stats, command_wait)},
	{"stentor_worker_fanout_wait_seconds",
		"How long reception waited for a slice of the fan-out.",
		"stentor_worker_fanout_wait_longest_seconds",
		"The longest that reception waited for a slice, since the data plane started.",
		offsetof(struct stn_worker_stats, fanout_wait)},
	{"stentor_worker_mute_delay_seconds",
		"From a mute handed to the worker until it is in force there.",
		"stentor_worker_mute_delay_longest_seconds",
		"The longest that a mute took, since the data plane started.",
		offsetof(struct stn_worker_stats, mute_delay)},
};

static const struct stn_wait *wait_of(const struct stn_worker_stats *worker, size_t offset)
{
	return (const struct stn_wait *)(const void *)((const char *)worker + offset);
}

static void write_waits(struct exposition *e, const struct stn_stats *stats)
{
	char labels[LABELS_MAX];

	for (size_t k = 0; k < sizeof(wait_families) / sizeof(wait_families[0]); k++) {
		size_t offset = wait_families[k].offset;

		exposition_family(
			e, wait_families[k].name, EXPOSITION_HISTOGRAM, wait_families[k].help);
		for (uint32_t i = 0; i < stats->worker_count; i++) {
			const struct stn_wait *wait = wait_of(&stats->worker[i], offset);

			snprintf(labels, sizeof(labels), "worker=\"%u\"", i);
			write_wait(e, labels, wait->count, wait->sum_ns);
		}
		exposition_family(e, wait_families[k].longest_name, EXPOSITION_GAUGE,
			wait_families[k].longest_help);
		for (uint32_t i = 0; i < stats->worker_count; i++) {
			snprintf(labels, sizeof(labels), "worker=\"%u\"", i);
			exposition_real(e, labels,
				(double)wait_of(&stats->worker[i], offset)->max_ns * 1e-9);
		}
	}
	exposition_family(e, "stentor_dataplane_fence_delay_seconds", EXPOSITION_HISTOGRAM,
		"From a transaction's commit until it is in force on every worker.");
	write_wait(e, "", stats->fence_delay.count, stats->fence_delay.sum_ns);
	exposition_family(e, "stentor_dataplane_fence_delay_longest_seconds", EXPOSITION_GAUGE,
		"The longest that a transaction took, since the data plane started.");
	exposition_real(e, "", (double)stats->fence_delay.max_ns * 1e-9);
}

static void write_dataplane(
	struct exposition *e, const struct conductor *c, const struct stn_stats *stats)
{
	if (stats == NULL)
		return;
	gauge(e, "stentor_dataplane_rooms", "Rooms programmed.", stats->rooms);
	gauge(e, "stentor_dataplane_legs", "Legs programmed.", stats->legs);
	gauge(e, "stentor_dataplane_legs_max", "Legs that fit.", c->hello.legs_max);
	exposition_family(e, "stentor_dataplane_uptime_seconds", EXPOSITION_GAUGE,
		"How long the data plane has been running.");
	exposition_real(e, "", (double)(stats->now_ns - stats->started_ns) / 1e9);
	counter(e, "stentor_dataplane_notices_dropped", "Notices the control plane did not take.",
		stats->notices_dropped);
	counter(e, "stentor_dataplane_datagrams_dropped",
		"DTLS datagrams between the planes dropped.", stats->datagrams_dropped);
	for (size_t i = 0; i < sizeof(worker_families) / sizeof(worker_families[0]); i++)
		write_worker_family(e, stats, &worker_families[i]);
	write_drops(e, stats);
	write_copies(e, stats);
	write_waits(e, stats);
}

/* ---- rooms of their own ---- */

typedef void write_room(struct exposition *e, const char *labels, const struct room *room,
	const struct stn_room_stats *stats);

static void write_listeners(struct exposition *e, const char *labels, const struct room *room,
	const struct stn_room_stats *stats)
{
	exposition_integer(e, labels, room->listeners);
}

static void write_speakers(struct exposition *e, const char *labels, const struct room *room,
	const struct stn_room_stats *stats)
{
	exposition_integer(e, labels, room->speaking_members);
}

static void write_slot_packets(struct exposition *e, const char *labels, const struct room *room,
	const struct stn_room_stats *stats)
{
	uint64_t packets = 0;

	for (uint32_t i = 0; i < stats->slot_count && i < STN_SLOTS_MAX; i++)
		packets += stats->slot[i].packets;
	exposition_integer(e, labels, packets);
}

static void write_nacked(struct exposition *e, const char *labels, const struct room *room,
	const struct stn_room_stats *stats)
{
	exposition_integer(e, labels, stats->reception.nacked);
}

static void write_loss(struct exposition *e, const char *labels, const struct room *room,
	const struct stn_room_stats *stats)
{
	struct exposition_histogram histogram = {stn_loss_bounds, stats->reception.loss,
		STN_BUCKETS_MAX, 1.0 / 256, stats->reception.loss_sum};

	exposition_histogram(e, labels, &histogram);
}

static void write_jitter(struct exposition *e, const char *labels, const struct room *room,
	const struct stn_room_stats *stats)
{
	struct exposition_histogram histogram = {stn_delay_bounds_us, stats->reception.jitter,
		STN_BUCKETS_MAX, 1e-6, stats->reception.jitter_sum_us};

	exposition_histogram(e, labels, &histogram);
}

static void write_rtt(struct exposition *e, const char *labels, const struct room *room,
	const struct stn_room_stats *stats)
{
	struct exposition_histogram histogram = {stn_delay_bounds_us, stats->reception.rtt,
		STN_BUCKETS_MAX, 1e-6, stats->reception.rtt_sum_us};

	exposition_histogram(e, labels, &histogram);
}

static const struct {
	const char *name, *help;
	enum exposition_kind kind;
	bool asked; /* needs the data plane's answer */
	write_room *write;
} room_families[] = {
	{"stentor_room_listeners", "Listeners of the largest rooms; of all others in (others).",
		EXPOSITION_GAUGE, false, write_listeners},
	{"stentor_room_speakers", "Hosts and speakers of the same.", EXPOSITION_GAUGE, false,
		write_speakers},
	{"stentor_room_slot_packets", "Slot packets published.", EXPOSITION_COUNTER, true,
		write_slot_packets},
	{"stentor_room_nacked_packets", "Packets that receivers asked for again.",
		EXPOSITION_COUNTER, true, write_nacked},
	{"stentor_room_loss_ratio", "Fraction lost, by receiver report.", EXPOSITION_HISTOGRAM,
		true, write_loss},
	{"stentor_room_jitter_seconds", "Interarrival jitter, by receiver report.",
		EXPOSITION_HISTOGRAM, true, write_jitter},
	{"stentor_room_rtt_seconds", "Round-trip time, by receiver report.", EXPOSITION_HISTOGRAM,
		true, write_rtt},
};

/* What is in no room of its own: everybody, without those. */
static void write_others(struct exposition *e, const struct metrics_view *view, bool listeners)
{
	const struct registry *registry = view->c->registry;
	uint64_t count = 0, id = 0;
	const struct room *room;

	while ((room = roster_next(&registry->room_roster, &id)) != NULL)
		count += listeners ? room->listeners : room->speaking_members;
	for (size_t i = 0; i < view->room_count; i++) {
		room = registry_room_by_id(registry, view->rooms[i].room_id);
		if (room != NULL)
			count -= listeners ? room->listeners : room->speaking_members;
	}
	exposition_integer(e, "room=\"(others)\"", count);
}

static void write_rooms(struct exposition *e, const struct metrics_view *view)
{
	for (size_t k = 0; k < sizeof(room_families) / sizeof(room_families[0]); k++) {
		exposition_family(
			e, room_families[k].name, room_families[k].kind, room_families[k].help);
		for (size_t i = 0; i < view->room_count; i++) {
			const struct stn_room_stats *stats = &view->rooms[i];
			const struct room *room =
				registry_room_by_id(view->c->registry, stats->room_id);
			char labels[LABELS_MAX];

			if (room == NULL || (room_families[k].asked && stats->header.length == 0))
				continue;
			snprintf(labels, sizeof(labels), "room=\"%s\"", room->name.text);
			room_families[k].write(e, labels, room, stats);
		}
		if (!room_families[k].asked)
			write_others(e, view, room_families[k].write == write_listeners);
	}
}

void metrics_write(const struct metrics_view *view, bool openmetrics, struct writer *writer)
{
	struct exposition e = {.writer = writer, .openmetrics = openmetrics};

	write_process(&e, view->c);
	write_registry(&e, view->c);
	write_sessions(&e, view->c);
	write_dtls(&e, view->dtls);
	write_http(&e, view->http);
	write_dataplane(&e, view->c, view->stats);
	write_rooms(&e, view);
	exposition_end(&e);
}
