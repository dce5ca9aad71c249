/* test_store.c - what a store keeps, and what a crash leaves of it */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store_fixture.h"

/* --- opening --- */

Test(store, opens_its_own_directory_only)
{
	FIXTURE;
	struct store *other = NULL;
	struct stat st;

	cr_assert_eq(stat(f.path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0700);
	cr_assert_eq(chmod(f.path, 0755), 0);
	cr_expect_eq(store_open(&other, &f.o, &err), -1);
	cr_expect_not_null(strstr(err.msg, "open to others"));
	cr_assert_eq(chmod(f.path, 0700), 0);
}

Test(store, refuses_a_newer_format)
{
	FIXTURE;
	struct store *other = NULL;
	cleanup_free char *path = xstrfmt("%s/format", f.path);

	cr_assert_eq(fs_write_atomic(AT_FDCWD, path, "2\n", 2, 0600, NULL), 0);
	cr_expect_eq(store_open(&other, &f.o, &err), -1);
	cr_expect_not_null(strstr(err.msg, "has format '2'"));
	cr_expect_not_null(strstr(err.hint, "newer devenv"));
}

/* --- blobs --- */

Test(store, blob_with_a_wrong_digest_never_appears)
{
	FIXTURE;
	struct store_writer *w;
	char want[DIGEST_TEXT], got[DIGEST_TEXT] = "";
	uint64_t size;

	digest_bytes("abc", 3, want);
	cr_assert_eq(store_writer_new(f.s, &w, &err), 0);
	cr_assert_eq(store_writer_write(w, "abd", 3, &err), 0);
	cr_expect_eq(store_writer_commit(w, want, &size, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_not(store_has_blob(f.s, want, NULL));
	cr_assert_eq(store_writer_restart(w, NULL), 0);
	cr_assert_eq(store_writer_write(w, "abc", 3, NULL), 0);
	cr_assert_eq(store_writer_commit(w, got, &size, NULL), 0);
	cr_expect_str_eq(got, want);
	cr_expect(store_has_blob(f.s, want, &size) && size == 3);
}

Test(store, verify_finds_a_changed_blob)
{
	FIXTURE;
	char digest[DIGEST_TEXT];
	cleanup_free char *path = NULL;
	int n = 0;

	cr_assert_eq(store_put_blob(f.s, "abc", 3, digest, &err), 0);
	cr_expect_eq(store_verify(f.s, count, &n, &err), 0);
	path = xstrfmt("%s/blobs/sha256/%s", f.path, digest_hex(digest));
	cr_assert_eq(fs_write_atomic(AT_FDCWD, path, "abd", 3, 0600, NULL), 0);
	cr_expect_eq(store_verify(f.s, count, &n, &err), 1);
	cr_expect_eq(n, 1);
}

/* --- drafts --- */

Test(store, draft_of_a_killed_process_goes)
{
	FIXTURE;
	struct store_draft d;
	int pipes[2], status;
	char dir[256] = "";
	pid_t pid;

	cr_assert_eq(store_draft_new(f.s, &d, &err), 0);
	cr_assert_eq(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		struct store_draft lost;
		struct store *s;

		if (store_open(&s, &f.o, NULL) < 0 ||
		    store_draft_new(s, &lost, NULL) < 0 ||
		    write(pipes[1], lost.dir, strlen(lost.dir)) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status));
	cr_assert_gt(read(pipes[0], dir, sizeof(dir) - 1), 0);
	cr_expect(fs_is_dir(dir));
	reopen(&f);
	cr_expect_not(fs_exists(dir));
	cr_expect(fs_is_dir(d.fs), "the draft of a living process stays");
	store_draft_drop(f.s, &d);
	close(pipes[0]);
	close(pipes[1]);
}

static void commit_empty(struct fixture *f, char id[STORE_ID])
{
	struct error err = ERROR_INIT;
	struct store_draft d;

	store_new_id(id);
	cr_assert_eq(store_draft_new(f->s, &d, &err), 0, "%s", err.msg);
	cr_assert_eq(store_draft_commit(f->s, &d, NULL, id, &err), 0, "%s",
		     err.msg);
}

/* As after a power loss: the layer says that another boot made it. */
static void forge_boot(struct fixture *f, const char *id)
{
	cleanup_free char *path = xstrfmt("%s/layers/%s/boot", f->path, id);

	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink("another-boot", path), 0);
}

Test(store, unsynced_layer_of_an_earlier_boot_is_not_there)
{
	FIXTURE;
	char lost[STORE_ID], kept[STORE_ID];
	cleanup_free char *fs = NULL;

	commit_empty(&f, kept);
	cr_assert_eq(store_sync(f.s, &err), 0);
	commit_empty(&f, lost);
	forge_boot(&f, kept);
	cr_expect(store_has_layer(f.s, lost));
	forge_boot(&f, lost);
	cr_expect_not(store_has_layer(f.s, lost));
	cr_expect(store_has_layer(f.s, kept));
	fs = store_layer_fs(f.s, lost);
	cr_expect(fs_is_dir(fs));
	reopen(&f);
	cr_expect_not(fs_exists(fs));
	cr_expect(store_has_layer(f.s, kept));
}

/* --- caches --- */

Test(store, torn_cache_entry_is_a_miss)
{
	FIXTURE;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = NULL;
	char key[STORE_ID];

	store_new_id(key);
	cr_expect_eq(store_cache_get(f.s, key, &text, &err), 0);
	cr_assert_eq(store_cache_put(f.s, key, "hello", 5, &err), 0);
	cr_expect_eq(store_cache_get(f.s, key, &text, &err), 1);
	cr_expect_str_eq(text.buf, "hello");
	path = xstrfmt("%s/cache/%s", f.path, key);
	cr_assert_eq(truncate(path, DIGEST_TEXT + 3), 0);
	cr_expect_eq(store_cache_get(f.s, key, &text, &err), 0);
	cr_expect_eq(store_cache_get(f.s, "../../x", &text, &err), -1);
}

/* `st` NULL: the file's own. */
static int digest_of(struct fixture *f, const char *name,
		     const struct stat *st, char text[DIGEST_TEXT])
{
	struct store_stat_cache *c;
	uint8_t raw[DIGEST_RAW] = { 0 };
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;
	cleanup_close int dir = open(f->dir, O_RDONLY | O_DIRECTORY);
	struct stat own;
	int rc;

	if (!st)
		cr_assert_eq(fstatat(dir, name, &own, 0), 0);
	cr_assert_eq(store_stat_cache_open(f->s, f->dir, &c, NULL), 0);
	rc = store_stat_cache_digest(c, dir, name, st ? st : &own, raw, NULL);
	store_stat_cache_close(c);
	strbuf_add_hex(&hex, raw, sizeof(raw));
	snprintf(text, DIGEST_TEXT, "sha256:%s", hex.buf);
	return rc;
}

Test(store, stat_cache_sees_a_change_of_the_same_size)
{
	FIXTURE;
	cleanup_free char *path = xstrfmt("%s/file", f.dir);
	char want[DIGEST_TEXT], got[DIGEST_TEXT];

	for (int i = 0; i < 20; i++) {
		char text[16];
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		snprintf(text, sizeof(text), "%03d", i);
		cr_assert_eq(write(fd, text, 3), 3);
		close(fd);
		digest_bytes(text, 3, want);
		cr_assert_eq(digest_of(&f, "file", NULL, got), 0);
		cr_expect_str_eq(got, want);
	}
}

Test(store, stat_cache_does_not_read_what_it_knows)
{
	FIXTURE;
	cleanup_free char *path = xstrfmt("%s/file", f.dir);
	char want[DIGEST_TEXT], got[DIGEST_TEXT];
	struct stat st;

	cr_assert_eq(fs_write_atomic(AT_FDCWD, path, "abc", 3, 0600, NULL), 0);
	digest_bytes("abc", 3, want);
	nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
	cr_assert_eq(digest_of(&f, "file", NULL, got), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(digest_of(&f, "file", &st, got), 0);
	cr_expect_str_eq(got, want);
	st.st_ctim.tv_nsec ^= 1;
	cr_expect_eq(digest_of(&f, "file", &st, got), -1);
}

Test(store, images_are_found_by_reference_and_id)
{
	FIXTURE;
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	cleanup_store_image struct store_image got = { .n_layers = 0 };
	cleanup_strvec struct strvec names = STRVEC_INIT;
	struct oci_platform p = { .os = NULL };

	oci_platform_host(&p);
	oci_config_scratch(&i.config, &p);
	oci_platform_release(&p);
	i.reference = xstrdup("docker.io/library/x:latest");
	digest_bytes("config", 6, i.config_digest);
	cr_assert_eq(store_put_image(f.s, &i, &err), 0, "%s", err.msg);
	cr_assert_eq(store_get_image(f.s, i.reference, &got, &err), 1);
	cr_expect_str_eq(got.config_digest, i.config_digest);
	store_image_release(&got);
	i.config_digest[7 + 12] = '\0';
	cr_assert_eq(store_get_image(f.s, i.config_digest, &got, &err), 1);
	cr_expect_str_eq(got.reference, i.reference);
	cr_assert_eq(store_list_images(f.s, &names, &err), 0);
	cr_expect_eq(names.nr, 1);
	cr_assert_eq(store_remove_image(f.s, i.reference, &err), 0);
	store_image_release(&got);
	cr_expect_eq(store_get_image(f.s, i.reference, &got, &err), 0);
	cr_expect_eq(store_get_image(f.s, i.config_digest, &got, &err), 0);
}

/* A layer with a file of `kib` KiB, remembered by a step used `age` seconds
 * ago. */
static void remember_step(struct fixture *f, unsigned kib, time_t age,
			  char key[STORE_ID], char layer[STORE_ID])
{
	struct store_meta meta = { .uid = 0 };
	struct timespec times[2] = { { time(NULL) - age, 0 } };
	cleanup_free char *text = NULL, *path = NULL, *entry = NULL;
	cleanup_error struct error err = ERROR_INIT;
	struct store_draft d;
	char block[1024] = "x";
	FILE *file;

	cr_assert_eq(store_draft_new(f->s, &d, &err), 0);
	path = xstrfmt("%s/file", d.fs);
	file = fopen(path, "w");
	cr_assert(file);
	for (unsigned i = 0; i < kib; i++)
		cr_assert_eq(fwrite(block, sizeof(block), 1, file), 1);
	fclose(file);
	store_new_id(layer);
	store_new_id(key);
	cr_assert_eq(store_draft_commit(f->s, &d, &meta, layer, &err), 0);
	text = xstrfmt("{\"layer\":\"%s\"}", layer);
	cr_assert_eq(store_cache_put(f->s, key, text, strlen(text), &err), 0);
	times[1] = times[0];
	entry = xstrfmt("%s/cache/%s", store_path(f->s), key);
	cr_assert_eq(utimensat(AT_FDCWD, entry, times, 0), 0);
}

Test(store, gc_keeps_what_was_used_last_up_to_a_size)
{
	FIXTURE;
	const struct store_gc_options size = { .keep_size = 2500 * 1024 };
	char keys[3][STORE_ID], layers[3][STORE_ID];
	struct store_gc_result r;

	remember_step(&f, 1000, 10, keys[0], layers[0]);
	remember_step(&f, 1000, 30, keys[1], layers[1]);
	remember_step(&f, 1000, 20, keys[2], layers[2]);
	cr_assert_eq(store_gc(f.s, &size, &r, &err), 0, "%s", err.msg);
	cr_expect_eq(r.cache, 1);
	cr_expect_eq(r.layers, 1);
	cr_expect(store_has_layer(f.s, layers[0]));
	cr_expect_not(store_has_layer(f.s, layers[1]), "the oldest goes");
	cr_expect(store_has_layer(f.s, layers[2]));
	cr_expect_geq(r.bytes, 1000 * 1024);
}

Test(store, gc_forgets_what_is_older_than_an_age)
{
	FIXTURE;
	const struct store_gc_options age = { .max_age = 25 };
	char keys[2][STORE_ID], layers[2][STORE_ID];
	struct store_gc_result r;

	remember_step(&f, 1, 10, keys[0], layers[0]);
	remember_step(&f, 1, 30, keys[1], layers[1]);
	cr_assert_eq(store_gc(f.s, &age, &r, &err), 0, "%s", err.msg);
	cr_expect(store_has_layer(f.s, layers[0]));
	cr_expect_not(store_has_layer(f.s, layers[1]));
}

Test(store, gc_removes_what_nothing_refers_to)
{
	FIXTURE;
	char kept[STORE_ID], lost[STORE_ID], key[STORE_ID];
	cleanup_free char *text = NULL;
	const struct store_gc_options dry = { .dry_run = true }, wet = { 0 };
	struct store_gc_result r;

	commit_empty(&f, kept);
	commit_empty(&f, lost);
	store_new_id(key);
	text = xstrfmt("{\"layer\":\"%s\"}", kept);
	cr_assert_eq(store_cache_put(f.s, key, text, strlen(text), &err), 0);
	cr_assert_eq(store_gc(f.s, &dry, &r, &err), 0, "%s", err.msg);
	cr_expect_eq(r.layers, 1);
	cr_expect(store_has_layer(f.s, lost), "a dry run removes nothing");
	cr_assert_eq(store_gc(f.s, &wet, &r, &err), 0, "%s", err.msg);
	cr_expect(store_has_layer(f.s, kept));
	cr_expect_not(store_has_layer(f.s, lost));
}

static int fill_mount(void *arg, int fd, struct error *err)
{
	int *filled = arg;

	++*filled;
	return fs_write_atomic(fd, "seed", "x", 1, 0600, err);
}

static void take_mount(struct store *s, enum store_sharing sharing, int want,
		       const char *instance, struct store_mount *m, int *filled)
{
	static const char key[] = "0123456789abcdef0123456789abcdef"
				  "0123456789abcdef0123456789abcdef";
	const struct store_mount_maker maker = { fill_mount, filled };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *end = xstrfmt("/%s/%s/fs", key, instance);

	*m = (struct store_mount)STORE_MOUNT_INIT;
	cr_assert_eq(store_mount_take(s, key, sharing, &maker, m, &err), want,
		     "%s", err.msg);
	if (want)
		cr_expect(str_ends(m->fs, end), "%s", m->fs);
}

/* [I06] */
Test(store, cache_mounts_are_shared_kept_apart_or_locked)
{
	FIXTURE;
	struct store_mount a, b, c, d;
	const struct store_gc_options age = { .max_age = 1000 },
				      all = { .mounts = true };
	struct store_gc_result r;
	int filled = 0;

	take_mount(f.s, STORE_SHARED, 1, "0", &a, &filled);
	take_mount(f.s, STORE_SHARED, 1, "0", &b, &filled);
	take_mount(f.s, STORE_LOCKED, 0, "", &d, &filled);
	take_mount(f.s, STORE_PRIVATE, 1, "1", &c, &filled);
	cr_expect_eq(filled, 2, "each instance is filled once");
	store_mount_release(&a);
	take_mount(f.s, STORE_LOCKED, 0, "", &d, &filled);
	store_mount_release(&b);
	take_mount(f.s, STORE_LOCKED, 1, "0", &d, &filled);
	take_mount(f.s, STORE_SHARED, 1, "2", &a, &filled);
	store_mount_release(&c);
	take_mount(f.s, STORE_PRIVATE, 1, "1", &c, &filled);
	store_mount_release(&a);
	store_mount_release(&c);
	store_mount_release(&d);
	cr_expect_eq(filled, 3);
	cr_assert_eq(store_gc(f.s, &age, &r, &err), 0);
	cr_expect_eq(r.mounts, 0, "in use not long ago");
	cr_assert_eq(store_gc(f.s, &all, &r, &err), 0);
	cr_expect_eq(r.mounts, 1);
	take_mount(f.s, STORE_PRIVATE, 1, "0", &a, &filled);
	cr_expect_eq(filled, 4);
	store_mount_release(&a);
}
