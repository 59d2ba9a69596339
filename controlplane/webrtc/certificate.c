/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "configs/log.h"
#include "controlplane/webrtc/certificate.h"

#define DAY_S 86400
#define FILE_SIZE_MAX 65536
#define PATH_SIZE 512

/* Allows for clients whose clock is behind; those who look at the dates at all. */
#define EARLIER_S DAY_S

static struct certificate *certificate_of(X509 *x509, EVP_PKEY *key)
{
	struct certificate *certificate = calloc(1, sizeof(*certificate));
	struct tm begin, end;

	if (certificate == NULL)
		return NULL;
	if (ASN1_TIME_to_tm(X509_get0_notBefore(x509), &begin) != 1 ||
		ASN1_TIME_to_tm(X509_get0_notAfter(x509), &end) != 1 ||
		X509_digest(x509, EVP_sha256(), certificate->fingerprint, NULL) != 1) {
		free(certificate);
		return NULL;
	}
	certificate->begin_s = timegm(&begin);
	certificate->end_s = timegm(&end);
	certificate->x509 = x509;
	certificate->key = key;
	certificate->holders = 1;
	return certificate;
}

static bool fill_in(X509 *x509, EVP_PKEY *key, unsigned int days, int64_t now_s)
{
	X509_NAME *name = X509_get_subject_name(x509);
	uint64_t serial;
	time_t now = (time_t)now_s;

	if (RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1)
		return false;
	return X509_set_version(x509, X509_VERSION_3) == 1 &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1 | 1) == 1 &&
	       X509_time_adj_ex(X509_getm_notBefore(x509), 0, -EARLIER_S, &now) != NULL &&
	       X509_time_adj_ex(X509_getm_notAfter(x509), (int)days, 0, &now) != NULL &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		       (const unsigned char *)"stentor", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x509, name) == 1 && X509_set_pubkey(x509, key) == 1 &&
	       X509_sign(x509, key, EVP_sha256()) != 0;
}

int certificate_make(struct certificate **out, unsigned int days, int64_t now_s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();

	if (key != NULL && x509 != NULL && fill_in(x509, key, days, now_s)) {
		struct certificate *certificate = certificate_of(x509, key);

		if (certificate != NULL) {
			*out = certificate;
			return 0;
		}
	}
	X509_free(x509);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return -ENOMEM;
}

bool certificate_due(const struct certificate *certificate, int64_t now_s)
{
	int64_t life_s = certificate->end_s - certificate->begin_s;

	return now_s >= certificate->end_s - life_s / 4 || now_s < certificate->begin_s;
}

struct certificate *certificate_hold(struct certificate *certificate)
{
	certificate->holders++;
	return certificate;
}

void certificate_release(struct certificate *certificate)
{
	if (certificate == NULL || --certificate->holders > 0)
		return;
	X509_free(certificate->x509);
	EVP_PKEY_free(certificate->key);
	free(certificate);
}

void certificate_fingerprint_text(const uint8_t fingerprint[CERTIFICATE_FINGERPRINT_SIZE],
	char text[CERTIFICATE_FINGERPRINT_TEXT])
{
	for (unsigned int i = 0; i < CERTIFICATE_FINGERPRINT_SIZE; i++)
		sprintf(text + 3 * i, i + 1 < CERTIFICATE_FINGERPRINT_SIZE ? "%02X:" : "%02X",
			fingerprint[i]);
}

/* What the file says, or NULL and *problem. */
static struct certificate *parse(BIO *text, const char **problem)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, NULL, (void *)"");
	X509 *x509 = key == NULL ? NULL : PEM_read_bio_X509(text, NULL, NULL, (void *)"");
	struct certificate *certificate = NULL;
	char group[32];

	*problem = NULL;
	if (key == NULL)
		*problem = "no private key in it";
	else if (x509 == NULL)
		*problem = "no certificate behind the key";
	else if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
		 strcmp(group, "prime256v1") != 0)
		*problem = "the key is not on P-256";
	else if (X509_check_private_key(x509, key) != 1)
		*problem = "key and certificate do not belong together";
	else if ((certificate = certificate_of(x509, key)) == NULL)
		*problem = "the certificate's dates cannot be read";
	if (certificate == NULL) {
		X509_free(x509);
		EVP_PKEY_free(key);
	}
	ERR_clear_error();
	return certificate;
}

/*
 * 0 with *certificate, or with NULL and a *problem for which the file is to be set aside. Negative
 * errno: absent (-ENOENT), or not readable at all.
 */
static int read_file(const char *path, struct certificate **certificate, const char **problem)
{
	char bytes[FILE_SIZE_MAX];
	struct stat status;
	ssize_t size;
	BIO *text;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	*certificate = NULL;
	if (fd < 0)
		return -errno;
	size = fstat(fd, &status) == 0 ? read(fd, bytes, sizeof(bytes)) : -1;
	if (size < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	close(fd);
	if (status.st_mode & (S_IRWXG | S_IRWXO)) {
		*problem = "others may read the key";
	} else {
		text = BIO_new_mem_buf(bytes, (int)size);
		if (text != NULL)
			*certificate = parse(text, problem);
		BIO_free(text);
		if (text == NULL)
			return -ENOMEM;
	}
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

static int set_aside(const char *path, const char *problem, int64_t now_s)
{
	char aside[PATH_SIZE + 32];

	snprintf(aside, sizeof(aside), "%s.damaged-%lld", path, (long long)now_s);
	/* link() and unlink() instead of rename(): that would replace an older one. */
	if (link(path, aside) != 0 || unlink(path) != 0) {
		int rc = -errno;

		log_error("certificate_set_aside", "path=%s to=%s errno=%d", path, aside, -rc);
		return rc;
	}
	log_warn("certificate_set_aside", "path=%s to=%s reason=\"%s\"", path, aside, problem);
	return 0;
}

static int write_all(int fd, const struct certificate *certificate)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *bytes;
	long size;
	int rc = -ENOMEM;

	if (text != NULL &&
		PEM_write_bio_PKCS8PrivateKey(text, certificate->key, NULL, NULL, 0, NULL, NULL) ==
			1 &&
		PEM_write_bio_X509(text, certificate->x509) == 1) {
		size = BIO_get_mem_data(text, &bytes);
		errno = ENOSPC; /* what a short write means */
		rc = write(fd, bytes, (size_t)size) == size && fsync(fd) == 0 ? 0 : -errno;
		explicit_bzero(bytes, (size_t)size);
	}
	BIO_free(text);
	return rc;
}

static void sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* Whole or not at all: a file of its own, then a rename. */
static int store(const struct certificate *certificate, const char *folder, const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	char fresh[PATH_SIZE + 8];
	int fd, rc;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	fd = open(fresh, flags, 0600);
	if (fd < 0 && errno == EEXIST) { /* left over by a start that was cut off */
		unlink(fresh);
		fd = open(fresh, flags, 0600);
	}
	if (fd < 0)
		return -errno;
	rc = write_all(fd, certificate);
	close(fd);
	if (rc == 0 && rename(fresh, path) != 0)
		rc = -errno;
	if (rc != 0)
		unlink(fresh);
	else
		sync_folder(folder);
	return rc;
}

static int renew(struct certificate **out, const char *folder, const char *path, unsigned int days,
	int64_t now_s)
{
	struct certificate *certificate;
	char text[CERTIFICATE_FINGERPRINT_TEXT];
	int rc = certificate_make(&certificate, days, now_s);

	if (rc == 0) {
		rc = store(certificate, folder, path);
		if (rc != 0)
			certificate_release(certificate);
	}
	if (rc != 0) {
		log_error("certificate_store", "path=%s errno=%d reason=\"%s\"", path, -rc,
			strerror(-rc));
		return rc;
	}
	certificate_fingerprint_text(certificate->fingerprint, text);
	log_info("certificate_made", "path=%s days=%u sha256=%s", path, days, text);
	*out = certificate;
	return 0;
}

int certificate_open(struct certificate **out, const char *folder, unsigned int days, int64_t now_s)
{
	struct certificate *certificate;
	const char *problem = NULL;
	char path[PATH_SIZE];
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s", folder, CERTIFICATE_FILE) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	rc = read_file(path, &certificate, &problem);
	if (rc != 0 && rc != -ENOENT) {
		log_error("certificate_read", "path=%s errno=%d reason=\"%s\"", path, -rc,
			strerror(-rc));
		return rc;
	}
	if (rc == 0 && certificate == NULL) {
		rc = set_aside(path, problem, now_s);
		if (rc != 0)
			return rc;
	}
	if (certificate != NULL && !certificate_due(certificate, now_s)) {
		*out = certificate;
		return 0;
	}
	certificate_release(certificate);
	return renew(out, folder, path, days, now_s);
}
