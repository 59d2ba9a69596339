/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "controlplane/http/tls.h"

#define PEM_MAX (256u * 1024)

static int read_file(const char *path, char **text, char *reason, size_t reason_size)
{
	FILE *file = fopen(path, "re");
	char *bytes = file == NULL ? NULL : calloc(1, PEM_MAX + 1);
	int error = errno;
	size_t size;

	if (bytes == NULL) {
		snprintf(reason, reason_size, "%s: cannot be read: %s", path, strerror(error));
		if (file != NULL)
			fclose(file);
		return -error;
	}
	size = fread(bytes, 1, PEM_MAX + 1, file);
	error = ferror(file) ? errno : size > PEM_MAX ? EFBIG : 0;
	fclose(file);
	if (error != 0) {
		snprintf(reason, reason_size, "%s: cannot be read: %s", path, strerror(error));
		explicit_bzero(bytes, PEM_MAX + 1);
		free(bytes);
		return -error;
	}
	bytes[size] = '\0';
	*text = bytes;
	return 0;
}

/* Nobody is there to be asked for a password. */
static int no_password(char *buffer, int size, int writing, void *context)
{
	return 0;
}

static int check_pair(const struct tls_pair *pair, const char *certificate_path,
	const char *key_path, char *reason, size_t reason_size)
{
	BIO *certificate_bio = BIO_new_mem_buf(pair->certificate, -1);
	BIO *key_bio = BIO_new_mem_buf(pair->key, -1);
	X509 *certificate = PEM_read_bio_X509(certificate_bio, NULL, no_password, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL);
	int rc = -EINVAL;

	if (certificate == NULL)
		snprintf(reason, reason_size, "%s: no certificate in PEM form", certificate_path);
	else if (key == NULL)
		snprintf(reason, reason_size, "%s: no private key in PEM form, without a password",
			key_path);
	else if (X509_check_private_key(certificate, key) != 1)
		snprintf(reason, reason_size, "%s: not the key of the certificate in %s", key_path,
			certificate_path);
	else
		rc = 0;
	if (rc == 0 && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
		log_warn("http_certificate_expired", "path=%s", certificate_path);
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(certificate);
	BIO_free(key_bio);
	BIO_free(certificate_bio);
	return rc;
}

int tls_load(struct tls_pair *pair, const char *certificate, const char *key, char *reason,
	size_t reason_size)
{
	struct tls_pair found = {0};
	int rc = read_file(certificate, &found.certificate, reason, reason_size);

	if (rc == 0)
		rc = read_file(key, &found.key, reason, reason_size);
	if (rc == 0)
		rc = check_pair(&found, certificate, key, reason, reason_size);
	if (rc != 0) {
		tls_clear(&found);
		return rc;
	}
	*pair = found;
	return 0;
}

void tls_clear(struct tls_pair *pair)
{
	free(pair->certificate);
	if (pair->key != NULL)
		explicit_bzero(pair->key, strlen(pair->key));
	free(pair->key);
	*pair = (struct tls_pair){0};
}
