/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SRTP suites and master keys as people write them, turned into libsrtp2 policies. This and the
 * other media pieces of perf/ share nothing with dataplane/: they are the independent side that
 * tests and benchmarks hold the relay against. Single-threaded; all memory is the caller's.
 */
#ifndef STENTOR_PERF_MEDIAKEY_H
#define STENTOR_PERF_MEDIAKEY_H

#include <stdint.h>

#include <srtp2/srtp.h>

#define MEDIA_KEY_MAX 46

enum media_suite { MEDIA_SUITE_GCM128, MEDIA_SUITE_GCM256, MEDIA_SUITE_CM80, MEDIA_SUITE_COUNT };

struct media_key {
	enum media_suite suite;
	unsigned int size;            /* bytes of master key and salt together */
	uint8_t bytes[MEDIA_KEY_MAX]; /* master key, then salt, as RFC 4568 concatenates them */
};

/* Takes the IANA name, ffmpeg's spelling or the short name (gcm128, gcm256, cm80). -EINVAL. */
int media_suite_parse(enum media_suite *suite, const char *text);
/* Bytes of master key and salt. */
unsigned int media_suite_key_size(enum media_suite suite);
/* key || salt in base64 or in hex, told apart by the length; -EINVAL when neither fits. */
int media_key_parse(struct media_key *key, enum media_suite suite, const char *text);
/* Base64 of key || salt into text, at least 65 bytes. */
void media_key_format(const struct media_key *key, char *text);
/* Fresh random key. 0 or -errno. */
int media_key_random(struct media_key *key, enum media_suite suite);
/* A policy for every SSRC of one direction; it points into key. Replay window 1,024. */
void media_key_policy(
	const struct media_key *key, srtp_ssrc_type_t direction, srtp_policy_t *policy);

#endif
