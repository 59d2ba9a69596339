/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/cli/value.h"

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), length = strlen(end);

	return size >= length && strcmp(text + size - length, end) == 0;
}

bool value_is_moment(const struct vocabulary_field *field)
{
	static const char *const moments[] = {
		"until_ms", "starts_ms", "from_ms", "to_ms", "sale_from_ms", "sale_until_ms"};

	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		if (strcmp(field->name, moments[i]) == 0)
			return true;
	}
	return false;
}

bool value_is_duration(const struct vocabulary_field *field)
{
	return field->kind == VOCABULARY_UINT && ends_with(field->name, "_ms") &&
	       !value_is_moment(field);
}

static json_t *refuse(const struct vocabulary_field *field, const char *text, const char *allowed,
	char error[256])
{
	snprintf(error, 256, "%s: '%.80s' is not %.140s", field->name, text, allowed);
	return NULL;
}

/* "90s", "10m", "2h", "7d", "250ms", or a number of milliseconds: 0 or -EINVAL. */
static int parse_duration(const char *text, uint64_t *ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	unsigned long long number;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	for (size_t i = 0; errno == 0 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0 || number > INT64_MAX / units[i].ms)
			continue;
		*ms = number * units[i].ms;
		return 0;
	}
	return -EINVAL;
}

/* "2026-12-01 20:00[:30]" in local time, "2026-12-01T20:00:00Z" in UTC: 0 or -EINVAL. */
static int parse_date(const char *text, uint64_t *ms)
{
	static const char *const formats[] = {
		"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, formats[i], &tm);
		time_t seconds;

		if (end == NULL || *end != '\0')
			continue;
		seconds = i == 0 ? timegm(&tm) : mktime(&tm);
		if (seconds <= 0)
			return -EINVAL;
		*ms = (uint64_t)seconds * 1000;
		return 0;
	}
	return -EINVAL;
}

static int parse_moment(const char *text, int64_t now_ms, uint64_t *ms)
{
	if (text[0] == '+' && parse_duration(text + 1, ms) == 0) {
		*ms += (uint64_t)now_ms;
		return 0;
	}
	return parse_duration(text, ms) == 0 && strspn(text, "0123456789") == strlen(text)
		       ? 0
		       : parse_date(text, ms);
}

static json_t *take_uint(
	const struct vocabulary_field *field, const char *text, int64_t now_ms, char error[256])
{
	char allowed[140];
	uint64_t number = 0;
	char *end;
	int rc = 0;

	if (value_is_moment(field)) {
		rc = parse_moment(text, now_ms, &number);
	} else if (value_is_duration(field)) {
		rc = parse_duration(text, &number);
	} else {
		errno = 0;
		number = strtoull(text, &end, 10);
		rc = errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' ? -EINVAL : 0;
	}
	if (rc == 0 && number >= field->min && number <= field->max && number <= INT64_MAX)
		return json_integer((json_int_t)number);
	if (value_is_moment(field))
		snprintf(allowed, sizeof(allowed),
			"a time: +2h, \"2026-12-01 20:00\", 2026-12-01T19:00:00Z, or Unix ms");
	else
		snprintf(allowed, sizeof(allowed), "%s from %llu to %llu",
			value_is_duration(field) ? "a duration (90s, 10m, 2h, 7d, or ms)"
						 : "a number",
			(unsigned long long)field->min, (unsigned long long)field->max);
	return refuse(field, text, allowed, error);
}

static json_t *take_bool(const struct vocabulary_field *field, const char *text, char error[256])
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(text, yes[i]) == 0)
			return json_true();
		if (strcmp(text, no[i]) == 0)
			return json_false();
	}
	return refuse(field, text, "yes or no", error);
}

static json_t *take_choice(const struct vocabulary_field *field, const char *text, char error[256])
{
	char allowed[140] = "one of";

	for (const char *const *choice = field->choices; *choice != NULL; choice++) {
		size_t used = strlen(allowed);

		if (strcmp(*choice, text) == 0)
			return json_string(text);
		snprintf(allowed + used, sizeof(allowed) - used, " %s", *choice);
	}
	return refuse(field, text, allowed, error);
}

/* "ann,bob"; nothing between the commas is nobody. */
static json_t *take_ids(const char *text)
{
	json_t *ids = json_array();

	while (*text != '\0') {
		size_t size = strcspn(text, ",");

		if (size > 0)
			json_array_append_new(ids, json_stringn(text, size));
		text += size + (text[size] == ',');
	}
	return ids;
}

json_t *value_parse(
	const struct vocabulary_field *field, const char *text, int64_t now_ms, char error[256])
{
	json_t *value;

	switch (field->kind) {
	case VOCABULARY_UINT:
		return take_uint(field, text, now_ms, error);
	case VOCABULARY_BOOL:
		return take_bool(field, text, error);
	case VOCABULARY_CHOICE:
		return take_choice(field, text, error);
	case VOCABULARY_IDS:
		return take_ids(text);
	case VOCABULARY_LIST:
		value = json_loads(text, 0, NULL);
		return json_is_array(value) ? value : refuse(field, text, "a JSON array", error);
	default:
		value = json_string(text);
		return value != NULL ? value : refuse(field, text, "UTF-8", error);
	}
}
