// SPDX-License-Identifier: BSD-3-Clause
/* The report of the benchmarks, its look at the machine, and the list of benchmarks. */
#include <jansson.h>
#include <math.h>

#include "perf/catalog.h"
#include "perf/report.h"
#include "perf/watch.h"
#include "tests/support/unit.h"

static char *const command[] = {
	(char *)(uintptr_t) "fanout", (char *)(uintptr_t) "--room=\"a\\b\""};

/* What was printed, and the exit code. */
static json_t *close_json(struct report *report, int *code)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_error_t error;
	json_t *object;

	ck_assert_ptr_nonnull(out);
	*code = report_close(report, REPORT_JSON, out);
	fclose(out);
	object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(object != NULL, "%s in %s", error.text, text);
	free(text);
	return object;
}

static double field(json_t *object, const char *result, const char *name)
{
	json_t *value =
		json_object_get(json_object_get(json_object_get(object, "results"), result), name);

	ck_assert(json_is_number(value));
	return json_number_value(value);
}

START_TEST(median_minimum_and_maximum_are_of_the_repeats)
{
	static const double odd[] = {5, 1, 4, 2, 3.5}, even[] = {8, -2, 3, 6};
	struct report *report = report_open("test", 1, command);
	json_t *object, *repeats;
	int code;

	ck_assert(isnan(report_median(report, "odd")));
	for (int i = 0; i < 5; i++)
		report_value(report, "odd", "ns", REPORT_LOWER, odd[i]);
	for (int i = 0; i < 4; i++)
		report_value(report, "even", "Mpps", REPORT_HIGHER, even[i]);
	report_value(report, "one", "count", REPORT_NEITHER, 9007199254740991.0);
	ck_assert_double_eq(report_median(report, "odd"), 3.5);
	object = close_json(report, &code);
	ck_assert_double_eq(field(object, "odd", "median"), 3.5);
	ck_assert_double_eq(field(object, "odd", "minimum"), 1);
	ck_assert_double_eq(field(object, "odd", "maximum"), 5);
	ck_assert_double_eq(field(object, "even", "median"), 4.5);
	ck_assert_double_eq(field(object, "even", "minimum"), -2);
	ck_assert_double_eq(field(object, "even", "maximum"), 8);
	repeats = json_object_get(
		json_object_get(json_object_get(object, "results"), "odd"), "repeats");
	ck_assert_uint_eq(json_array_size(repeats), 5);
	/* In the order they were made, not sorted. */
	ck_assert_double_eq(json_number_value(json_array_get(repeats, 4)), 3.5);
	json_decref(object);
}
END_TEST

START_TEST(texts_come_out_as_they_went_in)
{
	static const char *const columns[] = {"stage \"one\"", "ns"};
	static const double values[] = {0.1};
	static const char *const tricky = "a \"b\"\\ \n\t\x01 \xc3\xa4";
	struct report *report = report_open("test", 2, command);
	json_t *object, *table, *row;
	int code;

	report_parameter(report, "tricky", tricky);
	report_parameter(report, "latin1", "\xe4");
	report_parameter_number(report, "seconds", 0.1);
	report_row_named(report, "stages", columns, tricky, values, 1);
	report_invalid(report, "%d \"things\"", 3);
	object = close_json(report, &code);
	ck_assert_int_eq(code, REPORT_EXIT_INVALID);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(object, "command"), 1)),
		command[1]);
	ck_assert_str_eq(
		json_string_value(json_object_get(json_object_get(object, "parameters"), "tricky")),
		tricky);
	ck_assert(json_is_string(json_object_get(json_object_get(object, "parameters"), "latin1")));
	table = json_object_get(json_object_get(object, "tables"), "stages");
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(table, "columns"), 0)),
		columns[0]);
	row = json_array_get(json_object_get(table, "rows"), 0);
	ck_assert_uint_eq(json_array_size(row), 2);
	ck_assert_str_eq(json_string_value(json_array_get(row, 0)), tricky);
	ck_assert_double_eq(json_number_value(json_array_get(row, 1)), 0.1);
	json_decref(object);
}
END_TEST

START_TEST(what_a_benchmark_finds_wrong_is_the_first_reason)
{
	struct report *report = report_open("test", 1, command);
	json_t *object, *validity;
	int code;

	report_value(report, "ratio", "ratio", REPORT_LOWER, NAN);
	object = close_json(report, &code);
	validity = json_object_get(object, "validity");
	ck_assert_int_eq(code, REPORT_EXIT_INVALID);
	ck_assert(json_is_false(json_object_get(validity, "valid")));
	ck_assert(json_is_false(json_object_get(validity, "correct")));
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(validity, "reasons"), 0)),
		"ratio could not be told");
	ck_assert_uint_eq(json_object_size(json_object_get(object, "results")), 0);
	json_decref(object);
}
END_TEST

/* The exit code agrees with the report, whatever the machine is doing while this runs. */
START_TEST(a_report_without_findings_is_as_valid_as_the_machine_is_quiet)
{
	struct report *report = report_open("test", 1, command);
	json_t *object, *validity;
	bool quiet;
	int code;

	report_breathe(report);
	object = close_json(report, &code);
	validity = json_object_get(object, "validity");
	quiet = json_is_true(json_object_get(validity, "quiet"));
	ck_assert(json_is_true(json_object_get(validity, "correct")));
	ck_assert_int_eq(quiet, json_is_true(json_object_get(validity, "valid")));
	ck_assert_int_eq(code, quiet ? REPORT_EXIT_VALID : REPORT_EXIT_INVALID);
	ck_assert_int_eq(quiet, json_array_size(json_object_get(validity, "reasons")) == 0);
	json_decref(object);
	ck_assert_int_eq(report_close(NULL, REPORT_JSON, stdout), REPORT_EXIT_FAILED);
}
END_TEST

/* Two CPUs, a hundred ticks a second, ten seconds: 2,000 ticks in all, 1,000 of one CPU. */
static const struct {
	const char *what;
	uint64_t busy, own, steal;
	double loop_ns; /* of the middle reading; the others take 1000 */
	double steal_percent, other_percent, drift_percent;
	unsigned int reasons;
} machines[] = {
	{"nothing but us", 1000, 1000, 0, 1000, 0, 0, 0, 0},
	{"one tick more of ours than of all", 1000, 1001, 0, 1000, 0, 0, 0, 0},
	{"others at the threshold", 1100, 1000, 0, 1000, 0, 10, 0, 0},
	{"others above it", 1101, 1000, 0, 1000, 0, 10.1, 0, 1},
	{"steal at the threshold", 1000, 1000, 10, 1000, 1, 0, 0, 0},
	{"steal above it", 1000, 1000, 11, 1000, 1.1, 0, 0, 1},
	{"a clock at the threshold", 1000, 1000, 0, 1049, 0, 0, 4.9, 0},
	{"a clock that slowed down", 1000, 1000, 0, 1060, 0, 0, 6, 1},
	{"a clock that sped up", 1000, 1000, 0, 800, 0, 0, 25, 1},
	{"all of it", 1990, 500, 500, 2000, 50, 149, 100, 3},
};

START_TEST(thresholds)
{
	const struct watch_reading first = {70000, 40000, 300, 5000, 0, 2, 1000};
	struct watch_reading middle = first, last = first;
	struct watch_verdict verdict;
	struct watch watch = {0};

	last.total_ticks += 2000;
	last.busy_ticks += machines[_i].busy;
	last.own_ticks += machines[_i].own;
	last.steal_ticks += machines[_i].steal;
	middle.loop_ns = machines[_i].loop_ns;
	watch_add(&watch, &first);
	watch_add(&watch, &middle);
	watch_add(&watch, &last);
	watch_judge(&watch, &verdict);
	ck_assert_double_eq_tol(verdict.steal_percent, machines[_i].steal_percent, 1e-9);
	ck_assert_double_eq_tol(verdict.other_cpu_percent, machines[_i].other_percent, 1e-9);
	ck_assert_double_eq_tol(verdict.clock_drift_percent, machines[_i].drift_percent, 1e-9);
	ck_assert_msg(verdict.reason_count == machines[_i].reasons, "%s: %u reasons",
		machines[_i].what, verdict.reason_count);
}
END_TEST

START_TEST(a_reason_has_value_and_threshold)
{
	struct watch_reading reading = {1000, 0, 0, 0, 0, 1, 1000};
	struct watch_verdict verdict;
	struct watch watch = {0};

	watch_add(&watch, &reading);
	reading.total_ticks += 1000;
	reading.steal_ticks += 32;
	watch_add(&watch, &reading);
	watch_judge(&watch, &verdict);
	ck_assert_uint_eq(verdict.reason_count, 1);
	ck_assert_str_eq(
		verdict.reason[0], "the hypervisor took 3.2 percent of a core away (at most 1)");
}
END_TEST

START_TEST(half_a_second_is_too_short_for_ticks)
{
	struct watch_reading reading = {1000, 0, 0, 0, 0, 2, 1000};
	struct watch_verdict verdict;
	struct watch watch = {0};

	watch_add(&watch, &reading);
	reading.total_ticks += 99;
	reading.busy_ticks += 99;
	watch_add(&watch, &reading);
	watch_judge(&watch, &verdict);
	ck_assert_uint_eq(verdict.reason_count, 0);
	reading.total_ticks++;
	watch_add(&watch, &reading);
	watch_judge(&watch, &verdict);
	ck_assert_uint_eq(verdict.reason_count, 1);
}
END_TEST

START_TEST(interrupts_are_others_but_for_who_receives)
{
	struct watch_reading reading = {1000, 0, 0, 0, 0, 1, 1000};
	struct watch_verdict verdict;
	struct watch watch = {0};

	watch_add(&watch, &reading);
	reading.total_ticks += 1000;
	reading.busy_ticks += 400;
	reading.own_ticks += 50;
	reading.interrupt_ticks += 300;
	watch_add(&watch, &reading);
	watch_judge(&watch, &verdict);
	ck_assert_double_eq_tol(verdict.other_cpu_percent, 35, 1e-9);
	watch.receives = true;
	watch_judge(&watch, &verdict);
	ck_assert_double_eq_tol(verdict.other_cpu_percent, 5, 1e-9);
}
END_TEST

START_TEST(the_machine_can_be_read)
{
	struct watch_reading reading;

	ck_assert_int_eq(watch_read(&reading), 0);
	ck_assert_uint_gt(reading.cpus, 0);
	ck_assert_uint_gt(reading.busy_ticks, 0);
	ck_assert_uint_ge(reading.total_ticks, reading.busy_ticks);
	ck_assert_double_gt(reading.loop_ns, 0);
}
END_TEST

START_TEST(a_list_is_read_from_what_people_read)
{
	static const struct benchmark benchmark = {"moving", "legs come and go",
		"usage: stentor-bench moving [option...]\n"
		"Something in a sentence.\n"
		"  --seconds S            how long (5)\n"
		"  --json                 one object,\n"
		"                         on standard output\n"
		"Results:\n"
		"  late_us_p99  us, lower  the slowest,\n"
		"                         but for one\n"
		"  mpps  Mpps, higher     copies\n"
		"Exit: 0.\n",
		NULL};
	json_error_t error;
	json_t *want = json_loads(
		"{\"name\":\"moving\",\"summary\":\"legs come and go\",\"parameters\":["
		"{\"name\":\"seconds\",\"argument\":\"S\",\"text\":\"how long (5)\"},"
		"{\"name\":\"json\",\"argument\":null,"
		"\"text\":\"one object, on standard output\"}],\"results\":["
		"{\"name\":\"late_us_p99\",\"unit\":\"us\",\"better\":\"lower\","
		"\"text\":\"the slowest, but for one\"},"
		"{\"name\":\"mpps\",\"unit\":\"Mpps\",\"better\":\"higher\",\"text\":\"copies\"}]}",
		0, &error);
	json_t *got = catalog_describe(&benchmark);
	char *text = json_dumps(got, 0);

	ck_assert_ptr_nonnull(want);
	ck_assert_msg(json_equal(want, got), "%s", text);
	free(text);
	json_decref(want);
	json_decref(got);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bench_report");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, median_minimum_and_maximum_are_of_the_repeats);
	tcase_add_test(tcase, texts_come_out_as_they_went_in);
	tcase_add_test(tcase, what_a_benchmark_finds_wrong_is_the_first_reason);
	tcase_add_test(tcase, a_report_without_findings_is_as_valid_as_the_machine_is_quiet);
	tcase_add_loop_test(tcase, thresholds, 0, sizeof(machines) / sizeof(machines[0]));
	tcase_add_test(tcase, a_reason_has_value_and_threshold);
	tcase_add_test(tcase, half_a_second_is_too_short_for_ticks);
	tcase_add_test(tcase, interrupts_are_others_but_for_who_receives);
	tcase_add_test(tcase, the_machine_can_be_read);
	tcase_add_test(tcase, a_list_is_read_from_what_people_read);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
