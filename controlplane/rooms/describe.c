/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * event-catalog: prints all request types with their fields as one JSON document, for what is made
 * from it or checked against it: the verbs of stentorctl, its manual page, the protocol's text. A
 * tool of the build, not installed.
 */
#include <stdio.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/writer.h"

static const char *kind_name(enum field_kind kind)
{
	static const char *const names[] = {"id", "text", "uint", "bool", "choice", "ids", "list"};

	return kind < FIELD_COUNT ? names[kind] : "unknown";
}

static void write_fields(struct writer *writer, const char *name, const struct field *fields);

static void write_field(struct writer *writer, const struct field *field)
{
	writer_begin_object(writer, NULL);
	writer_string(writer, "name", field->name);
	writer_string(writer, "kind", kind_name(field->kind));
	writer_bool(writer, "required", field->flags & FIELD_REQUIRED);
	writer_uint(writer, "min", field->min);
	writer_uint(writer, "max", field->max);
	writer_int(writer, "fallback", field->fallback);
	if (field->choices != NULL) {
		writer_begin_array(writer, "choices");
		for (const char *const *choice = field->choices; *choice != NULL; choice++)
			writer_string(writer, NULL, *choice);
		writer_end_array(writer);
	}
	if (field->items != NULL)
		write_fields(writer, "items", field->items);
	writer_end_object(writer);
}

static void write_fields(struct writer *writer, const char *name, const struct field *fields)
{
	writer_begin_array(writer, name);
	for (const struct field *f = fields; f != NULL && f->name != NULL; f++)
		write_field(writer, f);
	writer_end_array(writer);
}

static void write_type(struct writer *writer, const struct event_type *type)
{
	writer_begin_object(writer, NULL);
	writer_string(writer, "type", type->name);
	writer_bool(writer, "actor", type->flags & EVENT_NEEDS_ACTOR);
	writer_string(writer, "room",
		type->flags & EVENT_NEEDS_ROOM   ? "needed"
		: type->flags & EVENT_TAKES_ROOM ? "taken"
						 : "none");
	writer_bool(writer, "changes", type->flags & EVENT_CHANGES);
	writer_bool(writer, "safety", type->flags & EVENT_SAFETY);
	writer_bool(writer, "page", type->flags & EVENT_PAGE);
	write_fields(writer, "fields", type->fields);
	writer_end_object(writer);
}

int main(void)
{
	struct writer writer = {0};
	const struct event_type *type;

	writer_begin_array(&writer, NULL);
	for (size_t position = 0; (type = event_type_at(position)) != NULL; position++)
		write_type(&writer, type);
	writer_end_array(&writer);
	if (writer.failed || fwrite(writer.text, 1, writer.size, stdout) != writer.size ||
		putchar('\n') == EOF || fflush(stdout) != 0)
		return 1;
	writer_clear(&writer);
	return 0;
}
