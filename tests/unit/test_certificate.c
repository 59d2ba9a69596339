/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "controlplane/webrtc/certificate.h"
#include "tests/support/unit.h"

#define NOW_S 1700000000
#define DAY_S 86400
#define DAYS 30

static char folder[64], path[128];

static void setup(void)
{
	strcpy(folder, "/tmp/stentor-certificate-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/%s", folder, CERTIFICATE_FILE);
}

/* Removes what is in the folder, and it; returns how many files there were. */
static unsigned int clear(void)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	unsigned int count = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		char name[512];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
		unlink(name);
		count++;
	}
	if (directory != NULL)
		closedir(directory);
	rmdir(folder);
	return count;
}

static void teardown(void)
{
	clear();
}

static void write_file(const char *name, const void *bytes, size_t size, mode_t mode)
{
	FILE *file = fopen(name, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	fclose(file);
	ck_assert_int_eq(chmod(name, mode), 0);
}

static size_t read_file(const char *name, char *bytes, size_t size)
{
	FILE *file = fopen(name, "rb");
	size_t got;

	ck_assert_msg(file != NULL, "%s: %s", name, strerror(errno));
	got = fread(bytes, 1, size, file);
	fclose(file);
	return got;
}

START_TEST(a_certificate_is_self_signed_on_p_256_with_sha_256)
{
	struct certificate *certificate;
	char group[32];

	ck_assert_int_eq(certificate_make(&certificate, DAYS, NOW_S), 0);
	ck_assert_int_eq(EVP_PKEY_get_group_name(certificate->key, group, sizeof(group), NULL), 1);
	ck_assert_str_eq(group, "prime256v1");
	ck_assert_int_eq(X509_verify(certificate->x509, certificate->key), 1);
	ck_assert_int_eq(X509_get_signature_nid(certificate->x509), NID_ecdsa_with_SHA256);
	ck_assert_int_eq(certificate->end_s, NOW_S + DAYS * DAY_S);
	ck_assert_int_lt(certificate->begin_s, NOW_S);
	certificate_release(certificate);
}
END_TEST

START_TEST(two_certificates_have_nothing_in_common)
{
	struct certificate *a, *b;

	ck_assert_int_eq(certificate_make(&a, DAYS, NOW_S), 0);
	ck_assert_int_eq(certificate_make(&b, DAYS, NOW_S), 0);
	ck_assert_int_ne(memcmp(a->fingerprint, b->fingerprint, sizeof(a->fingerprint)), 0);
	ck_assert_int_eq(EVP_PKEY_eq(a->key, b->key), 0);
	certificate_release(a);
	certificate_release(b);
}
END_TEST

START_TEST(the_fingerprint_is_sha_256_of_the_der_form_as_text_in_capitals)
{
	static const uint8_t bytes[CERTIFICATE_FINGERPRINT_SIZE] = {0x01, 0xab, [31] = 0x0f};
	char text[CERTIFICATE_FINGERPRINT_TEXT];
	struct certificate *certificate;
	unsigned char *der = NULL, digest[32];
	int size;

	certificate_fingerprint_text(bytes, text);
	ck_assert_uint_eq(strlen(text), 95);
	ck_assert_int_eq(strncmp(text, "01:AB:00:", 9), 0);
	ck_assert_str_eq(text + 90, "00:0F");
	ck_assert_int_eq(certificate_make(&certificate, DAYS, NOW_S), 0);
	size = i2d_X509(certificate->x509, &der);
	EVP_Digest(der, (size_t)size, digest, NULL, EVP_sha256(), NULL);
	ck_assert_mem_eq(digest, certificate->fingerprint, sizeof(digest));
	OPENSSL_free(der);
	certificate_release(certificate);
}
END_TEST

START_TEST(made_at_the_first_start_and_kept)
{
	struct certificate *first, *second;
	struct stat status;

	ck_assert_int_eq(certificate_open(&first, folder, DAYS, NOW_S), 0);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(certificate_open(&second, folder, DAYS, NOW_S + 10 * DAY_S), 0);
	ck_assert_mem_eq(first->fingerprint, second->fingerprint, sizeof(first->fingerprint));
	ck_assert_int_eq(EVP_PKEY_eq(first->key, second->key), 1);
	certificate_release(first);
	certificate_release(second);
	ck_assert_uint_eq(clear(), 1);
}
END_TEST

static const struct {
	const char *what;
	int64_t at_s;
	bool replaced;
} ages[] = {
	{"new", NOW_S, false},
	{"in its third quarter", NOW_S + 22 * DAY_S, false},
	{"in its last quarter", NOW_S + 23 * DAY_S, true},
	{"expired", NOW_S + 40 * DAY_S, true},
	{"from the future", NOW_S - 2 * DAY_S, true},
};

START_TEST(replaced_in_its_last_quarter)
{
	struct certificate *first, *second;

	ck_assert_int_eq(certificate_open(&first, folder, DAYS, NOW_S), 0);
	ck_assert_msg(
		certificate_due(first, ages[_i].at_s) == ages[_i].replaced, "%s", ages[_i].what);
	ck_assert_int_eq(certificate_open(&second, folder, DAYS, ages[_i].at_s), 0);
	ck_assert_int_eq(
		memcmp(first->fingerprint, second->fingerprint, sizeof(first->fingerprint)) != 0,
		ages[_i].replaced);
	ck_assert(!certificate_due(second, ages[_i].at_s));
	certificate_release(first);
	certificate_release(second);
	ck_assert_uint_eq(clear(), 1);
}
END_TEST

/* What befalls the file. */
static void damage(int kind, char *text, size_t *size)
{
	static char other[8192];
	struct certificate *second;
	size_t other_size;
	char *begin;

	switch (kind) {
	case 0:
		*size = 0;
		break;
	case 1:
		memset(text, 'x', *size);
		break;
	case 2: /* the key alone */
		begin = strstr(text, "-----BEGIN CERTIFICATE");
		*size = (size_t)(begin - text);
		break;
	case 3: /* the certificate alone */
		begin = strstr(text, "-----BEGIN CERTIFICATE");
		*size -= (size_t)(begin - text);
		memmove(text, begin, *size);
		break;
	case 4: /* cut */
		*size -= 40;
		break;
	case 5: /* another's certificate behind the key */
		unlink(path);
		ck_assert_int_eq(certificate_open(&second, folder, DAYS, NOW_S), 0);
		certificate_release(second);
		other_size = read_file(path, other, sizeof(other) - 1);
		other[other_size] = '\0';
		begin = strstr(text, "-----BEGIN CERTIFICATE");
		strcpy(begin, strstr(other, "-----BEGIN CERTIFICATE"));
		*size = strlen(text);
		break;
	}
}

START_TEST(a_damaged_file_is_set_aside_and_never_lost)
{
	static char text[16384], again[16384];
	struct certificate *first, *second;
	char aside[256];
	size_t size;

	ck_assert_int_eq(certificate_open(&first, folder, DAYS, NOW_S), 0);
	size = read_file(path, text, 8191);
	text[size] = '\0';
	damage(_i, text, &size);
	write_file(path, text, size, 0600);
	ck_assert_int_eq(certificate_open(&second, folder, DAYS, NOW_S + 5), 0);
	ck_assert_int_ne(
		memcmp(first->fingerprint, second->fingerprint, sizeof(first->fingerprint)), 0);
	snprintf(aside, sizeof(aside), "%s.damaged-%d", path, NOW_S + 5);
	ck_assert_uint_eq(read_file(aside, again, sizeof(again)), size);
	ck_assert_mem_eq(text, again, size);
	certificate_release(first);
	certificate_release(second);
	ck_assert_uint_eq(clear(), 2);
}
END_TEST

START_TEST(a_key_that_others_may_read_is_not_used)
{
	struct certificate *first, *second;

	ck_assert_int_eq(certificate_open(&first, folder, DAYS, NOW_S), 0);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(certificate_open(&second, folder, DAYS, NOW_S), 0);
	ck_assert_int_eq(EVP_PKEY_eq(first->key, second->key), 0);
	certificate_release(first);
	certificate_release(second);
	ck_assert_uint_eq(clear(), 2);
}
END_TEST

START_TEST(nothing_is_set_aside_over_something_else)
{
	struct certificate *certificate = NULL;
	char aside[256], text[16];

	snprintf(aside, sizeof(aside), "%s.damaged-%d", path, NOW_S);
	write_file(aside, "older", 5, 0600);
	write_file(path, "newer", 5, 0600);
	ck_assert_int_eq(certificate_open(&certificate, folder, DAYS, NOW_S), -EEXIST);
	ck_assert_ptr_null(certificate);
	ck_assert_uint_eq(read_file(aside, text, sizeof(text)), 5);
	ck_assert_int_eq(memcmp(text, "older", 5), 0);
	ck_assert_uint_eq(read_file(path, text, sizeof(text)), 5);
	ck_assert_int_eq(memcmp(text, "newer", 5), 0);
}
END_TEST

START_TEST(what_a_cut_start_has_left_is_no_obstacle)
{
	struct certificate *certificate;
	char fresh[256];

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	write_file(fresh, "half", 4, 0644);
	ck_assert_int_eq(certificate_open(&certificate, folder, DAYS, NOW_S), 0);
	certificate_release(certificate);
	ck_assert_uint_eq(clear(), 1);
}
END_TEST

START_TEST(a_full_disk_leaves_nothing_half)
{
	struct rlimit before, small = {100, 100};
	struct certificate *certificate = NULL;
	int rc;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = certificate_open(&certificate, folder, DAYS, NOW_S);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(rc, -ENOSPC);
	ck_assert_ptr_null(certificate);
	ck_assert_uint_eq(clear(), 0);
}
END_TEST

START_TEST(no_folder_a_link_or_a_folder_in_its_place_are_errors)
{
	struct certificate *certificate = NULL;

	ck_assert_int_eq(
		certificate_open(&certificate, "/nonexistent/folder", DAYS, NOW_S), -ENOENT);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_int_eq(certificate_open(&certificate, folder, DAYS, NOW_S), -ELOOP);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(certificate_open(&certificate, folder, DAYS, NOW_S), -EISDIR);
	ck_assert_ptr_null(certificate);
	rmdir(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("certificate");
	TCase *tests = tcase_create("certificate");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_certificate_is_self_signed_on_p_256_with_sha_256);
	tcase_add_test(tests, two_certificates_have_nothing_in_common);
	tcase_add_test(tests, the_fingerprint_is_sha_256_of_the_der_form_as_text_in_capitals);
	tcase_add_test(tests, made_at_the_first_start_and_kept);
	tcase_add_loop_test(tests, replaced_in_its_last_quarter, 0, sizeof(ages) / sizeof(ages[0]));
	tcase_add_loop_test(tests, a_damaged_file_is_set_aside_and_never_lost, 0, 6);
	tcase_add_test(tests, a_key_that_others_may_read_is_not_used);
	tcase_add_test(tests, nothing_is_set_aside_over_something_else);
	tcase_add_test(tests, what_a_cut_start_has_left_is_no_obstacle);
	tcase_add_test(tests, a_full_disk_leaves_nothing_half);
	tcase_add_test(tests, no_folder_a_link_or_a_folder_in_its_place_are_errors);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
