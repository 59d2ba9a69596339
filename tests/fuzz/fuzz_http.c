/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heads of HTTP requests as libmicrohttpd hands them to us, field by field, and behind the empty
 * line the body of POST /events as a page sends it, with the member of the token put in.
 */
#include <string.h>
#include <strings.h>

#include "controlplane/events/parse.h"
#include "controlplane/http/head.h"
#include "tests/fuzz/fuzz.h"

static const char *const hosts[] = {"relay.example"};
static const char *const origins[] = {"https://app.example"};
static const struct http_policy policy = {hosts, 1, origins, 1, false};

static void check_accepted(const struct head *head, unsigned int encodings, unsigned int lengths)
{
	const struct http_match *match = &head->match;

	FUZZ_CHECK(head->known && match->allow != NULL);
	FUZZ_CHECK(head->size <= HTTP_HEAD_MAX && head->fields <= HTTP_FIELDS_MAX);
	FUZZ_CHECK(encodings == 0 && lengths <= 1);
	FUZZ_CHECK(head->content_length <= HTTP_BODY_MAX);
	FUZZ_CHECK(head->content_length == 0 || strcmp(head->method, "POST") == 0 ||
		   strcmp(head->method, "PATCH") == 0);
	FUZZ_CHECK(head->authority.address || strcmp(head->authority.host, hosts[0]) == 0);
	FUZZ_CHECK(head->options || head->no_body || match->methods & 1u << head->method_number);
	FUZZ_CHECK(match->segment[0] == '\0' ||
		   event_id_valid(match->segment, strlen(match->segment)));
	FUZZ_CHECK(match->file == NULL || match->place == HTTP_PLACE_FILE);
	if (head->token != NULL)
		FUZZ_CHECK(field_is_token(head->token, 1) || head->token[0] == '/');
	FUZZ_CHECK(http_route_name(match) != NULL);
	if (head->cross)
		FUZZ_CHECK(strcasecmp(head->field[HEAD_ORIGIN], origins[0]) == 0);
}

/* The next line of the text, cut out of it; NULL at its end. */
static char *next_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (*line == '\0' && end == NULL)
		return NULL;
	*text = end == NULL ? line + strlen(line) : end + 1;
	if (end != NULL)
		*end = '\0';
	if (end != NULL && end > line && end[-1] == '\r')
		end[-1] = '\0';
	return line;
}

static void judge(char *text, size_t size)
{
	struct head head = {.size = size, .from_loopback = true};
	struct refusal refusal;
	unsigned int encodings = 0, lengths = 0;
	char *line = next_line(&text), *space, *last;

	if (line == NULL)
		return;
	space = strchr(line, ' ');
	last = strrchr(line, ' ');
	if (space == NULL || last == space)
		return;
	*space = *last = '\0';
	head.method = line;
	head.target_text = space + 1;
	head.version = last + 1;
	while ((line = next_line(&text)) != NULL) {
		char *colon = strchr(line, ':');
		char *value = colon == NULL ? line + strlen(line) : colon + 1;

		if (colon == NULL)
			continue;
		*colon = '\0';
		value += strspn(value, " \t");
		encodings += strcasecmp(line, "Transfer-Encoding") == 0;
		lengths += strcasecmp(line, "Content-Length") == 0;
		head_add(&head, line, strlen(line), value, strlen(value));
	}
	head_check(&head, &policy, &refusal);
	if (refusal.status == 0)
		check_accepted(&head, encodings, lengths);
	else
		FUZZ_CHECK(
			refusal.status >= 400 && refusal.status < 600 && refusal.detail[0] != '\0');
	FUZZ_CHECK((refusal.status == 405) == (refusal.allow != NULL));
}

/* Whatever a page writes, it acts as the member of its token, in that member's room. */
static void take_body(const char *body, size_t size)
{
	static const struct parse_as as = {"bob", "tea"};
	struct parsed parsed;
	struct verdict verdict = {0};
	bool good = parse_line_as(body, size, &as, &parsed, &verdict);

	FUZZ_CHECK(good == (verdict.code == VERDICT_OK));
	if (good) {
		const struct event *event = &parsed.event;

		FUZZ_CHECK(event->page && event->type->flags & EVENT_PAGE);
		FUZZ_CHECK(strcmp(event->actor, as.actor) == 0);
		FUZZ_CHECK(event->room == NULL || strcmp(event->room, as.room) == 0);
	}
	parse_clear(&parsed);
}

static void check_fields(const char *text)
{
	char media_type[FIELD_MEDIA_TYPE_MAX + 1];
	struct authority authority;
	uint64_t length;
	bool https;

	if (field_length(text, &length) == 0)
		FUZZ_CHECK(length < 1000000000000000000u &&
			   strspn(text, "0123456789") == strlen(text));
	if (field_media_type(text, media_type))
		FUZZ_CHECK(strchr(media_type, '/') != NULL &&
			   strncasecmp(text, media_type, strlen(media_type)) == 0);
	if (field_bearer(text) != NULL)
		FUZZ_CHECK(strlen(field_bearer(text)) <= FIELD_TOKEN_MAX &&
			   strpbrk(field_bearer(text), " \t\r\n\"") == NULL);
	(void)field_names_tag(text, "\"x\"");
	(void)field_is_entity_tag(text);
	if (authority_parse(text, strlen(text), &authority) == 0)
		FUZZ_CHECK(strpbrk(authority.host, "@/ []?#") == NULL && authority.host[0] != '\0');
	(void)origin_parse(text, &authority, &https);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *end, *body;

	if (text == NULL)
		return 0;
	parse_setup();
	memcpy(text, data, size);
	text[size] = '\0';
	check_fields(text);
	end = strstr(text, "\r\n\r\n");
	body = end == NULL ? text + strlen(text) : end + 4;
	take_body(body, (size_t)(text + size - body));
	*(end == NULL ? body : end) = '\0';
	judge(text, strlen(text));
	free(text);
	return 0;
}
