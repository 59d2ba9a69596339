/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of metrics, against the examples' form in OpenMetrics 1.0 section 4 and on paper. */
#include "controlplane/exposition.h"
#include "tests/support/unit.h"

static void check(const struct exposition *e, const char *wanted)
{
	ck_assert_uint_eq(e->writer->size, strlen(wanted));
	ck_assert(memcmp(e->writer->text, wanted, strlen(wanted)) == 0);
	writer_clear(e->writer);
}

static const uint32_t bounds[] = {1, 5, 1000};
static const uint64_t buckets[] = {1, 0, 2, 4};

START_TEST(openmetrics)
{
	struct writer writer = {0};
	struct exposition e = {.writer = &writer, .openmetrics = true};
	const struct exposition_histogram histogram = {bounds, buckets, 4, 1e-3, 7250};

	exposition_family(&e, "a", EXPOSITION_COUNTER, "Things.");
	exposition_integer(&e, "", 18446744073709551615u);
	exposition_real(&e, "x=\"y\"", 0.5);
	exposition_family(&e, "b", EXPOSITION_GAUGE, "State.");
	exposition_integer(&e, "x=\"y\",z=\"1\"", 3);
	exposition_family(&e, "c_seconds", EXPOSITION_HISTOGRAM, "Time.");
	exposition_histogram(&e, "", &histogram);
	exposition_histogram(&e, "r=\"s\"", &histogram);
	exposition_end(&e);
	check(&e,
		"# HELP a Things.\n# TYPE a counter\na_total 18446744073709551615\n"
		"a_total{x=\"y\"} 0.5\n"
		"# HELP b State.\n# TYPE b gauge\nb{x=\"y\",z=\"1\"} 3\n"
		"# HELP c_seconds Time.\n# TYPE c_seconds histogram\n"
		"c_seconds_bucket{le=\"0.001\"} 1\nc_seconds_bucket{le=\"0.005\"} 1\n"
		"c_seconds_bucket{le=\"1.0\"} 3\nc_seconds_bucket{le=\"+Inf\"} 7\n"
		"c_seconds_count 7\nc_seconds_sum 7.25\n"
		"c_seconds_bucket{r=\"s\",le=\"0.001\"} 1\nc_seconds_bucket{r=\"s\",le=\"0.005\"} "
		"1\n"
		"c_seconds_bucket{r=\"s\",le=\"1.0\"} 3\nc_seconds_bucket{r=\"s\",le=\"+Inf\"} 7\n"
		"c_seconds_count{r=\"s\"} 7\nc_seconds_sum{r=\"s\"} 7.25\n# EOF\n");
}
END_TEST

START_TEST(the_older_format)
{
	struct writer writer = {0};
	struct exposition e = {.writer = &writer};

	exposition_family(&e, "a", EXPOSITION_COUNTER, "Things.");
	exposition_integer(&e, "", 1);
	exposition_end(&e);
	check(&e, "# HELP a_total Things.\n# TYPE a_total counter\na_total 1\n");
}
END_TEST

START_TEST(what_does_not_fit_a_line_is_a_failure)
{
	struct writer writer = {0};
	struct exposition e = {.writer = &writer};
	char labels[1024];

	memset(labels, 'x', sizeof(labels) - 1);
	labels[sizeof(labels) - 1] = '\0';
	exposition_family(&e, "a", EXPOSITION_GAUGE, "Things.");
	exposition_integer(&e, labels, 1);
	ck_assert(writer.failed);
	writer_clear(&writer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exposition");
	TCase *tcase = tcase_create("exposition");

	tcase_add_test(tcase, openmetrics);
	tcase_add_test(tcase, the_older_format);
	tcase_add_test(tcase, what_does_not_fit_a_line_is_a_failure);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
