/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/cli/value.h"
#include "controlplane/cli/verb.h"

const struct verb verbs[] = {
	{"user-set", "user.upsert", {"user"}, 1, "what the application knows of a user", NULL},
	{"user", "user.get", {"user"}, 1, "a user: followers, grants, where they are", NULL},
	{"timeline", "timeline.get", {0}, 0, "the rooms of those the actor follows", "bubbles"},
	{"find", "room.list", {0}, 0, "rooms by state, topic, language, size", "rooms"},
	{"schedule", "room.schedule", {"room", "starts_ms"}, 2, "announces a room", NULL},
	{"open", "room.open", {"room"}, 1, "opens a room, or begins a scheduled one", NULL},
	{"update", "room.update", {"room"}, 1, "changes a room", NULL},
	{"close", "room.close", {"room"}, 1, "ends a room for everybody, or cancels it", NULL},
	{"join", "member.join", {"room", "role"}, 2, "brings the actor, or a member, in", NULL},
	{"leave", "member.leave", {"room", "member"}, 1, "ends a membership", NULL},
	{"members", "member.list", {"room"}, 1, "who is in a room", "members"},
	{"token", "member.token", {"room", "member"}, 1, "a fresh token; the one before ends",
		NULL},
	{"keys", "member.keys", {"room", "member"}, 1, "leg and keys of a member with keys", NULL},
	{"request", "floor.request", {"room", "message"}, 1, "the actor asks for the floor", NULL},
	{"cancel", "floor.cancel", {"room"}, 1, "takes the request back, or declines", NULL},
	{"grant", "floor.grant", {"room", "member"}, 2, "lets somebody speak who asks", NULL},
	{"deny", "floor.deny", {"room", "member"}, 2, "says no to a request", NULL},
	{"invite", "floor.invite", {"room", "member"}, 2, "asks a listener to speak", NULL},
	{"accept", "floor.accept", {"room"}, 1, "the actor takes the invitation", NULL},
	{"release", "floor.release", {"room"}, 1, "the actor gives the floor back", NULL},
	{"hands", "floor.list", {"room"}, 1, "who asks for the floor", "hands"},
	{"role", "role.set", {"room", "member", "role"}, 3, "makes somebody cohost, host, ...",
		NULL},
	{"mute", "moderation.mute", {"room", "member"}, 2, "silences a member", NULL},
	{"unmute", "moderation.unmute", {"room", "member"}, 2, "ends a mute", NULL},
	{"mute-all", "moderation.mute_all", {"room"}, 1, "silences all speakers but hosts", NULL},
	{"demote", "moderation.demote", {"room", "member"}, 2, "makes a speaker a listener", NULL},
	{"remove", "moderation.remove", {"room", "member"}, 2, "removes a member for good", NULL},
	{"ban", "moderation.ban", {"room", "member"}, 2, "bans from all rooms of the host", NULL},
	{"unban", "moderation.unban", {"room", "member"}, 2, "ends a ban", NULL},
	{"report", "moderation.report", {"room", "member", "category"}, 3, "reports a member",
		NULL},
	{"reports", "moderation.reports", {"room"}, 0, "the queue of reports", "reports"},
	{"resolve", "moderation.resolve", {"report", "resolution"}, 2, "decides a report", NULL},
	{"react", "reaction.send", {"room", "emoji"}, 2, "sends a reaction", NULL},
	{"pin", "pin.add", {"room", "text"}, 1, "pins a text or a link", NULL},
	{"unpin", "pin.remove", {"room", "pin"}, 2, "takes a pin off", NULL},
	{"share", "share.create", {"room", "member"}, 1, "a link that expires, an invitation",
		NULL},
	{"offer", "ticket.offer", {"room", "price", "currency", "quantity"}, 4, "sells seats",
		NULL},
	{"ticket", "ticket.issue", {"room", "user", "reference"}, 3, "records a payment", NULL},
	{"refund", "ticket.refund", {"ticket"}, 0, "takes a ticket back, at once", NULL},
	{"ledger", "ticket.ledger", {"room"}, 0, "who got what; it sums to zero", "entries"},
	{"remind", "reminder.set", {"room"}, 1, "tells the actor before a room starts", NULL},
	{"forget", "reminder.cancel", {"room"}, 1, "does not tell them", NULL},
	{"audit", "audit.list", {"room"}, 0, "who did what to whom, when, why", "entries"},
	{"drain", "drain", {"on"}, 0, "lets nobody new in, or again (drain off)", NULL},
};
const size_t verb_count = sizeof(verbs) / sizeof(verbs[0]);

/* The room is not among a type's fields: it is common to all. */
static const struct vocabulary_field room_field = {"room", VOCABULARY_ID, true, 1, 64, NULL};

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < verb_count; i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

static const struct vocabulary_field *find_field(
	const struct vocabulary_type *type, const char *name)
{
	if (strcmp(name, "room") == 0 && type->room != VOCABULARY_ROOM_NONE)
		return &room_field;
	return vocabulary_field(type, name);
}

void verb_option_name(const struct vocabulary_field *field, char *text, size_t size)
{
	size_t length = strlen(field->name);

	if (value_is_moment(field) || value_is_duration(field))
		length -= strlen("_ms");
	snprintf(text, size, "%.*s", (int)length, field->name);
	for (char *c = text; *c != '\0'; c++)
		*c = *c == '_' ? '-' : *c;
}

void verb_value_name(const struct vocabulary_field *field, char *text, size_t size)
{
	static const char *const names[] = {[VOCABULARY_ID] = "ID",
		[VOCABULARY_TEXT] = "TEXT",
		[VOCABULARY_UINT] = "N",
		[VOCABULARY_BOOL] = "yes|no",
		[VOCABULARY_CHOICE] = "",
		[VOCABULARY_IDS] = "ID,ID...",
		[VOCABULARY_LIST] = "JSON"};
	size_t used = 0;

	if (value_is_moment(field) || value_is_duration(field)) {
		snprintf(text, size, "%s", value_is_moment(field) ? "TIME" : "DURATION");
		return;
	}
	snprintf(text, size, "%s", names[field->kind]);
	for (const char *const *choice = field->choices; choice != NULL && *choice != NULL;
		choice++) {
		int wrote =
			snprintf(text + used, size - used, "%s%s", used == 0 ? "" : "|", *choice);

		used = used + (size_t)wrote < size ? used + (size_t)wrote : size - 1;
	}
}

static bool is_position(const struct verb *verb, const char *field)
{
	for (size_t i = 0; i < VERB_POSITIONS_MAX && verb->positions[i] != NULL; i++) {
		if (strcmp(verb->positions[i], field) == 0)
			return true;
	}
	return false;
}

static void append(char *text, size_t size, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s", more);
}

void verb_usage(const struct verb *verb, char *text, size_t size)
{
	const struct vocabulary_type *type = vocabulary_find(verb->type);
	char name[64], value[192], part[320];

	snprintf(text, size, "%s", verb->name);
	for (unsigned int i = 0; i < VERB_POSITIONS_MAX && verb->positions[i] != NULL; i++) {
		bool needed = i < verb->needed;

		snprintf(name, sizeof(name), "%s", verb->positions[i]);
		if (strlen(name) > 3 && strcmp(name + strlen(name) - 3, "_ms") == 0)
			name[strlen(name) - 3] = '\0';
		for (char *c = name; *c != '\0'; c++)
			*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
		snprintf(part, sizeof(part), needed ? " %s" : " [%s]", name);
		append(text, size, part);
	}
	for (size_t i = 0; type != NULL && i < type->field_count; i++) {
		const struct vocabulary_field *field = &type->fields[i];

		if (is_position(verb, field->name))
			continue;
		verb_option_name(field, name, sizeof(name));
		verb_value_name(field, value, sizeof(value));
		snprintf(part, sizeof(part), field->required ? " --%s %s" : " [--%s %s]", name,
			value);
		append(text, size, part);
	}
}

/* The field an option names: as it is called in JSON, or as verb_option_name() has it. */
static const struct vocabulary_field *field_of_option(
	const struct vocabulary_type *type, const char *name, size_t size)
{
	char wanted[64], option[64];

	if (size >= sizeof(wanted))
		return NULL;
	memcpy(wanted, name, size);
	wanted[size] = '\0';
	for (char *c = wanted; *c != '\0'; c++)
		*c = *c == '_' ? '-' : *c;
	if (strcmp(wanted, "room") == 0)
		return find_field(type, wanted);
	for (size_t i = 0; i < type->field_count; i++) {
		const struct vocabulary_field *field = &type->fields[i];

		verb_option_name(field, option, sizeof(option));
		if (strcmp(option, wanted) == 0)
			return field;
		snprintf(option, sizeof(option), "%s", field->name);
		for (char *c = option; *c != '\0'; c++)
			*c = *c == '_' ? '-' : *c;
		if (strcmp(option, wanted) == 0)
			return field;
	}
	return NULL;
}

struct filling {
	const struct verb *verb;
	const struct vocabulary_type *type;
	json_t *request;
	int64_t now_ms;
	unsigned int positions; /* taken so far */
	char *error;            /* 256 bytes */
};

static bool fail(const struct filling *f, const char *what, const char *text)
{
	snprintf(f->error, 256, "%s: %s '%.100s'", f->verb->name, what, text);
	return false;
}

static bool set(struct filling *f, const struct vocabulary_field *field, const char *text)
{
	json_t *value;

	if (json_object_get(f->request, field->name) != NULL)
		return fail(f, "given twice:", field->name);
	value = value_parse(field, text, f->now_ms, f->error);
	return value != NULL && json_object_set_new(f->request, field->name, value) == 0;
}

/* "--name value", "--name=value"; a bool also "--name" and "--no-name". How many arguments it took,
 * 0 with the error. */
static int take_option(struct filling *f, char *const *arguments, int left)
{
	const char *name = arguments[0] + 2;
	size_t size = strcspn(name, "=");
	const struct vocabulary_field *field = field_of_option(f->type, name, size);

	if (field == NULL && strncmp(name, "no-", 3) == 0 && name[size] == '\0') {
		field = field_of_option(f->type, name + 3, size - 3);
		if (field != NULL && field->kind == VOCABULARY_BOOL)
			return set(f, field, "no");
		field = NULL;
	}
	if (field == NULL)
		return fail(f, "there is no option", arguments[0]);
	if (name[size] == '=')
		return set(f, field, name + size + 1);
	if (field->kind == VOCABULARY_BOOL)
		return set(f, field, "yes");
	if (left < 2)
		return fail(f, "a value is missing behind", arguments[0]);
	return set(f, field, arguments[1]) ? 2 : 0;
}

static bool take_position(struct filling *f, const char *text)
{
	const struct vocabulary_field *field;

	if (f->positions == VERB_POSITIONS_MAX || f->verb->positions[f->positions] == NULL)
		return fail(f, "one argument too many:", text);
	field = find_field(f->type, f->verb->positions[f->positions++]);
	return field == NULL ? fail(f, "does not take", text) : set(f, field, text);
}

static bool complete(const struct filling *f)
{
	for (unsigned int i = 0; i < f->verb->needed; i++) {
		if (json_object_get(f->request, f->verb->positions[i]) == NULL)
			return fail(f, "is missing", f->verb->positions[i]);
	}
	for (size_t i = 0; i < f->type->field_count; i++) {
		if (f->type->fields[i].required &&
			json_object_get(f->request, f->type->fields[i].name) == NULL)
			return fail(f, "is missing", f->type->fields[i].name);
	}
	return true;
}

json_t *verb_request(
	const struct verb *verb, char *const *arguments, int count, int64_t now_ms, char error[256])
{
	struct filling f = {verb, vocabulary_find(verb->type), json_object(), now_ms, 0, error};
	bool options = true, good = f.type != NULL && f.request != NULL;

	snprintf(error, 256, "%s: not known to this build", verb->name);
	if (good)
		json_object_set_new(f.request, "type", json_string(verb->type));
	for (int i = 0; good && i < count;) {
		int took = 1;

		if (options && strcmp(arguments[i], "--") == 0)
			options = false;
		else if (options && strncmp(arguments[i], "--", 2) == 0)
			good = (took = take_option(&f, arguments + i, count - i)) > 0;
		else
			good = take_position(&f, arguments[i]);
		i += took;
	}
	if (good && complete(&f))
		return f.request;
	json_decref(f.request);
	return NULL;
}
