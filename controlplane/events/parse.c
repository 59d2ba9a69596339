/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "controlplane/events/parse.h"

void parse_setup(void)
{
	scrap_setup();
}

/* jansson allows 2,048 levels of recursion; ours need three. Brackets in strings do not count. */
static bool shallow(const char *line, size_t size)
{
	unsigned int depth = 0;
	bool string = false;

	for (size_t i = 0; i < size; i++) {
		char c = line[i];

		if (string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				string = false;
		} else if (c == '"') {
			string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > PARSE_DEPTH_MAX)
				return false;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

static bool take_id(json_t *value, const char *name, const char **to, struct verdict *verdict)
{
	const char *text = json_string_value(value);

	if (text == NULL || !event_id_valid(text, json_string_length(value)))
		return verdict_refuse(verdict, VERDICT_INVALID,
			"%s: must be a string of 1 to %d of A-Z a-z 0-9 _ . : -", name,
			EVENT_ID_MAX);
	*to = text;
	return true;
}

static bool take_text(
	json_t *value, const struct field *field, const char **to, struct verdict *verdict)
{
	size_t size = json_string_length(value);

	if (!json_is_string(value) || size < field->min || size > field->max)
		return verdict_refuse(verdict, VERDICT_INVALID,
			"%s: must be a string of %llu to %llu bytes", field->name,
			(unsigned long long)field->min, (unsigned long long)field->max);
	*to = json_string_value(value);
	return true;
}

static bool take_uint(
	json_t *value, const struct field *field, uint64_t *to, struct verdict *verdict)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number < field->min ||
		(uint64_t)number > field->max)
		return verdict_refuse(verdict, VERDICT_INVALID,
			"%s: must be an integer from %llu to %llu", field->name,
			(unsigned long long)field->min, (unsigned long long)field->max);
	*to = (uint64_t)number;
	return true;
}

static bool take_choice(json_t *value, const struct field *field, int *to, struct verdict *verdict)
{
	const char *text = json_string_value(value);
	char allowed[128] = "";

	for (int i = 0; field->choices[i] != NULL; i++) {
		size_t used = strlen(allowed);

		if (text != NULL && strcmp(text, field->choices[i]) == 0) {
			*to = i;
			return true;
		}
		snprintf(allowed + used, sizeof(allowed) - used, "%s%s", i == 0 ? "" : ", ",
			field->choices[i]);
	}
	return verdict_refuse(
		verdict, VERDICT_INVALID, "%s: must be one of %s", field->name, allowed);
}

static bool take_fields(
	json_t *object, const struct field *fields, void *body, struct verdict *verdict);

static bool take_array(json_t *value, const struct field *field, size_t item_size,
	struct event_list *to, struct verdict *verdict)
{
	size_t count = json_array_size(value);

	if (!json_is_array(value) || count > field->max)
		return verdict_refuse(verdict, VERDICT_INVALID,
			"%s: must be an array of at most %llu", field->name,
			(unsigned long long)field->max);
	to->items = calloc(count == 0 ? 1 : count, item_size); /* not NULL: it was given */
	if (to->items == NULL)
		return verdict_refuse(verdict, VERDICT_UNAVAILABLE, "out of memory");
	to->count = count;
	return true;
}

static bool take_ids(
	json_t *value, const struct field *field, struct event_list *to, struct verdict *verdict)
{
	if (!take_array(value, field, sizeof(const char *), to, verdict))
		return false;
	for (size_t i = 0; i < to->count; i++) {
		if (!take_id(json_array_get(value, i), field->name, &((const char **)to->items)[i],
			    verdict))
			return false;
	}
	return true;
}

static bool take_list(
	json_t *value, const struct field *field, struct event_list *to, struct verdict *verdict)
{
	if (!take_array(value, field, field->item_size, to, verdict))
		return false;
	for (size_t i = 0; i < to->count; i++) {
		void *item = (unsigned char *)to->items + i * field->item_size;

		if (!take_fields(json_array_get(value, i), field->items, item, verdict)) {
			struct verdict why = *verdict;

			return verdict_refuse(
				verdict, why.code, "%s[%zu]: %.190s", field->name, i, why.message);
		}
	}
	return true;
}

static bool take_field(
	json_t *value, const struct field *field, void *body, struct verdict *verdict)
{
	void *to = (unsigned char *)body + field->offset;

	switch (field->kind) {
	case FIELD_ID:
		return take_id(value, field->name, to, verdict);
	case FIELD_TEXT:
		return take_text(value, field, to, verdict);
	case FIELD_UINT:
		return take_uint(value, field, to, verdict);
	case FIELD_BOOL:
		if (!json_is_boolean(value))
			return verdict_refuse(
				verdict, VERDICT_INVALID, "%s: must be true or false", field->name);
		*(int *)to = json_is_true(value);
		return true;
	case FIELD_CHOICE:
		return take_choice(value, field, to, verdict);
	case FIELD_IDS:
		return take_ids(value, field, to, verdict);
	case FIELD_LIST:
		return take_list(value, field, to, verdict);
	default:
		return verdict_refuse(verdict, VERDICT_INVALID, "%s: unknown kind", field->name);
	}
}

/* Every field of the table, and nothing else that is left in the object. */
static bool take_fields(
	json_t *object, const struct field *fields, void *body, struct verdict *verdict)
{
	size_t taken = 0;
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return verdict_refuse(verdict, VERDICT_INVALID, "must be an object");
	event_defaults(fields, body);
	for (const struct field *f = fields; f != NULL && f->name != NULL; f++) {
		value = json_object_get(object, f->name);
		if (value == NULL && (f->flags & FIELD_REQUIRED))
			return verdict_refuse(verdict, VERDICT_INVALID, "%s: missing", f->name);
		if (value == NULL)
			continue;
		taken++;
		if (!take_field(value, f, body, verdict))
			return false;
	}
	if (taken == json_object_size(object))
		return true;
	json_object_foreach(object, name, value)
	{
		const struct field *f = fields;

		while (f != NULL && f->name != NULL && strcmp(f->name, name) != 0)
			f++;
		if (f == NULL || f->name == NULL)
			return verdict_refuse(verdict, VERDICT_INVALID,
				"%.64s: this type of request has no such field", name);
	}
	return true;
}

/* A common field is taken out of the object, so that what is left is the type's. */
static bool take_common(json_t *root, const char *name, bool needed, const char **to, char *keep,
	struct verdict *verdict)
{
	json_t *value = json_object_get(root, name);

	if (value == NULL && needed)
		return verdict_refuse(verdict, VERDICT_INVALID, "%s: missing", name);
	if (value == NULL)
		return true;
	if (!take_id(value, name, to, verdict))
		return false;
	strcpy(keep, *to);
	*to = keep;
	scrap_delete(root, name);
	return true;
}

/* What the line says must be what is known anyway. */
static bool take_own(
	const char *name, const char *own, const char **to, char *keep, struct verdict *verdict)
{
	if (*to != NULL && strcmp(*to, own) != 0)
		return verdict_refuse(
			verdict, VERDICT_NOT_ALLOWED, "%s: your token is of \"%s\"", name, own);
	strcpy(keep, own);
	*to = keep;
	return true;
}

static bool take_owner(const struct parse_as *as, struct parsed *parsed, struct verdict *verdict)
{
	struct event *event = &parsed->event;

	if (as == NULL)
		return true;
	event->page = true;
	if (!(event->type->flags & EVENT_PAGE))
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED, "type: \"%s\" is not for pages",
			event->type->name);
	if (!take_own("actor", as->actor, &event->actor, parsed->actor, verdict))
		return false;
	if ((event->type->flags & EVENT_ABROAD) && event->room != NULL)
		return true;
	return !(event->type->flags & (EVENT_NEEDS_ROOM | EVENT_TAKES_ROOM)) ||
	       take_own("room", as->room, &event->room, parsed->room, verdict);
}

static bool take_event(
	json_t *root, const struct parse_as *as, struct parsed *parsed, struct verdict *verdict)
{
	struct event *event = &parsed->event;
	const char *type;
	unsigned int flags;

	if (!take_common(root, "id", true, &event->id, parsed->id, verdict))
		return false;
	type = json_string_value(json_object_get(root, "type"));
	if (type == NULL)
		return verdict_refuse(verdict, VERDICT_INVALID, "type: missing or not a string");
	event->type = event_type_find(type);
	if (event->type == NULL)
		return verdict_refuse(
			verdict, VERDICT_INVALID, "type: there is no \"%.64s\"", type);
	scrap_delete(root, "type");
	flags = event->type->flags;
	if (!take_common(root, "actor", as == NULL && (flags & EVENT_NEEDS_ACTOR), &event->actor,
		    parsed->actor, verdict))
		return false;
	if ((flags & (EVENT_NEEDS_ROOM | EVENT_TAKES_ROOM)) &&
		!take_common(root, "room", as == NULL && (flags & EVENT_NEEDS_ROOM), &event->room,
			parsed->room, verdict))
		return false;
	if (!take_owner(as, parsed, verdict))
		return false;
	return take_fields(root, event->type->fields, event->body, verdict);
}

bool parse_line(const char *line, size_t size, struct parsed *parsed, struct verdict *verdict)
{
	return parse_line_as(line, size, NULL, parsed, verdict);
}

bool parse_line_as(const char *line, size_t size, const struct parse_as *as, struct parsed *parsed,
	struct verdict *verdict)
{
	json_error_t error;
	json_t *root;
	bool starved;

	*parsed = (struct parsed){0};
	if (!shallow(line, size))
		return verdict_refuse(
			verdict, VERDICT_INVALID, "nested deeper than %d levels", PARSE_DEPTH_MAX);
	/* jansson refuses NUL, \u0000 and invalid UTF-8 by itself. */
	root = scrap_parse(&parsed->scrap, line, size, &error, &starved);
	if (starved)
		return verdict_refuse(verdict, VERDICT_UNAVAILABLE, "out of memory");
	if (root == NULL)
		return verdict_refuse(verdict, VERDICT_INVALID, "not JSON: %.120s (byte %d)",
			error.text, error.position);
	if (!json_is_object(root))
		return verdict_refuse(verdict, VERDICT_INVALID, "must be a JSON object");
	return take_event(root, as, parsed, verdict);
}

void parse_clear(struct parsed *parsed)
{
	event_clear(&parsed->event);
	scrap_clear(&parsed->scrap);
	*parsed = (struct parsed){0};
}
