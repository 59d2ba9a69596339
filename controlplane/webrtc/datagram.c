/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <string.h>

#include <openssl/bio.h>

#include "controlplane/webrtc/datagram.h"

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int read_bytes(BIO *bio, char *out, int size)
{
	struct datagram *datagram = BIO_get_data(bio);
	size_t taken = datagram->size;

	BIO_clear_retry_flags(bio);
	if (taken == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	/* What does not fit is gone, as with recv(2). */
	if (taken > (size_t)size)
		taken = (size_t)size;
	memcpy(out, datagram->bytes, taken);
	datagram->size = 0;
	return (int)taken;
}

static int write_bytes(BIO *bio, const char *bytes, int size)
{
	struct datagram *datagram = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (size <= 0 || (size_t)size > datagram->write_size_max ||
		!datagram->write(datagram->context, (const uint8_t *)bytes, (size_t)size))
		return -1;
	return size;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
	struct datagram *datagram = BIO_get_data(bio);

	switch (command) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
		return 1;
	case BIO_CTRL_PENDING:
		return (long)datagram->size;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
	case BIO_CTRL_DGRAM_SET_MTU: /* ours is the limit, whatever it thinks */
		return (long)datagram->write_size_max;
	default: /* no overhead counted, no path that could be too narrow, no timer of its own */
		return 0;
	}
}

static void make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram");
	if (method == NULL)
		return;
	BIO_meth_set_read(method, read_bytes);
	BIO_meth_set_write(method, write_bytes);
	BIO_meth_set_ctrl(method, control);
}

BIO *datagram_bio(struct datagram *datagram)
{
	BIO *bio;

	pthread_once(&method_once, make_method);
	bio = method == NULL ? NULL : BIO_new(method);
	if (bio != NULL) {
		BIO_set_data(bio, datagram);
		BIO_set_init(bio, 1);
	}
	return bio;
}
