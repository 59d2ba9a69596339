// SPDX-License-Identifier: BSD-3-Clause
#include "perf/report.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "perf/machine.h"
#include "perf/watch.h"

/* Nine digits of a figure are more than any of them is worth, and 0.1 stays 0.1. */
#define JSON_FLAGS (JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9))
#define TABLE_ROWS_MAX 40 /* of a curve, for people */

struct report {
	json_t *object;
	json_t *parameters, *results, *tables, *reasons; /* inside of it */
	struct watch watch;
	bool unwatched;
	bool failed; /* memory */
};

static const char *const better_name[] = {"lower", "higher", "neither"};

/* What jansson cannot print, because it is not UTF-8, is not worth a report. */
static json_t *text_make(const char *text)
{
	json_t *string = json_string(text);

	return string != NULL ? string : json_string("(not UTF-8)");
}

static json_t *number_make(double value)
{
	if (!isfinite(value))
		return json_null();
	if (value == floor(value) && fabs(value) < 9e15)
		return json_integer((json_int_t)value);
	return json_real(value);
}

/* The member of that name, made when there is none. Borrowed; NULL when out of memory. */
static json_t *member_get(json_t *object, const char *name, json_t *(*make)(void))
{
	json_t *member = json_object_get(object, name);

	if (member == NULL && json_object_set_new(object, name, make()) == 0)
		member = json_object_get(object, name);
	return member;
}

static void check(struct report *report, int rc)
{
	report->failed |= rc < 0;
}

static void look(struct report *report)
{
	struct watch_reading reading;

	if (watch_read(&reading) < 0)
		report->unwatched = true;
	else
		watch_add(&report->watch, &reading);
}

static json_t *command_make(int argc, char *const argv[])
{
	json_t *list = json_array();

	for (int i = 0; i < argc; i++)
		json_array_append_new(list, text_make(argv[i]));
	return list;
}

struct report *report_open(const char *benchmark, int argc, char *const argv[])
{
	struct report *report = calloc(1, sizeof(*report));
	time_t seconds = time(NULL);
	char date[32];
	struct tm utc;

	if (report == NULL)
		return NULL;
	gmtime_r(&seconds, &utc);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &utc);
	report->object = json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:{}, s:{}, s:{}}", "schema",
		REPORT_SCHEMA, "benchmark", benchmark, "command", command_make(argc, argv),
		"commit", machine_commit(), "date", date, "machine", machine_facts(), "parameters",
		"results", "tables");
	report->reasons = json_array();
	if (report->object == NULL || report->reasons == NULL) {
		report_abandon(report);
		return NULL;
	}
	report->parameters = json_object_get(report->object, "parameters");
	report->results = json_object_get(report->object, "results");
	report->tables = json_object_get(report->object, "tables");
	look(report);
	return report;
}

void report_parameter(struct report *report, const char *name, const char *text)
{
	check(report, json_object_set_new(report->parameters, name, text_make(text)));
}

void report_parameter_number(struct report *report, const char *name, double value)
{
	check(report, json_object_set_new(report->parameters, name, number_make(value)));
}

void report_note(struct report *report, const char *text)
{
	size_t size = strcspn(text, "=");
	const char *value = text + size + (text[size] == '=');
	char name[64], *end;
	double number = strtod(value, &end);

	snprintf(name, sizeof(name), "%.*s", (int)size, text);
	if (end != value && *end == '\0')
		report_parameter_number(report, name, number);
	else
		report_parameter(report, name, value);
}

void report_value(struct report *report, const char *name, const char *unit,
	enum report_better better, double value)
{
	json_t *result = json_object_get(report->results, name);

	if (!isfinite(value)) {
		report_invalid(report, "%s could not be told", name);
		return;
	}
	if (result == NULL) {
		result = json_pack(
			"{s:s, s:s, s:[]}", "unit", unit, "better", better_name[better], "repeats");
		check(report, json_object_set_new(report->results, name, result));
	}
	check(report,
		json_array_append_new(json_object_get(result, "repeats"), number_make(value)));
}

void report_row_named(struct report *report, const char *name, const char *const columns[],
	const char *first, const double values[], unsigned int count)
{
	json_t *table = member_get(report->tables, name, json_object);
	json_t *header = member_get(table, "columns", json_array);
	json_t *row = json_array();

	if (json_array_size(header) == 0)
		for (unsigned int i = 0; i < count + (first != NULL); i++)
			check(report, json_array_append_new(header, text_make(columns[i])));
	if (first != NULL)
		check(report, json_array_append_new(row, text_make(first)));
	for (unsigned int i = 0; i < count; i++)
		check(report, json_array_append_new(row, number_make(values[i])));
	check(report, json_array_append_new(member_get(table, "rows", json_array), row));
}

void report_row(struct report *report, const char *name, const char *const columns[],
	const double values[], unsigned int count)
{
	report_row_named(report, name, columns, NULL, values, count);
}

void report_breathe(struct report *report)
{
	look(report);
}

void report_receives(struct report *report)
{
	report->watch.receives = true;
}

void report_invalid(struct report *report, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	check(report, json_array_append_new(report->reasons, text_make(text)));
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of a result's repeats, sorted: the middle one, or what lies between the middle two. */
static int spread(const json_t *repeats, double *low, double *middle, double *high)
{
	size_t count = json_array_size(repeats);
	double *sorted = calloc(count + 1, sizeof(*sorted));

	if (sorted == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		sorted[i] = json_number_value(json_array_get(repeats, i));
	qsort(sorted, count, sizeof(*sorted), compare);
	*low = sorted[0];
	*middle = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
	*high = sorted[count - 1];
	free(sorted);
	return 0;
}

double report_median(const struct report *report, const char *name)
{
	json_t *result = json_object_get(report->results, name);
	double low, middle, high;

	if (result == NULL || spread(json_object_get(result, "repeats"), &low, &middle, &high) < 0)
		return NAN;
	return middle;
}

static void summarize(struct report *report)
{
	const char *name;
	json_t *result;

	json_object_foreach(report->results, name, result)
	{
		json_t *repeats = json_incref(json_object_get(result, "repeats"));
		double low, middle, high;

		if (spread(repeats, &low, &middle, &high) < 0) {
			report->failed = true;
			json_decref(repeats);
			return;
		}
		check(report, json_object_set_new(result, "median", number_make(middle)));
		check(report, json_object_set_new(result, "minimum", number_make(low)));
		check(report, json_object_set_new(result, "maximum", number_make(high)));
		/* The list goes behind what is read first. */
		json_object_del(result, "repeats");
		check(report, json_object_set_new(result, "repeats", repeats));
	}
}

/*
 * Every parameter and median once more by its name alone, for who wants one number, unless the
 * schema has a member of that name.
 */
static void flatten(struct report *report)
{
	const char *name;
	json_t *value;

	json_object_foreach(report->parameters, name, value)
	{
		if (json_object_get(report->object, name) == NULL)
			check(report, json_object_set(report->object, name, value));
	}
	json_object_foreach(report->results, name, value)
	{
		if (json_object_get(report->object, name) == NULL)
			check(report, json_object_set(report->object, name,
					      json_object_get(value, "median")));
	}
}

/* correct: what the benchmark itself checks; quiet: the machine; valid: both. */
static bool judge(struct report *report)
{
	bool correct = json_array_size(report->reasons) == 0;
	struct watch_verdict verdict;
	bool quiet;

	watch_judge(&report->watch, &verdict);
	quiet = verdict.reason_count == 0 && !report->unwatched;
	for (unsigned int i = 0; i < verdict.reason_count; i++)
		report_invalid(report, "%s", verdict.reason[i]);
	if (report->unwatched)
		report_invalid(report, "/proc could not be read: nobody knows how quiet it was");
	check(report,
		json_object_set_new(report->object, "validity",
			json_pack("{s:b, s:b, s:b, s:O, s:o, s:o, s:o}", "valid", correct && quiet,
				"correct", correct, "quiet", quiet, "reasons", report->reasons,
				"steal_percent", number_make(verdict.steal_percent),
				"other_cpu_percent", number_make(verdict.other_cpu_percent),
				"clock_drift_percent", number_make(verdict.clock_drift_percent))));
	return correct && quiet;
}

static void print_value(const json_t *value, FILE *out)
{
	if (json_is_string(value))
		fputs(json_string_value(value), out);
	else if (json_is_number(value))
		fprintf(out, "%.9g", json_number_value(value));
	else
		fputs("unknown", out);
}

static void print_tables(const struct report *report, FILE *out)
{
	const char *name;
	json_t *table, *row, *cell;
	size_t i, j;

	json_object_foreach(report->tables, name, table)
	{
		json_t *rows = json_object_get(table, "rows");

		fprintf(out, "%s:\n", name);
		json_array_foreach(json_object_get(table, "columns"), j, cell)
			fprintf(out, "%s%16s", j == 0 ? "  " : " ", json_string_value(cell));
		fputc('\n', out);
		json_array_foreach(rows, i, row)
		{
			if (i == TABLE_ROWS_MAX)
				break;
			json_array_foreach(row, j, cell)
			{
				fputs(j == 0 ? "  " : " ", out);
				if (json_is_string(cell))
					fprintf(out, "%16s", json_string_value(cell));
				else
					fprintf(out, "%16.6g", json_number_value(cell));
			}
			fputc('\n', out);
		}
		if (json_array_size(rows) > TABLE_ROWS_MAX)
			fprintf(out, "  ... %zu rows, all of them with --json\n",
				json_array_size(rows));
	}
}

static void print_table(const struct report *report, FILE *out)
{
	const char *name, *separator = ": ";
	json_t *value, *reason;
	size_t i;

	fputs(json_string_value(json_object_get(report->object, "benchmark")), out);
	json_object_foreach(report->parameters, name, value)
	{
		fprintf(out, "%s%s ", separator, name);
		print_value(value, out);
		separator = ", ";
	}
	fputc('\n', out);
	json_object_foreach(report->results, name, value)
	{
		fprintf(out, "  %-28s %14.6g %-8s", name,
			json_number_value(json_object_get(value, "median")),
			json_string_value(json_object_get(value, "unit")));
		if (json_array_size(json_object_get(value, "repeats")) > 1)
			fprintf(out, " %.6g to %.6g",
				json_number_value(json_object_get(value, "minimum")),
				json_number_value(json_object_get(value, "maximum")));
		fputc('\n', out);
	}
	print_tables(report, out);
	json_array_foreach(report->reasons, i, reason)
		fprintf(out, "NOT VALID: %s\n", json_string_value(reason));
}

int report_close(struct report *report, enum report_format format, FILE *out)
{
	int code = REPORT_EXIT_FAILED;
	bool valid;

	if (report == NULL)
		return code;
	look(report);
	summarize(report);
	valid = judge(report);
	flatten(report);
	if (report->failed)
		fputs("report: out of memory\n", stderr);
	else if (format == REPORT_TABLE)
		print_table(report, out);
	else if (json_dumpf(report->object, out, JSON_FLAGS) == 0)
		fputc('\n', out);
	else
		report->failed = true;
	if (fflush(out) == 0 && !report->failed)
		code = valid ? REPORT_EXIT_VALID : REPORT_EXIT_INVALID;
	report_abandon(report);
	return code;
}

void report_abandon(struct report *report)
{
	if (report == NULL)
		return;
	json_decref(report->object);
	json_decref(report->reasons);
	free(report);
}
