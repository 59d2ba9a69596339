// SPDX-License-Identifier: BSD-3-Clause
#include "perf/talker.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "perf/wav.h"

#define FRAME 960
#define BITRATE 24000

static int open_srtp(struct talker *talker)
{
	srtp_policy_t policy;
	srtp_err_status_t status;

	media_key_policy(talker->plan.key, ssrc_specific, &policy);
	policy.ssrc.value = talker->plan.ssrc;
	status = srtp_create(&talker->srtp, &policy);
	if (status == srtp_err_status_ok && talker->plan.roc)
		status = srtp_set_stream_roc(talker->srtp, talker->plan.ssrc, talker->plan.roc);
	if (status == srtp_err_status_ok)
		return 0;
	fprintf(stderr, "talker: libsrtp2 refuses the key (%d)\n", (int)status);
	return -EINVAL;
}

static int open_encoder(struct talker *talker)
{
	int error = 0;

	talker->encoder = opus_encoder_create(WAV_RATE, 1, OPUS_APPLICATION_VOIP, &error);
	if (!talker->encoder)
		return -ENOMEM;
	opus_encoder_ctl(talker->encoder, OPUS_SET_BITRATE(BITRATE));
	opus_encoder_ctl(talker->encoder, OPUS_SET_DTX(talker->plan.dtx));
	return 0;
}

int talker_open(struct talker *talker, const struct talker_plan *plan)
{
	int error = 0;

	memset(talker, 0, sizeof(*talker));
	talker->plan = *plan;
	talker->sequence = plan->sequence;
	talker->timestamp = plan->timestamp;
	talker->marker = true;
	if (plan->file) {
		error = speech_open(&talker->speech, plan->file);
		if (error)
			fprintf(stderr, "talker: %s: %s\n", plan->file, strerror(-error));
	} else if (!plan->payload_size) {
		error = open_encoder(talker);
	}
	if (!error && plan->key)
		error = open_srtp(talker);
	if (error)
		talker_close(talker);
	return error;
}

void talker_close(struct talker *talker)
{
	if (talker->srtp)
		srtp_dealloc(talker->srtp);
	if (talker->encoder)
		opus_encoder_destroy(talker->encoder);
	talker->srtp = NULL;
	talker->encoder = NULL;
	speech_close(&talker->speech);
}

static int encode_tone(struct talker *talker, bool silent, uint8_t *payload, double *dbfs)
{
	double amplitude = silent ? 0 : 32767 * pow(10, talker->plan.tone_dbfs / 20) * sqrt(2);
	int16_t pcm[FRAME];

	for (unsigned int i = 0; i < FRAME; i++, talker->samples++) {
		double v = amplitude * sin(2 * M_PI * talker->plan.tone_hz *
					       (double)talker->samples / WAV_RATE);

		pcm[i] = (int16_t)(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
	}
	*dbfs = wav_dbfs(pcm, FRAME);
	return opus_encode(talker->encoder, pcm, FRAME, payload, PACKET_MAX);
}

static int next_payload(struct talker *talker, bool silent, uint8_t *payload, double *dbfs)
{
	const struct speech_packet *p;

	*dbfs = silent ? -127 : talker->plan.tone_dbfs;
	if (talker->speech.count) {
		p = &talker->speech.packet[talker->frame];
		talker->frame = (talker->frame + 1) % talker->speech.count;
		if (p->size > PACKET_MAX)
			return -EMSGSIZE;
		memcpy(payload, talker->speech.data + p->offset, p->size);
		*dbfs = p->dbfs;
		return (int)p->size;
	}
	if (talker->plan.payload_size) {
		if (talker->plan.payload_size > PACKET_MAX)
			return -EMSGSIZE;
		/* The sequence number in each byte, so that packets differ. */
		memset(payload, talker->sequence & 0xff, talker->plan.payload_size);
		return (int)talker->plan.payload_size;
	}
	return encode_tone(talker, silent, payload, dbfs);
}

static uint8_t level_byte(const struct talker *talker, double dbfs)
{
	double level = talker->plan.level >= 0 ? talker->plan.level : -dbfs;

	if (level > 127)
		level = 127;
	if (level < 0)
		level = 0;
	return (uint8_t)(lrint(level) | (level < 60 ? 0x80 : 0));
}

int talker_next(struct talker *talker, bool silent, uint8_t *out)
{
	struct packet_plan plan = {
		.payload_type = talker->plan.payload_type,
		.ssrc = talker->plan.ssrc,
		.level_id = talker->plan.level_id,
		.sequence = talker->sequence,
		.timestamp = talker->timestamp,
		.marker = talker->marker,
	};
	uint8_t payload[PACKET_MAX];
	double dbfs;
	int size = next_payload(talker, silent, payload, &dbfs);

	talker->timestamp += FRAME;
	if (size < 0)
		return -EINVAL;
	/* Frames of one or two bytes need not be sent: opus_encode() documents it for DTX. */
	if (talker->plan.dtx && size <= 2) {
		talker->marker = true;
		return 0;
	}
	plan.level = level_byte(talker, dbfs);
	size = packet_build(&plan, payload, (unsigned int)size, out);
	if (size < 0)
		return size;
	talker->sequence++;
	talker->marker = false;
	if (talker->srtp && srtp_protect(talker->srtp, out, &size) != srtp_err_status_ok)
		return -EIO;
	return size;
}

void talker_skip(struct talker *talker)
{
	talker->timestamp += FRAME;
	talker->marker = true;
	if (talker->speech.count)
		talker->frame = (talker->frame + 1) % talker->speech.count;
}
