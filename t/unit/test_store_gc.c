/* test_store_gc.c - collection keeps what is needed, and what was used last */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#include <sys/stat.h>
#include <time.h>

#define LAYERS 14
#define STEPS 10
#define IMAGES 6
#define ENVIRONMENTS 2
#define ROUNDS 8

/* A step, or an image that no reference shows. */
struct forgettable {
	char path[160];
	size_t layer, age; /* the larger, the longer ago */
};

struct world {
	struct fixture *f;
	unsigned int seed;
	char layers[LAYERS][STORE_ID];
	bool rooted[LAYERS]; /* a named image or an environment needs it */
	struct forgettable v[STEPS + IMAGES];
	size_t n;
};

static unsigned int draw(struct world *w, unsigned int below)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return (w->seed >> 16) % below;
}

static void add_layer(struct world *w, size_t i)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *file = NULL;
	struct store_draft d;
	cleanup_close int fd = -1;

	cr_assert_eq(store_draft_new(w->f->s, &d, &err), 0, "%s", err.msg);
	file = xstrfmt("%s/file", d.fs);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_eq(ftruncate(fd, 0), 0);
	for (unsigned int k = draw(w, 30) + 1; k--;) {
		char block[4096];

		memset(block, (int)(i + k), sizeof(block));
		cr_assert_eq(write(fd, block, sizeof(block)),
			     (ssize_t)sizeof(block));
	}
	store_new_id(w->layers[i]);
	cr_assert_eq(store_draft_commit(w->f->s, &d, NULL, w->layers[i], &err),
		     0, "%s", err.msg);
}

static void set_age(const char *path, size_t age)
{
	struct timespec times[2] = { { .tv_sec = time(NULL) - (time_t)age } };

	times[1] = times[0];
	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0, "%s", path);
}

static void remember(struct world *w, const char *path, size_t layer)
{
	struct forgettable *g = &w->v[w->n++];

	snprintf(g->path, sizeof(g->path), "%s", path);
	g->layer = layer;
	/* All different, so that "older" has one meaning. */
	g->age = 100 * (1 + draw(w, 1000)) + w->n;
	set_age(path, g->age);
}

static void add_step(struct world *w)
{
	const size_t layer = draw(w, LAYERS);
	cleanup_free char *text = xstrfmt("{\"layer\":\"%s\"}",
					  w->layers[layer]);
	cleanup_free char *path = NULL;
	char key[STORE_ID];

	store_new_id(key);
	path = xstrfmt("%s/cache/%s", w->f->path, key);
	cr_assert_eq(store_cache_put(w->f->s, key, text, strlen(text), NULL),
		     0);
	remember(w, path, layer);
}

static void add_image(struct world *w, size_t number)
{
	cleanup_store_image struct store_image i = { .n_layers = 1 };
	cleanup_oci_platform struct oci_platform p = { .os = NULL };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const size_t layer = draw(w, LAYERS);
	cleanup_free char *path = NULL;

	oci_platform_host(&p);
	oci_config_scratch(&i.config, &p);
	i.config.author = xstrfmt("%zu", number);
	oci_config_write(&i.config, &text);
	cr_assert_eq(store_put_blob(w->f->s, text.buf, text.len,
				    i.config_digest, NULL), 0);
	i.layers = xcalloc(1, sizeof(*i.layers));
	memcpy(i.layers[0].id, w->layers[layer], STORE_ID);
	if (draw(w, 2)) {
		i.reference = xstrfmt("example.com/image:%zu", number);
		w->rooted[layer] = true;
	}
	cr_assert_eq(store_put_image(w->f->s, &i, NULL), 0);
	if (i.reference)
		return;
	path = xstrfmt("%s/images/id-%s", w->f->path,
		       digest_hex(i.config_digest));
	remember(w, path, layer);
}

static void add_environment(struct world *w, size_t number)
{
	const size_t layer = draw(w, LAYERS);
	cleanup_free char *name = xstrfmt("e%zu", number);
	cleanup_free char *dir = store_run_dir(w->f->s, name, NULL);
	cleanup_free char *file = xstrfmt("%s/state.json", dir);
	cleanup_free char *text = xstrfmt("{\"layers\":[\"%s\"]}",
					  w->layers[layer]);

	cr_assert_eq(fs_write_atomic(AT_FDCWD, file, text, strlen(text), 0600,
				     NULL), 0);
	w->rooted[layer] = true;
}

static void make_world(struct world *w)
{
	for (size_t i = 0; i < LAYERS; i++)
		add_layer(w, i);
	for (size_t i = 0; i < STEPS; i++)
		add_step(w);
	for (size_t i = 0; i < IMAGES; i++)
		add_image(w, i);
	for (size_t i = 0; i < ENVIRONMENTS; i++)
		add_environment(w, i);
}

static uint64_t kept_bytes(struct world *w)
{
	uint64_t layers, blobs, files, empty = 0;
	struct stat st;

	cr_assert_eq(store_disk_usage(w->f->s, "layers", &layers, &files,
				      NULL), 0);
	cr_assert_eq(store_disk_usage(w->f->s, "blobs/sha256", &blobs, &files,
				      NULL), 0);
	for (size_t i = 0; i < 2; i++) {
		cleanup_free char *dir = xstrfmt("%s/%s", w->f->path,
						 i ? "blobs/sha256" : "layers");

		cr_assert_eq(stat(dir, &st), 0);
		empty += (uint64_t)st.st_blocks * 512;
	}
	return layers + blobs - empty;
}

static void name_it(void *arg, const char *finding)
{
	strbuf_addf(arg, "%s\n", finding);
}

/* Whatever stays is needed and readable, whatever was needed stayed. */
static void check_kept(struct world *w)
{
	bool needed[LAYERS];
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf findings = STRBUF_INIT;

	memcpy(needed, w->rooted, sizeof(needed));
	for (size_t i = 0; i < w->n; i++)
		if (fs_exists(w->v[i].path))
			needed[w->v[i].layer] = true;
	for (size_t i = 0; i < LAYERS; i++)
		cr_expect_eq(store_has_layer(w->f->s, w->layers[i]), needed[i],
			     "seed %u, layer %zu", w->seed, i);
	cr_expect_eq(store_verify(w->f->s, name_it, &findings, &err), 0,
		     "%s%s", findings.buf, err.msg ? err.msg : "");
}

/* What went was used before all that stayed. */
static void check_order(struct world *w)
{
	size_t oldest_kept = 0, newest_gone = SIZE_MAX;

	for (size_t i = 0; i < w->n; i++) {
		const size_t age = w->v[i].age;

		if (fs_exists(w->v[i].path))
			oldest_kept = age > oldest_kept ? age : oldest_kept;
		else if (age < newest_gone)
			newest_gone = age;
	}
	cr_expect_lt(oldest_kept, newest_gone, "seed %u", w->seed);
}

static size_t count_forgettable(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += fs_exists(w->v[i].path);
	return n;
}

static void play(unsigned int seed)
{
	FIXTURE;
	struct world w = { .f = &f, .seed = seed };
	struct store_gc_options o = { .dry_run = true };
	struct store_gc_result r, dry;
	uint64_t before;

	make_world(&w);
	before = kept_bytes(&w);
	switch (draw(&w, 3)) {
	case 0:
		o.keep_size = before * draw(&w, 100) / 100 + 1;
		break;
	case 1:
		o.max_age = 100 * draw(&w, 1000) + 50;
		break;
	}
	cr_assert_eq(store_gc(f.s, &o, &dry, &err), 0, "%s", err.msg);
	cr_expect_eq(kept_bytes(&w), before, "a dry run keeps all");
	o.dry_run = false;
	cr_assert_eq(store_gc(f.s, &o, &r, &err), 0, "%s", err.msg);
	cr_expect(!memcmp(&r, &dry, sizeof(r)), "a dry run says what happens");
	cr_expect_eq(kept_bytes(&w) + r.bytes, before, "seed %u", seed);
	if (o.keep_size)
		cr_expect(kept_bytes(&w) <= o.keep_size ||
				  !count_forgettable(&w),
			  "seed %u: the size is honoured", seed);
	for (size_t i = 0; o.max_age && i < w.n; i++)
		cr_expect_eq(fs_exists(w.v[i].path), w.v[i].age <= o.max_age,
			     "seed %u: age %zu of %llu", seed, w.v[i].age,
			     (unsigned long long)o.max_age);
	check_kept(&w);
	check_order(&w);
}

Test(store_gc, keeps_what_is_needed_and_honours_its_limits)
{
	for (unsigned int seed = 1; seed <= ROUNDS; seed++)
		play(seed);
}

Test(store_gc, forgets_digests_of_contexts_that_nobody_builds)
{
	FIXTURE;
	const struct store_gc_options age = { .max_age = 1000 };
	cleanup_free char *old = xstrfmt("%s/context/%064d", f.path, 1);
	cleanup_free char *fresh = xstrfmt("%s/context/%064d", f.path, 2);
	struct store_gc_result r;

	cr_assert_eq(fs_write_atomic(AT_FDCWD, old, "x", 1, 0600, NULL), 0);
	cr_assert_eq(fs_write_atomic(AT_FDCWD, fresh, "x", 1, 0600, NULL), 0);
	set_age(old, 2000);
	cr_assert_eq(store_gc(f.s, &age, &r, &err), 0, "%s", err.msg);
	cr_expect_eq(r.contexts, 1);
	cr_expect_not(fs_exists(old));
	cr_expect(fs_exists(fresh));
}
