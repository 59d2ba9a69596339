/* SPDX-License-Identifier: BSD-3-Clause */
/* What is pure of HTTP: fields, targets, routes, and the verdict over a head. */
#include <errno.h>

#include "controlplane/http/head.h"
#include "tests/support/unit.h"

START_TEST(lengths_are_digits)
{
	static const char *const bad[] = {
		"", " 1", "1 ", "+1", "-1", "0x1", "1,1", "1.0", "\v1", "1234567890123456789"};
	uint64_t length = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(field_length(bad[i], &length), -EINVAL);
	ck_assert_uint_eq(length, 7);
	ck_assert_int_eq(field_length("0", &length), 0);
	ck_assert_uint_eq(length, 0);
	ck_assert_int_eq(field_length("123456789012345678", &length), 0);
	ck_assert_uint_eq(length, 123456789012345678u);
}
END_TEST

START_TEST(codes_of_links)
{
	char longest[66];

	memset(longest, 'a', 65);
	longest[65] = '\0';
	ck_assert(field_is_code("zA9-_"));
	ck_assert(field_is_code(longest + 1));
	ck_assert(!field_is_code(longest));
	ck_assert(!field_is_code(""));
	ck_assert(!field_is_code("a="));
	ck_assert(!field_is_code("a b"));
	ck_assert(!field_is_code("a+b"));
	ck_assert(!field_is_code("a, b"));
}
END_TEST

START_TEST(bearer_tokens)
{
	char text[FIELD_TOKEN_MAX + 32] = "Bearer ";

	ck_assert_str_eq(field_bearer("Bearer a-b.c_d~e+f/g="), "a-b.c_d~e+f/g=");
	ck_assert_str_eq(field_bearer("bEARER   x"), "x");
	ck_assert_ptr_null(field_bearer("Bearer"));
	ck_assert_ptr_null(field_bearer("Bearer "));
	ck_assert_ptr_null(field_bearer("Bearer ="));
	ck_assert_ptr_null(field_bearer("Bearer a b"));
	ck_assert_ptr_null(field_bearer("Bearer a=b"));
	ck_assert_ptr_null(field_bearer("Bearer a, Bearer b"));
	ck_assert_ptr_null(field_bearer("Basic a"));
	memset(text + 7, 'a', FIELD_TOKEN_MAX);
	ck_assert_ptr_nonnull(field_bearer(text));
	text[7 + FIELD_TOKEN_MAX] = 'a';
	ck_assert_ptr_null(field_bearer(text));
}
END_TEST

START_TEST(media_types)
{
	static const struct {
		const char *value, *wanted;
	} cases[] = {{"application/sdp", "application/sdp"},
		{"Application/SDP; charset=utf-8", "application/sdp"},
		{"application/trickle-ice-sdpfrag ;a", "application/trickle-ice-sdpfrag"},
		{"application", NULL}, {"/sdp", NULL}, {"application/", NULL}, {"a/b/c", NULL},
		{"a/b, c/d", NULL}, {"a /b", NULL}, {"a/b c", NULL}, {"", NULL}};
	char found[FIELD_MEDIA_TYPE_MAX + 1];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool good = field_media_type(cases[i].value, found);

		ck_assert_msg(good == (cases[i].wanted != NULL), "%s", cases[i].value);
		if (good)
			ck_assert_str_eq(found, cases[i].wanted);
	}
}
END_TEST

START_TEST(entity_tags)
{
	ck_assert(field_is_entity_tag("*"));
	ck_assert(field_is_entity_tag("\"\""));
	ck_assert(field_is_entity_tag("\"a-b\""));
	ck_assert(!field_is_entity_tag("W/\"a\""));
	ck_assert(!field_is_entity_tag("\"a\", \"b\""));
	ck_assert(!field_is_entity_tag("\"a"));
	ck_assert(!field_is_entity_tag("\"a b\""));
	ck_assert(!field_is_entity_tag(""));
	ck_assert(field_names_tag("\"x\" ,W/\"a\"", "\"a\""));
	ck_assert(!field_names_tag("\"x\", \"ab\"", "\"a\""));
	ck_assert(!field_names_tag("a", "\"a\""));
}
END_TEST

START_TEST(targets)
{
	static const struct {
		const char *text;
		int rc;
		enum target_form form;
		const char *path;
	} cases[] = {{"/", 0, TARGET_ORIGIN, "/"}, {"/a/b?c=/d", 0, TARGET_ORIGIN, "/a/b"},
		{"http://h", 0, TARGET_ABSOLUTE, "/"}, {"HTTPS://h:1/x", 0, TARGET_ABSOLUTE, "/x"},
		{"http://h?x", 0, TARGET_ABSOLUTE, "/"}, {"*", 0, TARGET_ASTERISK, "*"},
		{"", -EINVAL, 0, NULL}, {"a", -EINVAL, 0, NULL}, {"h:443", -EINVAL, 0, NULL},
		{"ftp://h/", -EINVAL, 0, NULL}, {"http:///x", -EINVAL, 0, NULL},
		{"http://u@h/", -EINVAL, 0, NULL}, {"/a b", -EINVAL, 0, NULL},
		{"/a\\b", -EINVAL, 0, NULL}, {"/a#b", -EINVAL, 0, NULL},
		{"/\x80", -EINVAL, 0, NULL}, {"/\x7f", -EINVAL, 0, NULL}, {"**", -EINVAL, 0, NULL}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target target;

		ck_assert_msg(
			target_parse(cases[i].text, &target) == cases[i].rc, "%s", cases[i].text);
		if (cases[i].rc != 0)
			continue;
		ck_assert_int_eq(target.form, cases[i].form);
		ck_assert_uint_eq(target.path_size, strlen(cases[i].path));
		ck_assert(memcmp(target.path, cases[i].path, target.path_size) == 0);
	}
}
END_TEST

START_TEST(authorities)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		bool address;
	} cases[] = {{"a.b", "a.b", 0, false}, {"A-1.B:80", "a-1.b", 80, false},
		{"localhost:65535", "localhost", 65535, true}, {"127.0.0.1", "127.0.0.1", 0, true},
		{"[::1]:1", "::1", 1, true}, {"[2001:DB8::1]", "2001:db8::1", 0, true},
		{"", NULL, 0, false}, {":80", NULL, 0, false}, {"a:", NULL, 0, false},
		{"a:0", NULL, 0, false}, {"a:65536", NULL, 0, false}, {"a:1x", NULL, 0, false},
		{"a:000080", NULL, 0, false}, {"a.", NULL, 0, false}, {".a", NULL, 0, false},
		{"a..b", NULL, 0, false}, {"::1", NULL, 0, false}, {"[::1", NULL, 0, false},
		{"[::1]x", NULL, 0, false}, {"[127.0.0.1]", NULL, 0, false},
		{"[fe80::1%25eth0]", NULL, 0, false}, {"u@a", NULL, 0, false},
		{"a/b", NULL, 0, false}, {"a b", NULL, 0, false}, {"a,b", NULL, 0, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct authority found;
		int rc = authority_parse(cases[i].text, strlen(cases[i].text), &found);

		ck_assert_msg((rc == 0) == (cases[i].host != NULL), "%s", cases[i].text);
		if (rc != 0)
			continue;
		ck_assert_str_eq(found.host, cases[i].host);
		ck_assert_uint_eq(found.port, cases[i].port);
		ck_assert(found.address == cases[i].address);
	}
}
END_TEST

START_TEST(routes)
{
	static const struct {
		const char *path;
		int rc;
		const char *name, *segment;
	} cases[] = {{"/", 0, "page", ""}, {"/room/tea", 0, "page", "tea"},
		{"/whip/a%2Eb", 0, "whip", "a.b"}, {"/whep/x", 0, "whep", "x"},
		{"/session/x-_.:Z9", 0, "session", "x-_.:Z9"}, {"/events", 0, "events", ""},
		{"/events/x", 0, "event_stream", "x"}, {"/rooms", 0, "rooms", ""},
		{"/rooms/tea", 0, "room", "tea"}, {"/console", 0, "page", ""},
		{"/metrics", 0, "metrics", ""}, {"/readyz", 0, "ready", ""},
		{"/healthz", 0, "health", ""}, {"/www/room.js", 0, "file", "room.js"},
		{"*", 0, "server", ""}, {"/whip", -ENOENT, NULL, NULL},
		{"/whip/", -ENOENT, NULL, NULL}, {"/events/", -ENOENT, NULL, NULL},
		{"/metricsx", -ENOENT, NULL, NULL}, {"/metrics/", -ENOENT, NULL, NULL},
		{"//", -ENOENT, NULL, NULL}, {"/whip/a/b", -ENOENT, NULL, NULL},
		{"/whip/a%2fb", -EINVAL, NULL, NULL}, {"/whip/%", -EINVAL, NULL, NULL},
		{"/whip/%4", -EINVAL, NULL, NULL}, {"/whip/%g1", -EINVAL, NULL, NULL},
		{"/whip/%00", -EINVAL, NULL, NULL}, {"/whip/a+b", -EINVAL, NULL, NULL}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_match match;
		int rc = http_route_find(cases[i].path, strlen(cases[i].path), &match);

		ck_assert_msg(rc == cases[i].rc, "%s: %d", cases[i].path, rc);
		if (rc != 0)
			continue;
		ck_assert_str_eq(http_route_name(&match), cases[i].name);
		ck_assert_str_eq(match.segment, cases[i].segment);
	}
}
END_TEST

static struct refusal judge(struct head *head, const struct http_policy *policy)
{
	struct refusal refusal;

	head_check(head, policy, &refusal);
	return refusal;
}

static void add(struct head *head, const char *name, const char *value)
{
	head_add(head, name, strlen(name), value, strlen(value));
}

START_TEST(what_an_answerer_may_rely_on)
{
	static const char *const hosts[] = {"relay.example"};
	const struct http_policy policy = {.hosts = hosts, .host_count = 1};
	struct head head = {.method = "PATCH",
		.target_text = "/session/abc?x",
		.version = "HTTP/1.1",
		.from_loopback = true};

	add(&head, "hOST", "Relay.Example");
	add(&head, "Content-Length", "10");
	add(&head, "Content-Type", "Application/Trickle-ICE-SDPfrag");
	add(&head, "Authorization", "Bearer t");
	add(&head, "If-Match", "\"1\"");
	add(&head, "X-Forwarded-Proto", "https");
	add(&head, "Origin", "https://relay.example");
	ck_assert_uint_eq(judge(&head, &policy).status, 0);
	ck_assert_int_eq(head.match.route, HTTP_ROUTE_SESSION);
	ck_assert_int_eq(head.method_number, HTTP_PATCH);
	ck_assert_str_eq(head.match.segment, "abc");
	ck_assert_str_eq(head.token, "t");
	ck_assert_str_eq(head.media_type, "application/trickle-ice-sdpfrag");
	ck_assert_uint_eq(head.content_length, 10);
	ck_assert(head.https && !head.cross && !head.options);
}
END_TEST

START_TEST(only_a_proxy_on_this_machine_tells_the_scheme)
{
	const struct http_policy policy = {0};
	struct head head = {.method = "GET", .target_text = "/rooms", .version = "HTTP/1.1"};

	add(&head, "Host", "192.0.2.1");
	add(&head, "X-Forwarded-Proto", "https");
	ck_assert_uint_eq(judge(&head, &policy).status, 0);
	ck_assert(!head.https);
}
END_TEST

/* What has to be refused so that the connection ends, however good the rest is. */
START_TEST(framing_in_doubt_closes)
{
	static const struct {
		const char *name, *value, *other, *other_value;
	} cases[] = {{"Content-Length", "1", "Content-Length", "1"},
		{"Content-Length", "1", "content-length", "2"},
		{"Transfer-Encoding", "chunked", "X", ""},
		{"Transfer-Encoding", "chunked", "Content-Length", "1"},
		{"Transfer-Encoding", "", "Content-Length", "1"},
		{"Transfer-Encodingchunked", "", "Content-Length", "1"}, /* folded */
		{"Content-Length9", "1", "X", ""}, {"Content-Length ", "1", "X", ""},
		{"", "1", "Content-Length", "1"}, {"X", "a\rb", "Content-Length", "1"},
		{"X", "", "Y", ""}};
	const struct http_policy policy = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct head head = {
			.method = "POST", .target_text = "/events", .version = "HTTP/1.1"};
		struct refusal refusal;

		add(&head, "Host", "localhost");
		add(&head, "Content-Type", "application/json");
		add(&head, cases[i].name, cases[i].value);
		add(&head, cases[i].other, cases[i].other_value);
		refusal = judge(&head, &policy);
		ck_assert_msg(refusal.status == 400 || refusal.status == 411, "%zu: %u", i,
			refusal.status);
		ck_assert(refusal.close);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("head");
	TCase *tcase = tcase_create("head");

	tcase_add_test(tcase, lengths_are_digits);
	tcase_add_test(tcase, bearer_tokens);
	tcase_add_test(tcase, codes_of_links);
	tcase_add_test(tcase, media_types);
	tcase_add_test(tcase, entity_tags);
	tcase_add_test(tcase, targets);
	tcase_add_test(tcase, authorities);
	tcase_add_test(tcase, routes);
	tcase_add_test(tcase, what_an_answerer_may_rely_on);
	tcase_add_test(tcase, only_a_proxy_on_this_machine_tells_the_scheme);
	tcase_add_test(tcase, framing_in_doubt_closes);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
