/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
		.fallback = "",
		.help = "Where key and certificate of DTLS are kept (dtls.pem), made at the first "
			"start. It must exist. Empty: the folder of the database.",
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
	{.key = "public_url",
		.type = OPTION_STRING,
		.fallback = "",
		.help = "Where browsers find the pages, as \"https://rooms.example\": joins then "
			"answer with a link. Empty: they answer with the token alone.",
		OPTION_FIELD(struct config, public_url)},
	{.key = "media_addresses",
		.type = OPTION_STRING,
		.fallback = "[ ]",
		.min = 1,
		.help = "Addresses and ports that browsers are told to send to, as "
			"\"203.0.113.5:4000\" or \"[2001:db8::5]:4000\": where the data plane is "
			"behind NAT. Empty: its own.",
		OPTION_LIST(struct config, media_addresses, media_address_count)},
	{.key = "open_listening",
		.type = OPTION_BOOL,
		.fallback = "false",
		.help = "Anybody may listen to an open room without a token, as a guest.",
		OPTION_FIELD(struct config, open_listening)},
	{.key = "unsignalled_slots",
		.type = OPTION_BOOL,
		.fallback = "false",
		.help = "Answers a browser that offers fewer audio sections than the room has "
			"slots "
			"so that it plays several slots in its last section.",
		OPTION_FIELD(struct config, unsignalled_slots)},
	INT_OPTION(
		sessions_max, "1000000", 1, 10000000, "sessions", "Browsers connected at a time."),
	INT_OPTION(joins_per_second, "2000", 1, 1000000, "sessions",
		"Sessions opened a second; who comes beyond it is told to come again."),
	INT_OPTION(join_timeout_s, "0", 0, 31622400, "s",
		"A browser's seat is freed if it has not come within it. 0: kept to its end."),
	INT_OPTION(reconnect_grace_s, "60", 1, 86400, "s",
		"A browser's seat is kept so long after its session ended, for it to come back."),
	{.key = "log_level",
		.type = OPTION_ENUM,
		.fallback = "info",
		.names = log_level_names,
		.help = "Least important level that is logged.",
		OPTION_FIELD(struct config, log_level)},
	{.key = NULL}};

int config_address(const char *text, struct stn_address *address)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	size_t size = colon == NULL ? 0 : (size_t)(colon - text);
	unsigned long port;
	bool six = text[0] == '[' && size > 2 && text[size - 1] == ']';
	char *end;

	if (size == 0 || size >= sizeof(host) || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port == 0 || port > 65535)
		return -EINVAL;
	memcpy(host, text + six, size - (six ? 2 : 0));
	host[size - (six ? 2 : 0)] = '\0';
	*address = (struct stn_address){.family = six ? 6 : 4, .port_be = htons((uint16_t)port)};
	return inet_pton(six ? AF_INET6 : AF_INET, host, address->address) == 1 ? 0 : -EINVAL;
}

/* It goes into links, whose characters need no escape in JSON, HTML or a shell. */
static int check_browsers(const struct config *config, struct option_error *error)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-._~:/[]";
	const char *url = config->public_url;
	size_t size = strlen(url);
	struct stn_address address;

	if (size > 0 && ((strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) ||
				strspn(url, plain) != size || url[size - 1] == '/')) {
		snprintf(error->text, sizeof(error->text),
			"public_url = \"%.200s\": http:// or https://, a host, a path without a "
			"slash "
			"at its end",
			url);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < config->media_address_count; i++) {
		if (config_address(config->media_addresses[i], &address) == 0)
			continue;
		snprintf(error->text, sizeof(error->text),
			"media_addresses: \"%.60s\": an IPv4 address or an IPv6 address in "
			"brackets, with a port",
			config->media_addresses[i]);
		return -EINVAL;
	}
	return 0;
}

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
	return check_browsers(config, error);
}

const struct option_table controlplane_options = {"controlplane", "stentor-controlplane",
	"rooms, people and rules of a Stentor relay", options, sizeof(struct config), check};
