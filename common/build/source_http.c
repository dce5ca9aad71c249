/* source_http.c - files that ADD downloads, kept as layers of one file */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "build/source.h"
#include "wrap/http.h"

#define FILE_MAX_BYTES (64ull << 30)

/* A file as it comes in, in a draft. */
struct download {
	struct store *store;
	struct store_draft draft;
	bool open;
	int fd;
	uint64_t size;
	struct digest digest;
	const char *url;
};

static void download_release(struct download *d)
{
	base_close_fd(&d->fd);
	digest_release(&d->digest);
	if (d->open)
		store_draft_drop(d->store, &d->draft);
}

static int write_bytes(void *arg, const void *data, size_t n,
		       struct error *err)
{
	struct download *d = arg;

	d->size += n;
	if (d->size > FILE_MAX_BYTES)
		return error_set(err, ERR_INPUT,
				 "%s is larger than %llu GiB", d->url,
				 FILE_MAX_BYTES >> 30);
	digest_update(&d->digest, data, n);
	return fs_write_all(d->fd, data, n, err);
}

static int restart(void *arg, struct error *err)
{
	struct download *d = arg;

	d->size = 0;
	digest_release(&d->digest);
	digest_init(&d->digest, true);
	if (ftruncate(d->fd, 0) < 0 || lseek(d->fd, 0, SEEK_SET) < 0)
		return error_errno(err, "cannot begin a file again");
	return 0;
}

static int download_open(struct download *d, struct build *b,
			 const struct build_remote *r, const char *shown,
			 struct error *err)
{
	cleanup_close int dir = -1;

	*d = (struct download){ .store = b->o->store, .fd = -1, .url = shown };
	digest_init(&d->digest, true);
	if (store_draft_new(d->store, &d->draft, err) < 0)
		return -1;
	d->open = true;
	dir = open(d->draft.fs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, "cannot open '%s'", d->draft.fs);
	d->fd = openat(dir, r->name,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       0600);
	if (d->fd < 0)
		return error_errno(err, "cannot create '%s'", r->name);
	return 0;
}

/* The three forms of RFC 9110, 5.6.7; anything else is no time. */
static time_t parse_time(const char *text)
{
	static const char *const forms[] = { "%a, %d %b %Y %H:%M:%S GMT",
					     "%A, %d-%b-%y %H:%M:%S GMT",
					     "%a %b %d %H:%M:%S %Y" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end)
			return timegm(&tm);
	}
	return 0;
}

/* The file gets the time the server gave it, or none that depends on now. */
static int finish(struct download *d, struct source_state *s,
		  struct error *err)
{
	const struct timespec at = { .tv_sec = (time_t)s->time };
	const struct timespec times[2] = { at, at };
	struct store_meta meta = { 0 };

	if (fchmod(d->fd, 0600) < 0 || futimens(d->fd, times) < 0)
		return error_errno(err, "cannot set the time of a file");
	digest_final_text(&d->digest, s->digest);
	store_new_id(s->layer);
	d->open = false;
	return store_draft_commit(d->store, &d->draft, &meta, s->layer, err);
}

static int refused(const struct http_transfer *t, const char *shown,
		   struct error *err)
{
	error_set(err, ERR_REFUSED, "%s: the server answered with status %d",
		  shown, t->status);
	if (t->status == 404)
		error_hint(err, "there is nothing at this address");
	else if (t->status == 401 || t->status == 403)
		error_hint(err, "downloads carry no credentials");
	return -1;
}

/* What an earlier download left, to ask only whether it changed. */
static void set_conditions(struct http_transfer *t,
			   const struct source_state *s)
{
	if (!s->layer[0])
		return;
	if (s->etag)
		strvec_pushf(&t->headers, "If-None-Match: %s", s->etag);
	if (s->modified && *s->modified)
		strvec_pushf(&t->headers, "If-Modified-Since: %s",
			     s->modified);
}

static int take(struct download *d, const struct http_transfer *t,
		struct source_state *s, struct error *err)
{
	const char *etag = http_header(t, "ETag", 0);
	const char *modified = http_header(t, "Last-Modified", 0);

	free(s->etag);
	free(s->modified);
	s->etag = xstrdup_null(etag);
	s->modified = xstrdup(modified ? modified : "");
	s->time = parse_time(s->modified);
	return finish(d, s, err);
}

/* Ask, and download what is not the same; `s` may hold what is known. */
static int ask(struct build *b, const struct build_remote *r,
	       struct source_state *s, bool *same, struct error *err)
{
	cleanup_free char *shown = url_shown(r->url);
	CLEANUP(download_release) struct download d = { .fd = -1 };
	cleanup_http_transfer struct http_transfer t = HTTP_TRANSFER_INIT;
	const struct http_sink sink = { write_bytes, restart, &d };
	cleanup_http struct http *h = NULL;

	if (registry_http(b->o->registry, &h, err) < 0 ||
	    download_open(&d, b, r, shown, err) < 0)
		return -1;
	t.url = xstrdup(r->url);
	t.sink = &sink;
	set_conditions(&t, s);
	if (http_perform(h, &t, err) < 0)
		return error_wrap(err, "%s", shown);
	*same = t.status == 304 && s->layer[0];
	if (*same)
		return 0;
	if (t.status != 200 && t.status != 206)
		return refused(&t, shown, err);
	log_info("%s: %llu bytes", shown, (unsigned long long)d.size);
	return take(&d, &t, s, err);
}

/* --- what is remembered of an address --- */

static void address_key(const struct build_remote *r, char hex[CACHE_KEY])
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;

	cache_key_begin(&k, "");
	cache_key_add(&k, "op", "address");
	cache_key_add(&k, "url", r->url);
	cache_key_add(&k, "name", r->name);
	cache_key_finish(&k, hex);
}

static int recall(struct build *b, const struct build_remote *r,
		  struct source_state *s, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	const char *layer, *digest, *modified;
	char key[CACHE_KEY];
	int rc;

	address_key(r, key);
	rc = store_cache_get(b->o->store, key, &text, err);
	if (rc <= 0)
		return rc;
	j = json_parse("address", text.buf, text.len, NULL);
	layer = json_get_str(j, "layer");
	digest = json_get_str(j, "digest");
	modified = json_get_str(j, "modified");
	if (!layer || !digest || !modified || !digest_valid(digest) ||
	    strlen(layer) != STORE_ID - 1 ||
	    !store_has_layer(b->o->store, layer))
		return 0;
	memcpy(s->layer, layer, STORE_ID);
	memcpy(s->digest, digest, DIGEST_TEXT);
	s->etag = xstrdup_null(json_get_str(j, "etag"));
	s->modified = xstrdup(modified);
	s->time = parse_time(modified);
	return 1;
}

static int remember(struct build *b, const struct build_remote *r,
		    const struct source_state *s, struct error *err)
{
	cleanup_json struct json *j = json_new_object();
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char key[CACHE_KEY];

	address_key(r, key);
	json_set_str(j, "layer", s->layer);
	json_set_str(j, "digest", s->digest);
	json_set_str(j, "modified", s->modified);
	json_set_str(j, "etag", s->etag);
	json_write(&text, j, false);
	return store_cache_put(b->o->store, key, text.buf, text.len, err);
}

static int download(struct build *b, const struct build_remote *r,
		    struct source_state *s, struct error *err)
{
	bool same = false;

	if (ask(b, r, s, &same, err) < 0)
		return -1;
	return same ? 0 : remember(b, r, s, err);
}

void source_http_key(const struct build_remote *r,
		     const struct source_state *s, struct cache_key *k)
{
	cache_key_add(k, "file", r->name);
	cache_key_add(k, "content", s->digest);
	cache_key_add(k, "modified", r->checksum ? "" : s->modified);
}

/* Offline, what the address held when it was last asked has to do. */
static int find_now(struct build *b, const struct build_remote *r,
		    struct source_state *s, struct error *err)
{
	cleanup_free char *shown = url_shown(r->url);
	int rc = recall(b, r, s, err);

	if (rc < 0)
		return -1;
	if (!rc || !gate_offline())
		return download(b, r, s, err);
	log_warn("%s is taken as it was fetched before, being offline", shown);
	return 0;
}

int source_http_find(struct build *b, const struct build_remote *r,
		     struct source_state *s, struct error *err)
{
	if (!r->checksum)
		return find_now(b, r, s, err);
	memcpy(s->digest, r->checksum, DIGEST_TEXT);
	return 0;
}

int source_http_fetch(struct build *b, const struct build_remote *r,
		      struct source_state *s, struct error *err)
{
	cleanup_free char *shown = url_shown(r->url);

	if (recall(b, r, s, err) < 0)
		return -1;
	if (s->layer[0] && str_eq(s->digest, r->checksum))
		return 0;
	/* Perhaps it came damaged: no server is to say that it is the same. */
	s->layer[0] = '\0';
	if (download(b, r, s, err) < 0)
		return -1;
	if (str_eq(s->digest, r->checksum))
		return 0;
	error_set(err, ERR_INPUT, "digest mismatch for %s: %s (expected: %s)",
		  shown, s->digest, r->checksum);
	return error_hint(err, "the file is not the one that --checksum "
			       "names");
}
