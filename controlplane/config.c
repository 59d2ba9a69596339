/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "configs/log.h"
#include "controlplane/config.h"

#define INT_OPTION(key_, fallback_, min_, max_, unit_, help_) \
	{ \
		.key = #key_, .type = OPTION_INT, .fallback = (fallback_), .min = (min_), \
		.max = (max_), .unit = (unit_), .help = (help_), OPTION_FIELD(struct config, key_) \
	}

static const struct option options[] = {
	{.key = "events_socket",
		.type = OPTION_STRING,
		.fallback = "/run/stentor/events.sock",
		.min = 1,
		.help = "Where the application connects: JSON lines over a Unix socket.",
		OPTION_FIELD(struct config, events_socket)},
	{.key = "table_socket",
		.type = OPTION_STRING,
		.fallback = "/run/stentor/table.sock",
		.min = 1,
		.help = "Where the data plane listens; its option of the same name.",
		OPTION_FIELD(struct config, table_socket)},
	{.key = "database",
		.type = OPTION_STRING,
		.fallback = "/var/lib/stentor/stentor.db",
		.min = 1,
		.help = "SQLite file of rooms, members, events and audit. Its folder must exist.",
		OPTION_FIELD(struct config, database)},
	INT_OPTION(box_id, "0", 0, 32767, NULL,
		"Number of this box among all that may ever share rooms: part of every id."),
	INT_OPTION(allowed_uid, "-1", -1, 4294967294, NULL,
		"User who may connect to events_socket besides root and the program's own. -1: "
		"none."),
	INT_OPTION(allowed_gid, "-1", -1, 4294967294, NULL,
		"Group whose members may connect to events_socket, and that owns it. -1: none."),
	INT_OPTION(rooms_max, "10000", 1, 1000000, "rooms", "Rooms open at a time."),
	INT_OPTION(members_max, "1000000", 1, 10000000, "members", "Members of all rooms."),
	INT_OPTION(room_members_max, "1000000", 1, 10000000, "members", "Members of one room."),
	INT_OPTION(connections_max, "64", 1, 1024, "connections",
		"Connections to events_socket at a time."),
	INT_OPTION(
		subscribers_max, "32", 1, 1024, "connections", "How many of them may subscribe."),
	INT_OPTION(pending_max, "4096", 1, 32768, "requests",
		"Requests under way at a time; beyond it only safety actions are taken."),
	INT_OPTION(answer_timeout_ms, "3000", 100, 60000, "ms",
		"How long a safety action waits for a data plane that is away before it is "
		"answered."),
	INT_OPTION(stall_timeout_ms, "10000", 100, 600000, "ms",
		"A connection that takes no byte of what waits for it for so long is cut."),
	INT_OPTION(log_max, "1000000", 1000, 1000000000, "events",
		"Events kept in the database for replay."),
	INT_OPTION(answers_max, "1000000", 1000, 1000000000, "answers",
		"Answers kept in the database for requests that are repeated."),
	{.key = "certificate_folder",
		.type = OPTION_STRING,
		.fallback = "/var/lib/stentor",
		.min = 1,
		.help = "Where key and certificate of DTLS are kept (dtls.pem), made at the first "
			"start. It must exist.",
		OPTION_FIELD(struct config, certificate_folder)},
	INT_OPTION(certificate_days, "30", 1, 3650, "days",
		"Life of that certificate; in its last quarter it is replaced by a new one."),
	INT_OPTION(handshake_threads, "1", 1, 64, "threads", "Threads that do DTLS handshakes."),
	INT_OPTION(handshakes_max, "4096", 1, 1000000, "handshakes",
		"DTLS handshakes under way at a time."),
	INT_OPTION(handshakes_address_max, "256", 1, 1000000, "handshakes",
		"How many of them from one address (IPv6: from one /64)."),
	INT_OPTION(handshake_timeout_ms, "30000", 1000, 300000, "ms",
		"A DTLS handshake that takes longer is given up."),
	{.key = "http",
		.type = OPTION_BOOL,
		.fallback = "true",
		.help = "Serves WHIP, WHEP, pages, metrics and health over HTTP.",
		OPTION_FIELD(struct config, http)},
	{.key = "http_address",
		.type = OPTION_STRING,
		.fallback = "127.0.0.1",
		.min = 1,
		.help = "IPv4 or IPv6 address to listen at. One that is not loopback needs a "
			"certificate, or http_plain.",
		OPTION_FIELD(struct config, http_address)},
	INT_OPTION(http_port, "8080", 0, 65535, NULL,
		"TCP port to listen at. 0: any that is free; the log says which."),
	{.key = "http_certificate",
		.type = OPTION_STRING,
		.fallback = "",
		.help = "PEM file of the certificate and its chain. Empty: HTTP without TLS.",
		OPTION_FIELD(struct config, http_certificate)},
	{.key = "http_key",
		.type = OPTION_STRING,
		.fallback = "",
		.help = "PEM file of the certificate's private key, without a password.",
		OPTION_FIELD(struct config, http_key)},
	{.key = "http_plain",
		.type = OPTION_BOOL,
		.fallback = "false",
		.help = "Allows HTTP without TLS at any address: for a lab, or behind a proxy that "
			"ends TLS.",
		OPTION_FIELD(struct config, http_plain)},
	{.key = "http_hosts",
		.type = OPTION_STRING,
		.fallback = "[ ]",
		.min = 1,
		.help = "Names this server goes by, without port; requests for others are refused. "
			"IP addresses and localhost always work.",
		OPTION_LIST(struct config, http_hosts, http_host_count)},
	{.key = "http_origins",
		.type = OPTION_STRING,
		.fallback = "[ ]",
		.min = 1,
		.help = "Other origins whose pages may use this server, as "
			"\"https://app.example\"; "
			"\"*\": any.",
		OPTION_LIST(struct config, http_origins, http_origin_count)},
	INT_OPTION(http_connections_max, "4096", 1, 1000000, "connections",
		"HTTP connections at a time."),
	INT_OPTION(http_connections_address_max, "256", 1, 1000000, "connections",
		"HTTP connections at a time from one IPv4 address or IPv6 /64. Behind a proxy: as "
		"http_connections_max."),
	INT_OPTION(http_streams_max, "1024", 0, 1000000, "streams",
		"How many of them may be event streams."),
	INT_OPTION(http_request_timeout_ms, "15000", 100, 600000, "ms",
		"A whole request has to be here within it, and the next one."),
	INT_OPTION(http_response_timeout_ms, "30000", 100, 600000, "ms",
		"A whole response has to be taken within it; an event stream may wait so long."),
	INT_OPTION(metrics_rooms_max, "100", 0, 10000, "rooms",
		"Rooms with series of their own in /metrics, the largest; the others are summed."),
	{.key = "log_level",
		.type = OPTION_ENUM,
		.fallback = "info",
		.names = log_level_names,
		.help = "Least important level that is logged.",
		OPTION_FIELD(struct config, log_level)},
	{.key = NULL}};

static int check(const void *from, struct option_error *error)
{
	const struct config *config = from;

	if (config->room_members_max > config->members_max) {
		snprintf(error->text, sizeof(error->text),
			"room_members_max = %u: at most members_max, %u", config->room_members_max,
			config->members_max);
		return -EINVAL;
	}
	if ((config->http_certificate[0] == '\0') != (config->http_key[0] == '\0')) {
		snprintf(error->text, sizeof(error->text),
			"%s: the other file of the pair, %s, is missing",
			config->http_key[0] == '\0' ? "http_certificate" : "http_key",
			config->http_key[0] == '\0' ? "http_key" : "http_certificate");
		return -EINVAL;
	}
	return 0;
}

const struct option_table controlplane_options = {"controlplane", "stentor-controlplane",
	"rooms, people and rules of a Stentor relay", options, sizeof(struct config), check};
