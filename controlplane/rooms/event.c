/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/event.h"

bool event_id_valid(const char *text, size_t size)
{
	if (size < 1 || size > EVENT_ID_MAX)
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			    c == '_' || c == '.' || c == ':' || c == '-'))
			return false;
	}
	return true;
}

void event_defaults(const struct field *fields, void *body)
{
	for (const struct field *f = fields; f != NULL && f->name != NULL; f++) {
		unsigned char *at = (unsigned char *)body + f->offset;

		switch (f->kind) {
		case FIELD_UINT:
			*(uint64_t *)at = (uint64_t)f->fallback;
			break;
		case FIELD_BOOL:
		case FIELD_CHOICE:
			*(int *)at = (int)f->fallback;
			break;
		case FIELD_IDS:
		case FIELD_LIST:
			*(struct event_list *)at = (struct event_list){0};
			break;
		default:
			*(const char **)at = NULL;
			break;
		}
	}
}

void event_clear(struct event *event)
{
	const struct field *f = event->type == NULL ? NULL : event->type->fields;

	for (; f != NULL && f->name != NULL; f++) {
		struct event_list *list = (struct event_list *)(event->body + f->offset);

		if (f->kind == FIELD_IDS || f->kind == FIELD_LIST) {
			free(list->items);
			*list = (struct event_list){0};
		}
	}
}
