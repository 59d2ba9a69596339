/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "controlplane/http/route.h"
#include "controlplane/rooms/event.h"

#define GET HTTP_METHOD_BIT(HTTP_GET)
#define POST HTTP_METHOD_BIT(HTTP_POST)
#define PATCH HTTP_METHOD_BIT(HTTP_PATCH)
#define DELETE HTTP_METHOD_BIT(HTTP_DELETE)

struct entry {
	const char *path; /* ends in "/": one more segment follows, an id */
	const char *name;
	enum http_place place;
	enum http_route route;
	unsigned int methods;
	const char *allow;
	const char *accept;
	const char *file;
};

#define READS "GET, HEAD, OPTIONS"

static const struct entry entries[] = {
	{"/whip/", "whip", HTTP_PLACE_EXCHANGE, HTTP_ROUTE_WHIP, POST, "POST, OPTIONS",
		"application/sdp", NULL},
	{"/whep/", "whep", HTTP_PLACE_EXCHANGE, HTTP_ROUTE_WHEP, POST, "POST, OPTIONS",
		"application/sdp", NULL},
	{"/session/", "session", HTTP_PLACE_EXCHANGE, HTTP_ROUTE_SESSION, PATCH | DELETE,
		"PATCH, DELETE, OPTIONS", NULL, NULL},
	{"/events", "events", HTTP_PLACE_EXCHANGE, HTTP_ROUTE_EVENTS, POST, "POST, OPTIONS",
		"application/json", NULL},
	{"/events/", "event_stream", HTTP_PLACE_EXCHANGE, HTTP_ROUTE_EVENT_STREAM, GET,
		"GET, OPTIONS", NULL, NULL},
	{"/rooms", "rooms", HTTP_PLACE_EXCHANGE, HTTP_ROUTE_ROOMS, GET, READS, NULL, NULL},
	{"/rooms/", "room", HTTP_PLACE_EXCHANGE, HTTP_ROUTE_ROOM, GET, READS, NULL, NULL},
	{"/metrics", "metrics", HTTP_PLACE_EXCHANGE, HTTP_ROUTE_METRICS, GET, READS, NULL, NULL},
	{"/readyz", "ready", HTTP_PLACE_EXCHANGE, HTTP_ROUTE_READY, GET, READS, NULL, NULL},
	{"/healthz", "health", HTTP_PLACE_HEALTH, 0, GET, READS, NULL, NULL},
	{"/", "page", HTTP_PLACE_FILE, 0, GET, READS, NULL, "index.html"},
	{"/room/", "page", HTTP_PLACE_FILE, 0, GET, READS, NULL, "room.html"},
	{"/console", "page", HTTP_PLACE_FILE, 0, GET, READS, NULL, "console.html"},
	{"/www/", "file", HTTP_PLACE_FILE, 0, GET, READS, NULL, NULL},
	{"*", "server", HTTP_PLACE_SERVER, 0, 0, "GET, HEAD, POST, PATCH, DELETE, OPTIONS", NULL,
		NULL},
};

#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

static int hex(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One decoded segment that is an id, which cannot hold a slash however it is written. */
static int decode(const char *text, size_t size, char out[HTTP_SEGMENT_MAX + 1])
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++, count++) {
		if (count == HTTP_SEGMENT_MAX)
			return -EINVAL;
		out[count] = text[i];
		if (text[i] != '%')
			continue;
		if (size - i < 3 || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
			return -EINVAL;
		out[count] = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
		i += 2;
	}
	out[count] = '\0';
	return event_id_valid(out, count) ? 0 : -EINVAL;
}

/* Bytes of the entry's path that match all of it, or all but its last segment; 0: no match. */
static size_t prefix(const struct entry *entry, const char *path, size_t size)
{
	size_t length = strlen(entry->path);

	if (size < length || memcmp(path, entry->path, length) != 0)
		return 0;
	if (size == length)
		return entry->path[length - 1] != '/' || length == 1 ? length : 0;
	return entry->path[length - 1] == '/' && length > 1 ? length : 0;
}

int http_route_find(const char *path, size_t size, struct http_match *match)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		const struct entry *entry = &entries[i];
		size_t at = prefix(entry, path, size);

		if (at == 0)
			continue;
		if (memchr(path + at, '/', size - at) != NULL)
			return -ENOENT;
		*match = (struct http_match){.place = entry->place,
			.route = entry->route,
			.methods = entry->methods,
			.allow = entry->allow,
			.accept = entry->accept,
			.file = entry->file};
		return at == size ? 0 : decode(path + at, size - at, match->segment);
	}
	return -ENOENT;
}

const char *http_route_name(const struct http_match *match)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		const struct entry *entry = &entries[i];

		if (entry->place == match->place && entry->route == match->route &&
			(entry->file == NULL) == (match->file == NULL))
			return entry->name;
	}
	return "none";
}
