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
	INT_OPTION(users_max, "1000000", 1, 10000000, "users",
		"People the application may tell us of (user.upsert)."),
	INT_OPTION(follows_max, "5000", 1, 5000, "users", "How many a user may follow."),
	INT_OPTION(host_min_followers, "600", 0, 4294967295, "followers",
		"Hosting a room needs more followers than that, or a grant. 0: anybody may."),
	INT_OPTION(room_speakers_max, "100", 1, 100000, "members",
		"Hosts, cohosts and speakers of one room, unless the room says less."),
	INT_OPTION(schedule_days_max, "14", 1, 366, "days", "How far ahead a room is scheduled."),
	INT_OPTION(schedules_per_host_max, "10", 1, 10000, "rooms",
		"Rooms that one user may have scheduled at a time."),
	INT_OPTION(schedule_late_min, "60", 1, 10080, "min",
		"A scheduled room that nobody opened is closed so long after its time."),
	INT_OPTION(floor_request_min, "30", 0, 1440, "min",
		"A request for the floor expires after it, unless it says otherwise. 0: never."),
	INT_OPTION(floor_invite_s, "60", 0, 3600, "s",
		"An invitation to speak expires after it, unless it says otherwise. 0: never."),
	INT_OPTION(host_grace_s, "60", 0, 86400, "s",
		"A host who left has so long to come back, then a cohost or speaker inherits the "
		"room. 0: nobody does."),
	INT_OPTION(report_hold_count, "5", 0, 100000, "people",
		"So many different people's open reports mute a member until they are resolved. "
		"0: never."),
	INT_OPTION(reports_max, "100000", 1, 10000000, "reports", "Reports kept."),
	INT_OPTION(moderation_per_second, "20", 0, 100000, "requests",
		"Moderation, floor decisions, roles, pins, shares and reports of one user a "
		"second. "
		"0: without a limit."),
	INT_OPTION(moderation_burst, "100", 1, 100000, "requests",
		"How many of them at once, after a rest."),
	INT_OPTION(reactions_per_second, "5", 0, 100000, "reactions",
		"Reactions of one user a second. 0: without a limit."),
	INT_OPTION(reactions_burst, "20", 1, 100000, "reactions",
		"How many of them at once, after a rest."),
	{.key = "reactions",
		.type = OPTION_STRING,
		.fallback = "[ \"👏\", \"❤️\", \"😂\", \"🔥\", \"💯\", \"✋\" ]",
		.min = 1,
		.help = "The emoji that may be sent as reactions.",
		OPTION_LIST(struct config, reactions, reaction_count)},
	INT_OPTION(reminder_spread_min, "1000", 1, 10000000, "reminders",
		"From so many reminders of one moment on they are spread over a minute."),
	INT_OPTION(tickets_max, "1000000", 1, 10000000, "tickets",
		"Tickets of all rooms ever; each takes about half a KiB of memory."),
	{.key = "ticket_fee_tiers",
		.type = OPTION_STRING,
		.fallback = "[ \"2000\" ]",
		.min = 1,
		.help = "The platform's share of what a host earns: \"UP_TO:BASIS_POINTS\", sums "
			"in "
			"minor units and rising, the last one \"BASIS_POINTS\" alone.",
		OPTION_LIST(struct config, ticket_fee_tiers, ticket_fee_tier_count)},
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

/* "5000000:300", or as the last one "2000". 0 or -EINVAL. */
static int parse_tier(const char *text, bool last, struct fee_tier *tier)
{
	const char *points = text;
	char *end;

	tier->up_to = UINT64_MAX;
	if (!last) {
		if (text[0] < '0' || text[0] > '9')
			return -EINVAL;
		tier->up_to = strtoull(text, &end, 10);
		if (*end != ':' || tier->up_to == 0 || tier->up_to > INT64_MAX)
			return -EINVAL;
		points = end + 1;
	}
	if (points[0] < '0' || points[0] > '9' || strlen(points) > 5)
		return -EINVAL;
	tier->basis_points = (uint32_t)strtoul(points, &end, 10);
	return *end == '\0' && tier->basis_points <= 10000 ? 0 : -EINVAL;
}

static int check_tiers(const struct config *config, struct option_error *error)
{
	struct fee_tier tier, before = {0};

	for (unsigned int i = 0; i < config->ticket_fee_tier_count; i++) {
		bool last = i + 1 == config->ticket_fee_tier_count;

		if (parse_tier(config->ticket_fee_tiers[i], last, &tier) == 0 &&
			tier.up_to > before.up_to) {
			before = tier;
			continue;
		}
		snprintf(error->text, sizeof(error->text),
			"ticket_fee_tiers: \"%.31s\": %s, 0 to 10000 basis points",
			config->ticket_fee_tiers[i],
			last ? "the last one has no sum"
			     : "a sum greater than the one before, a colon");
		return -EINVAL;
	}
	if (config->ticket_fee_tier_count > 0)
		return 0;
	snprintf(error->text, sizeof(error->text), "ticket_fee_tiers: at least one");
	return -EINVAL;
}

static void copy_rates(const struct config *config, struct registry_limits *limits)
{
	limits->moderation_per_second = config->moderation_per_second;
	limits->moderation_burst = config->moderation_burst;
	limits->reactions_per_second = config->reactions_per_second;
	limits->reactions_burst = config->reactions_burst;
	limits->reaction_count = config->reaction_count;
	memcpy(limits->reactions, config->reactions, sizeof(limits->reactions));
	limits->fee_tier_count = config->ticket_fee_tier_count;
	for (unsigned int i = 0; i < config->ticket_fee_tier_count; i++)
		parse_tier(config->ticket_fee_tiers[i], i + 1 == config->ticket_fee_tier_count,
			&limits->fee_tiers[i]);
}

void config_limits(const struct config *config, struct registry_limits *limits)
{
	*limits = (struct registry_limits){.rooms_max = config->rooms_max,
		.members_max = config->members_max,
		.room_members_max = config->room_members_max,
		.join_timeout_ms = config->join_timeout_s * 1000ULL,
		.reconnect_grace_ms = config->reconnect_grace_s * 1000ULL,
		.public_url = config->public_url[0] == '\0' ? NULL : config->public_url,
		.users_max = config->users_max,
		.follows_max = config->follows_max,
		.host_min_followers = config->host_min_followers,
		.room_speakers_max = config->room_speakers_max,
		.schedule_max_ms = config->schedule_days_max * 24ULL * 3600 * 1000,
		.schedule_late_ms = config->schedule_late_min * 60000ULL,
		.schedules_per_host_max = config->schedules_per_host_max,
		.floor_request_ms = config->floor_request_min * 60000ULL,
		.floor_invite_ms = config->floor_invite_s * 1000ULL,
		.host_grace_ms = config->host_grace_s * 1000ULL,
		.report_hold_count = config->report_hold_count,
		.reports_max = config->reports_max,
		.reminder_spread_min = config->reminder_spread_min,
		.tickets_max = config->tickets_max};
	copy_rates(config, limits);
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
	if (check_tiers(config, error) != 0)
		return -EINVAL;
	return check_browsers(config, error);
}

const struct option_table controlplane_options = {"controlplane", "stentor-controlplane",
	"rooms, people and rules of a Stentor relay", options, sizeof(struct config), check};
