/* tarball.c - Features that are archives at an address */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "feature/internal.h"
#include "wrap/http.h"

static bool is_github(const char *url)
{
	return str_starts(url, "https://github.com/") ||
	       str_starts(url, "https://api.github.com/");
}

static void authorise(struct http_transfer *t)
{
	const char *token = getenv("GITHUB_TOKEN");

	if (!token || !*token || !is_github(t->url))
		return;
	log_add_secret(token);
	strvec_pushf(&t->headers, "Authorization: Bearer %s", token);
}

/* Development servers of the Dev Container tools have no certificate, so
 * these speak plain HTTP to "localhost", and to nobody else. */
static int retry_plain(struct http *h, struct http_transfer *t,
		       struct error *err)
{
	static const char tls[] = "https://localhost";
	const char *rest = str_skip(t->url, tls);
	char *plain;

	if (!t->no_tls || !rest || !strchr(":/", *rest))
		return -1;
	plain = xstrfmt("http://localhost%s", rest);
	free(t->url);
	t->url = plain;
	error_release(err);
	http_transfer_reset(t);
	return http_perform(h, t, err);
}

static int refused(const struct http_transfer *t, const char *shown,
		   struct error *err)
{
	error_set(err, ERR_REFUSED, "%s: the server answered with status %d",
		  shown, t->status);
	if (t->status == 404)
		return error_hint(err, "there is nothing at this address");
	return -1;
}

static int download(struct finder *fi, const char *url, struct strbuf *out,
		    struct error *err)
{
	cleanup_http_transfer struct http_transfer t = HTTP_TRANSFER_INIT;
	cleanup_error struct error why = ERROR_INIT;
	cleanup_free char *shown = url_shown(url);
	cleanup_http struct http *h = NULL;

	if (registry_http(fi->q->registry, &h, err) < 0)
		return -1;
	t.url = xstrdup(url);
	t.max = ARCHIVE_MAX;
	authorise(&t);
	if (http_perform(h, &t, &why) < 0 && retry_plain(h, &t, &why) < 0) {
		error_move(err, &why);
		return error_wrap(err, "%s", shown);
	}
	fi->contacted = true;
	if (t.status != 200)
		return refused(&t, shown, err);
	strbuf_add(out, t.content.buf, t.content.len);
	return 0;
}

static int check(const struct devcontainer_feature *f, const char *have,
		 const char *wanted, struct error *err)
{
	if (str_eq(have, wanted))
		return 0;
	error_set(err, ERR_INPUT, "digest mismatch for %s: %s (expected: %s)",
		  f->ref.url, have, wanted);
	return error_hint(err, "it is no longer what the lockfile binds it "
			       "to; 'devenv parse --update-lockfile' accepts "
			       "what is there now");
}

static int fetch(struct finder *fi, const char *wanted,
		 struct devcontainer_feature *f, struct strbuf *archive,
		 struct error *err)
{
	char digest[DIGEST_TEXT];

	if (download(fi, f->ref.url, archive, err) < 0)
		return -1;
	digest_bytes(archive->buf, archive->len, digest);
	if (wanted && check(f, digest, wanted, err) < 0)
		return -1;
	memcpy(f->digest, digest, DIGEST_TEXT);
	memcpy(f->archive, digest, DIGEST_TEXT);
	f->archive_size = archive->len;
	return 0;
}

static int unpack(void *arg, int dirfd, struct error *err)
{
	return package_unpack(arg, dirfd, err);
}

/* It is here now: what will be needed is kept. */
static int keep(struct finder *fi, const struct devcontainer_feature *f,
		struct strbuf *archive, struct error *err)
{
	cleanup_free char *dir = NULL;

	if (!fi->q->store)
		return 0;
	dir = memory_files(fi->q->store, f->archive);
	if (!dir)
		dir = memory_put_files(fi->q->store, f->archive, unpack,
				       archive, err);
	return dir ? 0 : -1;
}

int tarball_find(struct finder *fi, const char *pin,
		 struct devcontainer_feature *f, struct strbuf *metadata,
		 struct error *err)
{
	struct store *s = fi->q->store;
	cleanup_strbuf struct strbuf archive = STRBUF_INIT;

	if ((pin || !fi->q->pull) &&
	    memory_get(s, &f->ref, pin ? pin : "", f, metadata))
		return 0;
	if (fetch(fi, pin, f, &archive, err) < 0)
		return -1;
	if (package_metadata(&archive, metadata, err) < 0 ||
	    keep(fi, f, &archive, err) < 0)
		return error_wrap(err, "%s", f->ref.url);
	jsonc_repair_utf8(metadata);
	memory_put(s, &f->ref, "", f, metadata);
	memory_put(s, &f->ref, f->digest, f, metadata);
	return 0;
}

int tarball_archive(struct finder *fi, const struct devcontainer_feature *f,
		    struct strbuf *archive, struct error *err)
{
	struct devcontainer_feature again = { .ref = f->ref };

	return fetch(fi, f->digest, &again, archive, err);
}
