/* resolve.c - from names to Features, bound by the lockfile */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "feature/internal.h"

void feature_finder_release(struct finder *fi)
{
	devcontainer_lock_release(&fi->lock);
	devcontainer_feature_place_release(&fi->place);
	strvec_release(&fi->told);
	ahead_release(&fi->ahead);
}

void feature_finder_init(struct finder *fi, const struct feature_request *q)
{
	*fi = (struct finder){ .q = q };
	devcontainer_feature_place_of(&fi->place, q->config_file);
}

/* --- one Feature --- */

/* Once, however often a Feature is asked for; of those that others published
 * only who asks for it wants to know. */
static void tell(struct finder *fi, const struct devcontainer_feature *f,
		 const struct strvec *notes)
{
	bool own = f->ref.source == DEVCONTAINER_FEATURE_LOCAL;

	for (size_t i = 0; i < notes->nr; i++) {
		if (strvec_has(&fi->told, notes->v[i]))
			continue;
		strvec_push(&fi->told, notes->v[i]);
		if (own)
			log_warn("%s", notes->v[i]);
		else
			log_debug("%s", notes->v[i]);
	}
}

static char *metadata_name(const struct devcontainer_feature *f)
{
	cleanup_free char *path = NULL;

	if (f->ref.source != DEVCONTAINER_FEATURE_LOCAL)
		return xstrfmt("%s: %s", f->id, DEVCONTAINER_FEATURE_FILE);
	path = path_join(f->ref.dir, DEVCONTAINER_FEATURE_FILE);
	return local_name(path);
}

static int find_text(struct finder *fi, struct devcontainer_feature *f,
		     struct strbuf *metadata, struct error *err)
{
	const char *pin = devcontainer_lock_get(&fi->lock, f->id);

	switch (f->ref.source) {
	case DEVCONTAINER_FEATURE_OCI:
		return oci_find(fi, pin, f, metadata, err);
	case DEVCONTAINER_FEATURE_TARBALL:
		return tarball_find(fi, pin, f, metadata, err);
	default:
		return local_find(fi, f, metadata, err);
	}
}

static int find(void *arg, struct devcontainer_feature *f, struct error *err)
{
	struct finder *fi = arg;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec notes = STRVEC_INIT;
	cleanup_free char *name = metadata_name(f);

	if (find_text(fi, f, &text, err) < 0 ||
	    devcontainer_feature_parse(&f->metadata, name, text.buf, text.len,
				       &notes, err) < 0)
		return -1;
	tell(fi, f, &notes);
	return 0;
}

/* Only a registry that has answered is asked: an order is not worth waiting
 * for one that does not. */
static void peek(void *arg, struct devcontainer_feature *f)
{
	struct finder *fi = arg;
	cleanup_error struct error why = ERROR_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec notes = STRVEC_INIT;

	if (f->ref.source != DEVCONTAINER_FEATURE_OCI || !fi->contacted)
		return;
	if (oci_find(fi, NULL, f, &text, &why) < 0 ||
	    devcontainer_feature_parse(&f->metadata, f->id, text.buf, text.len,
				       &notes, &why) < 0)
		log_debug("installsAfter '%s': %s", f->id, why.msg);
}

static void ahead(void *arg, struct devcontainer_feature *const *list,
		  size_t n, bool named)
{
	ahead_manifests(arg, list, n, named);
}

/* --- the lockfile --- */

static int read_lock(struct finder *fi, struct error *err)
{
	cleanup_free char *path = devcontainer_lock_path(fi->q->config_file);
	cleanup_free char *name = local_name(path);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;

	if (fs_read_at(AT_FDCWD, path, DEVCONTAINER_MAX, &text, &why) < 0)
		return why.sys == ENOENT ? 0 : error_move(err, &why);
	return devcontainer_lock_parse(&fi->lock, name, text.buf, text.len,
				       err);
}

int feature_finder_lock(struct finder *fi, struct error *err)
{
	enum feature_lock lock = fi->q->lock;

	if (lock == FEATURE_LOCK_NONE || lock == FEATURE_LOCK_UPDATE)
		return 0;
	return read_lock(fi, err);
}

static int frozen(const char *path, const char *name, struct error *err)
{
	error_set(err, ERR_INPUT, "%s: the lockfile does not %s", name,
		  fs_exists(path) ? "match" : "exist");
	return error_hint(err, "without --frozen-lockfile it is written");
}

static int write_lock(const struct finder *fi, const char *path,
		      const struct strbuf *text, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;

	if (fs_write_atomic(AT_FDCWD, path, text->buf, text->len, 0644, &why) ==
	    0)
		return 0;
	if (fi->q->lock == FEATURE_LOCK_UPDATE)
		return error_move(err, &why);
	/* A tree that cannot be written can still be built. */
	log_warn("the lockfile is not written: %s", why.msg);
	return 0;
}

static int finish_lock(struct finder *fi,
		       const struct devcontainer_features *list,
		       struct error *err)
{
	enum feature_lock lock = fi->q->lock;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = NULL, *name = NULL;

	if (lock == FEATURE_LOCK_NONE || lock == FEATURE_LOCK_READ)
		return 0;
	path = devcontainer_lock_path(fi->q->config_file);
	name = local_name(path);
	devcontainer_lock_write(list, &text);
	if (devcontainer_lock_matches(&fi->lock, &text))
		return 0;
	/* Nothing to bind needs no file. */
	if (!devcontainer_lock_needed(list) && !fs_exists(path))
		return 0;
	if (lock == FEATURE_LOCK_FROZEN)
		return frozen(path, name, err);
	return write_lock(fi, path, &text, err);
}

/* --- all of them --- */

static void warn_deprecated(const struct devcontainer_feature *f)
{
	const char *now = json_get_str(f->metadata.json, "currentId");
	const char *at = f->where ? f->where : "";
	const char *sep = f->where ? ": " : "";

	if (json_get_bool(f->metadata.json, "deprecated"))
		log_warn("%s%sthe Feature '%s' is deprecated", at, sep, f->id);
	if (now && !str_eq(now, f->ref.id))
		log_warn("%s%sthe Feature '%s' is called '%s' now", at, sep,
			 f->id, now);
}

static void warn_options(const struct devcontainer_feature *f)
{
	cleanup_strvec struct strvec env = STRVEC_INIT, notes = STRVEC_INIT;

	devcontainer_feature_env(f, &env, &notes);
	for (size_t i = 0; i < notes.nr; i++)
		log_warn("%s", notes.v[i]);
}

int feature_resolve(const struct feature_request *q,
		    struct devcontainer_features *out, struct error *err)
{
	CLEANUP(feature_finder_release) struct finder fi;
	const struct devcontainer_feature_finder how = { find, peek, &fi,
							   ahead };
	cleanup_devcontainer_features struct devcontainer_features list = { 0 };

	feature_finder_init(&fi, q);
	if (feature_finder_lock(&fi, err) < 0 ||
	    devcontainer_features_order(&list, q->wanted, q->override,
					&fi.place, &how, err) < 0 ||
	    finish_lock(&fi, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < list.nr; i++) {
		warn_deprecated(&list.v[i]);
		warn_options(&list.v[i]);
	}
	*out = list;
	list = (struct devcontainer_features){ 0 };
	return 0;
}

static int unpack(void *arg, int dirfd, struct error *err)
{
	return package_unpack(arg, dirfd, err);
}

static char *unpack_one(struct finder *fi, const struct devcontainer_feature *f,
			struct error *err)
{
	cleanup_strbuf struct strbuf archive = STRBUF_INIT;
	char *dir;
	int rc;

	if (f->ref.source == DEVCONTAINER_FEATURE_LOCAL)
		return local_files(fi, f, err);
	dir = memory_files(fi->q->store, f->archive);
	if (dir)
		return dir;
	rc = f->ref.source == DEVCONTAINER_FEATURE_OCI
		     ? oci_archive(fi, f, &archive, err)
		     : tarball_archive(fi, f, &archive, err);
	if (rc < 0)
		return NULL;
	return memory_put_files(fi->q->store, f->archive, unpack, &archive,
				err);
}

int feature_unpack(const struct feature_request *q,
		   const struct devcontainer_features *list,
		   struct strvec *dirs, struct error *err)
{
	CLEANUP(feature_finder_release) struct finder fi;

	feature_finder_init(&fi, q);
	ahead_archives(&fi, list);
	for (size_t i = 0; i < list->nr; i++) {
		const struct devcontainer_feature *f = &list->v[i];
		char *dir = unpack_one(&fi, f, err);

		if (!dir) {
			error_wrap(err, "%s%sFeature '%s'",
				   f->where ? f->where : "",
				   f->where ? ": " : "", f->id);
			return -1;
		}
		strvec_push_own(dirs, dir);
	}
	return 0;
}

struct json *feature_entries(const struct devcontainer_features *list)
{
	struct json *entries = json_new_array();

	for (size_t i = 0; i < list->nr; i++)
		json_push(entries, devcontainer_feature_entry(&list->v[i]));
	return entries;
}
