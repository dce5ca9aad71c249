/* store_verify.c - store verify: what is damaged, and its repair */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/store.h"

#include "base/log.h"

/* Where damaged blobs are had again, and what there is to say. */
struct mending {
	struct store *s;
	struct registry_options options;
	struct registry *registry; /* made when needed */
	struct strbuf out;
};

static void add_line(void *arg, const char *text)
{
	strbuf_addf(arg, "%s\n", text);
}

static void add_mended(void *arg, const char *text)
{
	struct mending *m = arg;

	add_line(&m->out, text);
}

static int fetch_manifest(struct mending *m, const char *origin,
			  const char *digest, struct error *err)
{
	cleanup_registry_manifest struct registry_manifest got = {
		.body = STRBUF_INIT
	};
	cleanup_oci_ref struct oci_ref ref = { .host = NULL };
	char found[DIGEST_TEXT];

	if (oci_ref_parse(&ref, origin, err) < 0 ||
	    (!m->registry && registry_new(&m->registry, &m->options, err) < 0))
		return -1;
	free(ref.digest);
	ref.digest = xstrdup(digest);
	if (registry_get_manifest(m->registry, &ref, &got, err) < 0)
		return -1;
	return store_put_blob(m->s, got.body.buf, got.body.len, found, err);
}

static int fetch(void *arg, const char *origin, const struct oci_descriptor *d,
		 bool manifest, struct error *err)
{
	struct mending *m = arg;

	return manifest ? fetch_manifest(m, origin, d->digest, err)
			: build_bring_blobs(m->s, &m->registry, &m->options,
					    origin, d, 1, err);
}

static int repair(struct mending *m, const struct store_command *o,
		  struct cmd_call *call, struct error *err)
{
	const struct store_repair_options ro = { .dry_run = o->dry_run,
						 .report = add_mended,
						 .fetch = fetch,
						 .arg = m };
	struct store_repair_result r;

	if (store_repair(m->s, &ro, &r, err) < 0)
		return -1;
	if (r.mended || r.lost)
		log_info("%s: %zu, lost: %zu",
			 o->dry_run ? "can be mended" : "mended", r.mended,
			 r.lost);
	call->status = r.lost ? ERR_NO : 0;
	return cli_write(NULL, &m->out, err);
}

int store_do_verify(struct store *s, const struct store_command *o,
		    struct cmd_call *call, struct error *err)
{
	struct mending m = { .s = s, .out = STRBUF_INIT };
	int rc;

	if (!o->repair) {
		rc = store_verify(s, add_line, &m.out, err);
		call->status = rc > 0 ? ERR_NO : 0;
		if (rc >= 0)
			rc = cli_write(NULL, &m.out, err);
	} else {
		cli_registry_options(&o->registry, &m.options);
		rc = repair(&m, o, call, err);
	}
	registry_free(m.registry);
	strbuf_release(&m.out);
	return rc;
}
