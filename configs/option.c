/* SPDX-License-Identifier: BSD-3-Clause */
#include "configs/option.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "configs/option_scan.h"

#define OPTIONS_MAX 128
#define TEXT_MAX 160

/* Groups of the file that belong to other programs. */
static const char *const group_names[] = {"dataplane", "controlplane", NULL};

struct reader {
	const char *name; /* of the file, or "-o" */
	bool has_lines;   /* it is a file */
	struct option_error *error;
};

static const struct option *find(const struct option *options, const char *key)
{
	for (; options->key != NULL; options++)
		if (strcmp(options->key, key) == 0)
			return options;
	return NULL;
}

/* "dataplane.ports[0].queues" */
static void print_path(const config_setting_t *setting, char *text, size_t size)
{
	const config_setting_t *parent = config_setting_parent(setting);
	if (parent == NULL) {
		text[0] = '\0';
		return;
	}
	print_path(parent, text, size);
	size_t used = strlen(text);
	if (config_setting_name(setting) != NULL)
		snprintf(text + used, size - used, "%s%s", used > 0 ? "." : "",
			config_setting_name(setting));
	else
		snprintf(text + used, size - used, "[%d]", config_setting_index(setting));
}

static void print_value(const config_setting_t *setting, char *text, size_t size)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(text, size, " = %lld", config_setting_get_int64(setting));
		break;
	case CONFIG_TYPE_FLOAT:
		snprintf(text, size, " = %g", config_setting_get_float(setting));
		break;
	case CONFIG_TYPE_BOOL:
		snprintf(text, size, " = %s", config_setting_get_bool(setting) ? "true" : "false");
		break;
	case CONFIG_TYPE_STRING:
		snprintf(text, size, " = \"%.100s\"", config_setting_get_string(setting));
		break;
	default:
		snprintf(text, size, " (%d elements)", config_setting_length(setting));
	}
}

static int __attribute__((format(printf, 3, 4)))
refuse(const struct reader *reader, const config_setting_t *setting, const char *format, ...)
{
	char path[TEXT_MAX], value[TEXT_MAX], reason[TEXT_MAX], line[16] = "";
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	print_path(setting, path, sizeof(path));
	print_value(setting, value, sizeof(value));
	if (reader->has_lines)
		snprintf(line, sizeof(line), ":%u", config_setting_source_line(setting));
	snprintf(reader->error->text, sizeof(reader->error->text), "%s%s: %s%s: %s", reader->name,
		line, path, value, reason);
	return -EINVAL;
}

static int refuse_value(
	const struct reader *reader, const config_setting_t *setting, const struct option *option)
{
	char allowed[TEXT_MAX];
	option_describe(option, allowed, sizeof(allowed));
	return refuse(reader, setting, "allowed: %s", allowed);
}

static void store_integer(void *to, size_t size, int64_t value)
{
	switch (size) {
	case 1:
		*(uint8_t *)to = (uint8_t)value;
		return;
	case 2:
		*(uint16_t *)to = (uint16_t)value;
		return;
	case 4:
		*(uint32_t *)to = (uint32_t)value;
		return;
	case 8:
		*(uint64_t *)to = (uint64_t)value;
		return;
	default:
		assert(!"the member of an integer option is 1, 2, 4 or 8 bytes");
	}
}

/* STRING and ENUM. */
static int store_text(const struct option *option, const char *text, void *to)
{
	if (option->type == OPTION_ENUM) {
		for (unsigned int i = 0; option->names[i] != NULL; i++)
			if (strcmp(option->names[i], text) == 0) {
				store_integer(to, option->size, i);
				return 0;
			}
		return -EINVAL;
	}
	size_t length = strlen(text);
	if (length >= option->size || length < (size_t)option->min)
		return -EINVAL;
	/* Control bytes have no place in a path or a name, and would spoil logs. */
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return -EINVAL;
	memset(to, 0, option->size);
	memcpy(to, text, length);
	return 0;
}

static void store_fallbacks(const struct option *options, void *config);
static int read_group(const struct reader *reader, const config_setting_t *group,
	const struct option *options, void *config, bool seen[OPTIONS_MAX]);
static int check_required(const struct reader *reader, const config_setting_t *group,
	const struct option *options, const bool seen[OPTIONS_MAX]);

static int read_element(const struct reader *reader, const config_setting_t *setting,
	const struct option *option, void *to)
{
	int type = config_setting_type(setting);
	bool seen[OPTIONS_MAX] = {false};
	switch (option->type) {
	case OPTION_BOOL:
		if (type != CONFIG_TYPE_BOOL)
			return refuse_value(reader, setting, option);
		*(bool *)to = config_setting_get_bool(setting) != 0;
		return 0;
	case OPTION_INT: {
		int64_t value = config_setting_get_int64(setting);
		if ((type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) || value < option->min ||
			value > option->max)
			return refuse_value(reader, setting, option);
		store_integer(to, option->size, value);
		return 0;
	}
	case OPTION_STRING:
	case OPTION_ENUM:
		if (type != CONFIG_TYPE_STRING ||
			store_text(option, config_setting_get_string(setting), to) != 0)
			return refuse_value(reader, setting, option);
		return 0;
	case OPTION_GROUP:
		if (type != CONFIG_TYPE_GROUP)
			return refuse_value(reader, setting, option);
		memset(to, 0, option->size);
		store_fallbacks(option->fields, to);
		if (read_group(reader, setting, option->fields, to, seen) != 0)
			return -EINVAL;
		return check_required(reader, setting, option->fields, seen);
	default:
		assert(!"an option type without a reader");
		return -EINVAL;
	}
}

static int read_option(const struct reader *reader, const config_setting_t *setting,
	const struct option *option, void *config)
{
	char *to = (char *)config + option->offset;
	int type = config_setting_type(setting);
	if (option->list_max == 0)
		return read_element(reader, setting, option, to);

	if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST)
		return refuse_value(reader, setting, option);
	size_t count = (size_t)config_setting_length(setting);
	if (count < option->list_min || count > option->list_max)
		return refuse_value(reader, setting, option);
	memset(to, 0, option->list_max * option->size);
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *element = config_setting_get_elem(setting, (unsigned int)i);
		if (read_element(reader, element, option, to + i * option->size) != 0)
			return -EINVAL;
	}
	*(unsigned int *)((char *)config + option->count_offset) = (unsigned int)count;
	return 0;
}

static int read_group(const struct reader *reader, const config_setting_t *group,
	const struct option *options, void *config, bool seen[OPTIONS_MAX])
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned int)i);
		const struct option *option = find(options, config_setting_name(setting));
		if (option == NULL)
			return refuse(reader, setting, "no such option");
		if (read_option(reader, setting, option, config) != 0)
			return -EINVAL;
		assert(option - options < OPTIONS_MAX);
		seen[option - options] = true;
	}
	return 0;
}

static bool required(const struct option *option)
{
	if (option->fallback != NULL)
		return false;
	if (option->list_max > 0)
		return option->list_min > 0;
	if (option->type != OPTION_GROUP)
		return true;
	for (const struct option *field = option->fields; field->key != NULL; field++)
		if (required(field))
			return true;
	return false;
}

static int check_required(const struct reader *reader, const config_setting_t *group,
	const struct option *options, const bool seen[OPTIONS_MAX])
{
	for (const struct option *option = options; option->key != NULL; option++) {
		char path[TEXT_MAX] = "", allowed[TEXT_MAX];
		if (seen[option - options] || !required(option))
			continue;
		option_describe(option, allowed, sizeof(allowed));
		if (group != NULL)
			print_path(group, path, sizeof(path));
		if (group == NULL)
			snprintf(reader->error->text, sizeof(reader->error->text),
				"%s: %s is missing; required: %s", reader->name, option->key,
				allowed);
		else
			snprintf(reader->error->text, sizeof(reader->error->text),
				"%s:%u: %s.%s is missing; required: %s", reader->name,
				config_setting_source_line(group), path, option->key, allowed);
		return -EINVAL;
	}
	return 0;
}

/* One value as it stands in a table or behind -o. */
static int read_assignment(
	const struct reader *reader, const struct option *option, const char *value, void *config)
{
	char allowed[TEXT_MAX];
	char *text = NULL;
	config_t parsed;
	int rc = -EINVAL;
	unsigned int line;

	option_describe(option, allowed, sizeof(allowed));
	snprintf(reader->error->text, sizeof(reader->error->text), "%s: %s = %.100s: allowed: %s",
		reader->name, option->key, value, allowed);
	if (option->list_max == 0 && (option->type == OPTION_STRING || option->type == OPTION_ENUM))
		return store_text(option, value, (char *)config + option->offset);
	if (option_scan(value, strlen(value), &line) != NULL)
		return -EINVAL;
	if (asprintf(&text, "%s = %s;", option->key, value) < 0)
		return -ENOMEM;
	config_init(&parsed);
	if (config_read_string(&parsed, text) == CONFIG_TRUE &&
		config_setting_length(config_root_setting(&parsed)) == 1)
		rc = read_option(reader, config_setting_get_elem(config_root_setting(&parsed), 0),
			option, config);
	config_destroy(&parsed);
	free(text);
	return rc;
}

static void store_fallbacks(const struct option *options, void *config)
{
	struct option_error error;
	struct reader reader = {.name = "fallback", .error = &error};
	for (const struct option *option = options; option->key != NULL; option++) {
		if (option->fallback != NULL) {
			int rc = read_assignment(&reader, option, option->fallback, config);
			assert(rc == 0 && "a fallback outside its own range");
			(void)rc;
		} else if (option->type == OPTION_GROUP && option->list_max == 0) {
			store_fallbacks(option->fields, (char *)config + option->offset);
		}
	}
}

static int read_override(const struct option_table *table, const char *assignment, void *config,
	struct option_error *error, bool seen[OPTIONS_MAX])
{
	struct reader reader = {.name = "-o", .error = error};
	const char *equals = strchr(assignment, '=');
	char key[64] = "";
	if (equals != NULL && (size_t)(equals - assignment) < sizeof(key))
		memcpy(key, assignment, (size_t)(equals - assignment));
	const struct option *option = find(table->options, key);
	if (option == NULL) {
		snprintf(error->text, sizeof(error->text), "-o %.100s: %s", assignment,
			equals == NULL ? "KEY=VALUE expected" : "no such option");
		return -EINVAL;
	}
	int rc = read_assignment(&reader, option, equals + 1, config);
	assert(option - table->options < OPTIONS_MAX);
	seen[option - table->options] = true;
	return rc;
}

static bool is_group_name(const struct option_table *table, const char *name)
{
	for (unsigned int i = 0; group_names[i] != NULL; i++)
		if (strcmp(group_names[i], name) == 0)
			return true;
	return strcmp(table->name, name) == 0;
}

/* Parses text and reads the table's group. *group_line: where it stands, 0 when it is absent. */
static int read_text(const struct option_table *table, const struct reader *reader, char *text,
	void *config, bool seen[OPTIONS_MAX])
{
	config_t parsed;
	int rc = 0;
	config_init(&parsed);
	if (config_read_string(&parsed, text) != CONFIG_TRUE) {
		snprintf(reader->error->text, sizeof(reader->error->text), "%s:%d: %s",
			reader->name, config_error_line(&parsed), config_error_text(&parsed));
		rc = -EINVAL;
	}
	const config_setting_t *root = config_root_setting(&parsed);
	for (int i = 0; rc == 0 && i < config_setting_length(root); i++) {
		const config_setting_t *group = config_setting_get_elem(root, (unsigned int)i);
		if (!is_group_name(table, config_setting_name(group)))
			rc = refuse(reader, group, "no such group; known: dataplane, controlplane");
		else if (config_setting_type(group) != CONFIG_TYPE_GROUP)
			rc = refuse(reader, group, "allowed: a group { ... }");
		else if (strcmp(config_setting_name(group), table->name) == 0)
			rc = read_group(reader, group, table->options, config, seen);
	}
	config_destroy(&parsed);
	return rc;
}

int option_read(const struct option_table *table, const struct option_source *source, void *config,
	struct option_error *error)
{
	struct reader reader = {.name = source->name, .has_lines = true, .error = error};
	bool seen[OPTIONS_MAX] = {false};
	unsigned int line = 0;

	memset(config, 0, table->size);
	store_fallbacks(table->options, config);
	error->text[0] = '\0';

	const char *wrong =
		source->size == 0 ? NULL : option_scan(source->text, source->size, &line);
	if (wrong != NULL) {
		snprintf(error->text, sizeof(error->text), "%s:%u: %s", source->name, line, wrong);
		return -EINVAL;
	}
	char *text = strndup(source->size == 0 ? "" : source->text, source->size);
	if (text == NULL) {
		snprintf(error->text, sizeof(error->text), "%s: out of memory", source->name);
		return -ENOMEM;
	}
	int rc = read_text(table, &reader, text, config, seen);
	free(text);
	for (size_t i = 0; rc == 0 && i < source->override_count; i++)
		rc = read_override(table, source->override[i], config, error, seen);
	if (rc == 0)
		rc = check_required(&reader, NULL, table->options, seen);
	if (rc == 0 && table->check != NULL)
		rc = table->check(config, error);
	if (rc == 0)
		error->text[0] = '\0';
	return rc;
}
