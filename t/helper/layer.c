/* layer.c - drive the store from scripts: layer unpack|tar|blob|flat|time */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "store/store.h"

static int to_stdout(void *arg, const void *data, size_t n, struct error *err)
{
	(void)arg;
	return fs_write_all(STDOUT_FILENO, data, n, err);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* unpack FILE DIFF_ID */
static int unpack(struct store *s, char **argv, struct error *err)
{
	cleanup_close int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	double start = now();

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", argv[0]);
	if (store_unpack(s, fd, argv[1], NULL, err) < 0)
		return -1;
	fprintf(stderr, "unpack %.1f ms\n", now() - start);
	printf("%s\n", digest_hex(argv[1]));
	return 0;
}

/* draft DIR-TO-MOVE: commits it as a layer, prints the id */
static int draft(struct store *s, char **argv, struct error *err)
{
	struct store_draft d;
	char id[STORE_ID];
	double start = now();

	if (store_draft_new(s, &d, err) < 0)
		return -1;
	if (rmdir(d.fs) < 0 || rename(argv[0], d.fs) < 0)
		return error_errno(err, "cannot move '%s'", argv[0]);
	store_new_id(id);
	if (store_draft_commit(s, &d, NULL, id, err) < 0)
		return -1;
	fprintf(stderr, "commit %.3f ms\n", now() - start);
	printf("%s\n", id);
	return 0;
}

static int blob(struct store *s, const char *const *chain, size_t n,
		struct error *err)
{
	struct store_meta meta;
	double start = now();

	if (store_layer_blob(s, chain, n, &meta, err) < 0)
		return -1;
	fprintf(stderr, "blob %.1f ms\n", now() - start);
	printf("%s %s %s %llu\n", meta.diff_id, meta.blob, meta.media_type,
	       (unsigned long long)meta.blob_size);
	return 0;
}

/* image REFERENCE ID: an image of one layer, all its blobs included */
static int image(struct store *s, char **argv, struct error *err)
{
	cleanup_oci_manifest struct oci_manifest m = { .docker = false };
	cleanup_oci_platform struct oci_platform p = { .os = NULL };
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *chain[] = { argv[1] };
	struct store_meta meta;

	if (store_layer_blob(s, chain, 1, &meta, err) < 0)
		return -1;
	oci_platform_host(&p);
	oci_config_scratch(&i.config, &p);
	strvec_push(&i.config.diff_ids, meta.diff_id);
	oci_config_write(&i.config, &text);
	if (store_put_blob(s, text.buf, text.len, i.config_digest, err) < 0)
		return -1;
	m.config.media_type = xstrdup(OCI_CONFIG);
	memcpy(m.config.digest, i.config_digest, sizeof(i.config_digest));
	m.config.size = text.len;
	oci_manifest_add_layer(&m, meta.media_type, meta.blob, meta.blob_size);
	strbuf_reset(&text);
	oci_manifest_write(&m, &text);
	if (store_put_blob(s, text.buf, text.len, i.manifest, err) < 0)
		return -1;
	i.reference = xstrdup(argv[0]);
	i.layers = xcalloc(1, sizeof(*i.layers));
	i.n_layers = 1;
	snprintf(i.layers[0].id, STORE_ID, "%s", argv[1]);
	return store_put_image(s, &i, err);
}

static int hash_tree(struct store_stat_cache *c, int dir, size_t *n,
		     struct error *err)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;
	struct stat st;
	uint8_t raw[DIGEST_RAW];
	int rc = 0;

	while (rc == 0 && (e = readdir(d))) {
		int fd = dirfd(d);

		if (e->d_name[0] == '.' ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			rc = hash_tree(c, openat(fd, e->d_name, O_RDONLY), n,
				       err);
		else if (S_ISREG(st.st_mode) && ++*n)
			rc = store_stat_cache_digest(c, fd, e->d_name, &st,
						     raw, err);
	}
	closedir(d);
	return rc;
}

/* stat DIR */
static int stat_cache(struct store *s, char **argv, struct error *err)
{
	struct store_stat_cache *c;
	double start = now();
	size_t n = 0;
	int rc;

	if (store_stat_cache_open(s, argv[0], &c, err) < 0)
		return -1;
	rc = hash_tree(c, open(argv[0], O_RDONLY), &n, err);
	store_stat_cache_close(c);
	fprintf(stderr, "stat %zu files %.1f ms\n", n, now() - start);
	return rc;
}

static int run(char **argv, struct error *err)
{
	struct store_options o = { .user_xattr = getenv("USER_XATTR"),
				   .single_id = getenv("SINGLE_ID") };
	cleanup_store struct store *s = NULL;
	const char *const *chain = (const char *const *)argv + 2;
	double start = now();
	size_t n = 0;

	while (argv[1] && argv[2] && chain[n])
		n++;
	if (!n)
		return error_set(err, ERR_USAGE, "layer VERB ARG...");
	if (store_open(&s, &o, err) < 0)
		return -1;
	fprintf(stderr, "open %.3f ms\n", now() - start);
	if (str_eq(argv[1], "unpack") && n == 2)
		return unpack(s, argv + 2, err);
	if (str_eq(argv[1], "draft"))
		return draft(s, argv + 2, err);
	if (str_eq(argv[1], "stat"))
		return stat_cache(s, argv + 2, err);
	if (str_eq(argv[1], "image") && n == 2)
		return image(s, argv + 2, err);
	if (str_eq(argv[1], "tar"))
		return store_layer_tar(s, chain, n, to_stdout, NULL, err);
	if (str_eq(argv[1], "flat"))
		return store_flat_tar(s, &(struct store_chain){ chain, n, n, 0 },
				      to_stdout, NULL, err);
	if (str_eq(argv[1], "blob"))
		return blob(s, chain, n, err);
	return error_set(err, ERR_USAGE, "unknown verb '%s'", argv[1]);
}

int main(int argc, char **argv)
{
	cleanup_error struct error err = ERROR_INIT;

	(void)argc;
	if (run(argv, &err) == 0)
		return 0;
	fprintf(stderr, "%s\n", err.msg);
	return (int)err.code;
}
