// SPDX-License-Identifier: BSD-3-Clause
#include "perf/joins_report.h"

#include <stdio.h>
#include <stdlib.h>

static double milliseconds(const struct storm_member *m, unsigned int phase)
{
	const uint64_t at[] = {m->begun_ns, m->client.answered_ns, m->client.checked_ns,
		m->client.secured_ns, m->ended_ns};

	if (phase == 4)
		return (double)(m->ended_ns - m->begun_ns) / 1e6;
	return (double)(at[phase + 1] - at[phase]) / 1e6;
}

/* HTTP, ICE, DTLS, until media, and all of it. */
static void describe_latencies(struct report *report, const struct joins *joins)
{
	static const char *const name[] = {"http", "ice", "dtls", "media", "join"};
	static const int percent[] = {50, 95, 99};
	const struct storm *storm = &joins->storm;
	double *value = calloc(storm->begun + 1, sizeof(double));
	char key[32];

	for (unsigned int phase = 0; value && phase < 5; phase++) {
		size_t count = 0;

		for (unsigned int i = 0; i < storm->begun; i++) {
			if (storm->member[i].client.state != WEBRTC_FAILED)
				value[count++] = milliseconds(&storm->member[i], phase);
		}
		for (unsigned int i = 0; i < 3; i++) {
			snprintf(key, sizeof(key), "%s_ms_p%d", name[phase], percent[i]);
			report_value(report, key, "ms", REPORT_LOWER,
				tally_percentile(value, count, percent[i]));
		}
	}
	free(value);
}

static double busy_s(const struct process_usage *from, const struct process_usage *to)
{
	return to->user_s - from->user_s + to->system_s - from->system_s;
}

static void describe_processes(struct report *report, const struct joins *joins)
{
	const struct joins_usage *b = &joins->begun, *e = &joins->ended;
	double cpu_s = busy_s(&b->controlplane, &e->controlplane);

	report_value(report, "joins_per_cpu_s", "per_s", REPORT_HIGHER,
		cpu_s > 0 ? joins->storm.joined / cpu_s : 0.0);
	report_value(report, "controlplane_cpu_s", "s", REPORT_LOWER, cpu_s);
	report_value(report, "controlplane_user_s", "s", REPORT_LOWER,
		e->controlplane.user_s - b->controlplane.user_s);
	report_value(report, "controlplane_system_s", "s", REPORT_LOWER,
		e->controlplane.system_s - b->controlplane.system_s);
	report_value(report, "dataplane_cpu_s", "s", REPORT_NEITHER,
		busy_s(&b->dataplane, &e->dataplane));
}

static double per_leg(
	const struct process_usage *from, const struct process_usage *to, unsigned int legs)
{
	return ((double)to->resident_bytes - (double)from->resident_bytes) / legs;
}

static void bytes(struct report *report, const char *name, double value)
{
	report_value(report, name, "bytes", REPORT_LOWER, value);
}

/* Of the seat with its token, and of the leg that is connected. */
static void describe_memory(struct report *report, const struct joins *joins)
{
	const struct joins_usage *s = &joins->start, *m = &joins->begun, *c = &joins->connected;
	const struct joins_usage *h = &joins->half;
	unsigned int all = joins->options->storm.count, second = all - all / 2;

	bytes(report, "seat_bytes_controlplane", per_leg(&s->controlplane, &m->controlplane, all));
	bytes(report, "leg_bytes_controlplane",
		per_leg(&h->controlplane, &c->controlplane, second));
	bytes(report, "leg_bytes_dataplane", per_leg(&h->dataplane, &c->dataplane, second));
	bytes(report, "growth_bytes_controlplane", per_leg(&m->controlplane, &c->controlplane, 1));
	bytes(report, "growth_bytes_dataplane", per_leg(&m->dataplane, &c->dataplane, 1));
	report_value(report, "heard", "count", REPORT_HIGHER, joins->heard);
	if (joins->heard != joins->storm.joined)
		report_invalid(report, "%u of %u clients hear the speaker", joins->heard,
			joins->storm.joined);
}

static void count(struct report *report, const char *name, enum report_better better, uint64_t n)
{
	report_value(report, name, "count", better, (double)n);
}

static void describe_media(struct report *report, const struct joins *joins)
{
	const struct tally *t = &joins->tally;

	count(report, "sent", REPORT_NEITHER, t->expected);
	count(report, "received", REPORT_NEITHER, t->received);
	count(report, "lost", REPORT_LOWER, t->lost);
	count(report, "duplicated", REPORT_LOWER, t->duplicated);
	count(report, "spoken", REPORT_NEITHER, joins->spoken);
	count(report, "slot_packets", REPORT_NEITHER, t->slot_packets);
	count(report, "spoken_late", REPORT_LOWER, joins->late);
	if (t->slot_packets != joins->spoken)
		report_invalid(report, "the speaker sent %lu packets, the room %lu", joins->spoken,
			t->slot_packets);
	if (t->lost > 0)
		report_invalid(report, "%lu copies were lost", t->lost);
}

void joins_describe(struct report *report, const struct joins *joins)
{
	const struct storm *storm = &joins->storm;
	double seconds = (double)(storm->end_ns - storm->begin_ns) / 1e9;

	count(report, "joined", REPORT_HIGHER, storm->joined);
	count(report, "failed", REPORT_LOWER, storm->failed);
	count(report, "verified", REPORT_NEITHER, storm_count_opened(storm));
	report_value(report, "seconds_taken", "s", REPORT_NEITHER, seconds);
	report_value(report, "joins_per_s", "per_s", REPORT_HIGHER,
		seconds > 0 ? storm->joined / seconds : 0.0);
	describe_processes(report, joins);
	describe_latencies(report, joins);
	if (joins->options->hold)
		describe_memory(report, joins);
	else
		describe_media(report, joins);
	if (storm->failed > 0 || storm->joined < joins->options->storm.count)
		report_invalid(report, "%u of %u joins did not end with media: %s",
			joins->options->storm.count - storm->joined, joins->options->storm.count,
			storm->failure[0] != '\0' ? storm->failure : "no reason known");
}

void joins_describe_options(struct report *report, const struct joins_options *o)
{
	report_parameter_number(report, "joins", o->storm.count);
	report_parameter_number(report, "rate", o->storm.rate);
	report_parameter_number(report, "window", o->storm.window);
	report_parameter_number(report, "connections", o->storm.connections);
	report_parameter_number(report, "sections", o->storm.sections);
	report_parameter_number(report, "listeners", o->scene.crowd.count);
	report_parameter_number(report, "repeats", o->repeats);
	report_parameter(report, "hold", o->hold ? "yes" : "no");
	for (unsigned int i = 0; i < o->notes; i++)
		report_note(report, o->note[i]);
}
